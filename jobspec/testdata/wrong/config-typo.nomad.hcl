job "web" {
  group "web" {
    task "nginx" {
      driver = "docker"
      confg {
        image = "nginx:1.27"
      }
    }
    task "side" {
      driver = "docker"
      config {
        image: "nginx:1.27"
      }
    }
  }
}
