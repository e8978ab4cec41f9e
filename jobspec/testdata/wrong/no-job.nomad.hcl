group "web" {
  task "nginx" {
    driver = "docker"
  }
}
