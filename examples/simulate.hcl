# A cluster that need not exist, and what happens in it. See what would run where with
#
#   nomadlike operator simulate examples/simulate.hcl
#
# Blocks take effect in their order; 'nomadlike operator simulate -help' lists them.

nodes "small" {
  count  = 3
  cpu    = 4000
  memory = 8192
  meta   = { rack = "r1", cost = "0.10" }
}

nodes "large" {
  count      = 2
  datacenter = "dc2"
  class      = "large"
  cores      = 16
  memory     = 65536
  meta       = { rack = "r2", cost = "0.45" }

  reserved {
    cpu    = 500
    memory = 512
  }
}

job "api" {
  spread {
    attribute = "${node.datacenter}"
  }

  group "api" {
    count = 6

    network {
      port "http" {}
    }

    task "server" {
      driver = "docker"
      config {
        image = "api:1"
      }
      resources {
        cpu    = 500
        memory = 1024
      }
    }
  }
}

# A job may be written elsewhere.
job_file "hello.nomad.hcl" {
  vars = { command = "/usr/local/bin/hello" }
}

# This one fills the cheapest nodes first.
job "crunch" {
  type = "batch"

  meta = {
    "nomadlike.scheduler" = "leastcost"
  }

  group "crunch" {
    count = 4

    task "crunch" {
      driver = "exec"
      config {
        command = "/usr/local/bin/crunch"
      }
      resources {
        cpu    = 1000
        memory = 2048
      }
    }
  }
}

# What if two nodes fail in the evening, when the most is to be done?
event "node_down" {
  nodes = "small"
  count = 2
}

event "job_scaled" {
  job   = "api"
  count = 40
}
