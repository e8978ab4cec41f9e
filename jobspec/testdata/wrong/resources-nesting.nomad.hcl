job "web" {
  group "web" {
    resources {
      cpu = 500
    }
    task "nginx" {
      driver = "docker"
      config {
        image = "nginx:1.27"
        resources {
          memory = 256
        }
      }
      cpu    = 500
      memory = 256
    }
  }
}
