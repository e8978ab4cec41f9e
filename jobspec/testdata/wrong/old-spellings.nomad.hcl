job "web" {
  type = "batch"
  periodic {
    cron = "0 3 * * *"
  }
  group "web" {
    max_client_disconnect     = "1h"
    prevent_reschedule_on_lost = true
    network {
      mbits = 10
      reserved_ports "http" {
        static = 80
      }
    }
    task "nginx" {
      driver = "docker"
      config {
        image = "nginx:1.27"
        port_map {
          http = 80
        }
      }
      logs {
        enabled = false
      }
      resources {
        cpu  = 100
        iops = 100
        disk = 500
        network {
          port "admin" {}
        }
      }
    }
  }
}
