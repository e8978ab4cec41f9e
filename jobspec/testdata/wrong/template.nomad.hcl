job "web" {
  group "web" {
    task "nginx" {
      driver = "docker"
      template {
        data = <<EOF
listen 80;
EOF
      }
      template {
        destination = "local/nginx.conf"
        change_mode = "reload"
      }
      template {
        data        = "A=1"
        destination = "../../../etc/passwd"
        perms       = "rw-r--r--"
      }
      artifact {
        destination = "local/"
      }
    }
  }
}
