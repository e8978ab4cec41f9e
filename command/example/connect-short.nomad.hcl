variable "api_image" {
  type    = string
  default = "tally-api:1"
}

variable "dashboard_image" {
  type    = string
  default = "tally-dashboard:1"
}

job "example" {
  group "api" {
    network {
      mode = "bridge"
    }

    service {
      name = "tally-api"
      port = "9001"

      connect {
        sidecar_service {}
      }
    }

    task "api" {
      driver = "docker"

      config {
        image = var.api_image
      }

      env {
        PORT = "9001"
      }
    }
  }

  group "dashboard" {
    network {
      mode = "bridge"

      port "http" {
        static = 9002
        to     = 9002
      }
    }

    service {
      name = "tally-dashboard"
      port = "http"

      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "tally-api"
              local_bind_port  = 8080
            }
          }
        }
      }
    }

    task "dashboard" {
      driver = "docker"

      config {
        image = var.dashboard_image
      }

      env {
        PORT      = "${NOMAD_PORT_http}"
        COUNT_URL = "http://${NOMAD_UPSTREAM_ADDR_tally_api}/count"
      }
    }
  }
}
