job "web" {
  group "web" {
    network { mode = "bridge" port "http" { to = 80 } }
    task "nginx" { driver = "docker", user = "root" }
  }
}
