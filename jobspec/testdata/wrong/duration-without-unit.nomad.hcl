job "web" {
  group "web" {
    update {
      min_healthy_time = 10
      healthy_deadline = "5"
    }
    shutdown_delay = "1d"
    task "nginx" {
      driver       = "docker"
      kill_timeout = 30
      config {
        image = "nginx:1.27"
      }
    }
  }
}
