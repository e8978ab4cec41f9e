job "web" {
  group "web" {
    task "nginx" {
      driver = "docker"
      template {
        destination = "local/nginx.conf"
        data        = <<EOF
listen {{ env "NOMAD_PORT_http" }};
      }
    }
  }
}
