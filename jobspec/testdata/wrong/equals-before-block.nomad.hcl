job "web" {
  group = "web" {
    task "nginx" {
      driver = "docker"
      config = {
        image = "nginx:1.27"
      }
    }
  }
}
