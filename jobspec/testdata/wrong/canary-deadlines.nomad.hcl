job "web" {
  update {
    max_parallel      = 2
    canary            = 1
    auto_promote      = true
    min_healthy_time  = "10m"
    healthy_deadline  = "5m"
    progress_deadline = "2m"
  }
  group "web" {
    count = 3
    task "nginx" {
      driver = "docker"
      config {
        image = "nginx:1.27"
      }
    }
  }
  group "db" {
    update {
      auto_promote = true
      canary       = 0
    }
    task "postgres" {
      driver = "docker"
    }
  }
}
