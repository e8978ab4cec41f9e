job "web" {
  constraint {
    attribute = "${attr.kernel.name}"
    operator  = "equals"
    value     = "linux"
  }
  group "web" {
    constraint {
      attribute = "${attr.nomad.version}"
      operator  = "version"
      value     = "newer than 1.8"
    }
    constraint {
      attribute = "${attr.kernel.name}"
      regexp    = "(linux"
    }
    constraint {
      attribute = "${NOMAD_DC}"
      value     = "dc1"
    }
    task "nginx" {
      driver = "docker"
      constraint {
        distinct_hosts = true
      }
    }
  }
}
