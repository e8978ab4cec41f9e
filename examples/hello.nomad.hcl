# A web server, twice, behind ports that the scheduler chooses.
#
#   nomadlike job run -var command=/path/to/hello examples/hello.nomad.hcl

variable "command" {
  type        = string
  description = "path of the hello program: make demo builds it from examples/hello"
}

variable "driver" {
  type        = string
  default     = "raw_exec"
  description = "raw_exec needs no rights; exec, for agents that run as root, shuts the program in"
}

variable "count" {
  type    = number
  default = 2
}

job "hello" {
  group "web" {
    count = var.count

    network {
      port "http" {}
    }

    update {
      health_check     = "task_states"
      min_healthy_time = "1s"
    }

    task "server" {
      driver = var.driver

      config {
        command = var.command
      }

      env {
        HELLO_BIND = "${attr.unique.network.ip-address}"
        node_name  = "${node.unique.name}"
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
