job "web" {
  group "web" {
    count = "two"
    task "nginx" {
      driver = "docker"
      config {
        image = "nginx:1.27"
      }
      resources {
        cpu    = "500 MHz"
        memory = "256M"
      }
    }
  }
}
