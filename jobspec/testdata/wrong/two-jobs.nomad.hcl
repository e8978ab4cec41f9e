job "web" {
  group "web" {
    task "nginx" {
      driver = "docker"
    }
  }
}

job "db" {
  group "db" {
    task "postgres" {
      driver = "docker"
    }
  }
}
