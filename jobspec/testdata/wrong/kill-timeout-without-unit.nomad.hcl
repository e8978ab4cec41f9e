job "web" {
  group "web" {
    task "nginx" {
      driver       = "docker"
      kill_timeout = 30
      config {
        image = "nginx:1.27"
      }
    }
  }
}
