job "web" {
  group "web" {
    task "nginx" {
      driver = "docker"
      config {
        image = "nginx:1.27"
      }
    }

  group "db" {
    task "postgres" {
      driver = "docker"
      config {
        image = "postgres:17"
      }
    }
  }
}
