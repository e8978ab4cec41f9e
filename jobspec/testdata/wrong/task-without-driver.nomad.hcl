job "web" {
  group "web" {
    task "nginx" {
      config {
        image = "nginx:1.27"
      }
    }
  }
}
