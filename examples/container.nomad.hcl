# The web server of hello.nomad.hcl in a container, for nodes with a Docker engine.
#
#   tar -C bin -c hello | docker import -c 'ENTRYPOINT ["/hello"]' - nomadlike-hello:demo
#   nomadlike job run examples/container.nomad.hcl

variable "image" {
  type    = string
  default = "nomadlike-hello:demo"
}

job "container" {
  group "web" {
    network {
      port "http" {
        to = 8080
      }
    }

    update {
      health_check     = "task_states"
      min_healthy_time = "1s"
    }

    task "server" {
      driver = "docker"

      config {
        image = var.image
        ports = ["http"]
      }

      env {
        node_name = "${node.unique.name}"
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
