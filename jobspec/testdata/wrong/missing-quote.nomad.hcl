job "web" {
  datacenters = ["dc1"]

  group "web" {
    task "nginx" {
      driver = "docker

      config {
        image = "nginx:1.27"
      }
    }
  }
}
