# Two services that speak to each other through Consul's mesh: an api that counts,
# and a dashboard that shows the count. Neither knows where the other runs, and
# what is between them is encrypted, and allowed or not by Consul's intentions.
#
# The nodes need a Consul agent with gRPC and its mesh switched on, the CNI
# plugins for bridge networks, and a Docker engine.
#
#   nomadlike job run -var api_image=… -var dashboard_image=… example.nomad.hcl

# Images of your own. The api answers at /count and /health of port 9001; the
# dashboard listens at port 9002, and asks the address in COUNT_URL.
variable "api_image" {
  type        = string
  default     = "tally-api:1"
  description = "image of the service that counts"
}

variable "dashboard_image" {
  type        = string
  default     = "tally-dashboard:1"
  description = "image of the page that shows the count"
}

job "example" {
  group "api" {
    # A bridge network is the group's own: its tasks share one localhost, and
    # nobody else reaches it but through published ports and the mesh.
    network {
      mode = "bridge"
    }

    service {
      name = "tally-api"

      # Where the api listens on the group's localhost. The port is a number here,
      # not a label: it is not published.
      port = "9001"

      # Consul sees the api only through its proxy. expose opens this one path for
      # the check, without encryption.
      check {
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
        expose   = true
      }

      # A sidecar is a proxy beside the tasks that is their way into the mesh. The
      # task that runs it need not be written: it is added to the group.
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

      resources {
        cpu    = 100 # MHz
        memory = 64  # MB
      }
    }
  }

  group "dashboard" {
    # Others are told that the service is gone this long before its tasks stop.
    shutdown_delay = "5s"

    network {
      mode = "bridge"

      # People reach the dashboard from outside: port 9002 of the node leads to
      # port 9002 in the group's network.
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
            # The proxy listens on the group's localhost, and whoever connects
            # there speaks to an api, wherever one runs.
            upstreams {
              destination_name = "tally-api"
              local_bind_port  = 8080
            }
          }
        }

        # What the proxy itself gets. Without this block it has 250 MHz and 128 MB.
        sidecar_task {
          resources {
            cpu    = 100
            memory = 64
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
        PORT = "${NOMAD_PORT_http}"

        # The address of the upstream. A dash in a service's name is _ in the
        # names of variables.
        COUNT_URL = "http://${NOMAD_UPSTREAM_ADDR_tally_api}/count"
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
