job "web" {
  group "web" {
    task "nginx" {
      driver = "docker"
      image  = "nginx:1.27"
      ports  = ["http"]

      mount {
        type = "bind"
      }
    }
  }
}
