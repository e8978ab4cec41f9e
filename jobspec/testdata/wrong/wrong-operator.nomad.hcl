job "web" {
  constraint {
    attribute = "${attr.kernel.name}"
    operator  = "equals"
    value     = "linux"
  }
  constraint {
    attribute = attr.cpu.arch
    operator  = "in"
    value     = ["amd64", "arm64"]
  }
  group "web" {
    constraint {
      attribute = "${attr.nomad.version}"
      operator  = "version"
      value     = "newer than 1.8"
    }
    constraint {
      attribute = "kernel.name"
      regexp    = "(linux"
    }
    constraint {
      distinct_host = true
    }
    task "nginx" {
      driver = "docker"
      constraint {
        distinct_hosts = true
      }
    }
  }
}
