job 'web' {
  group "web" {
    task "nginx" {
      driver = 'docker'
    }
  }
}
