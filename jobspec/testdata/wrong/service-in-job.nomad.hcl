job "web" {
  service {
    name = "web"
    port = "http"
  }
  network {
    port "http" {}
  }
  group "web" {
    config {
      image = "nginx"
    }
    driver = "docker"
    task "nginx" {
      driver = "docker"
      count  = 2
      network {
        port "http" {}
      }
    }
  }
}
