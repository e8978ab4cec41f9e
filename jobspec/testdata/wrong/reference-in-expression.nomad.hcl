job "web" {
  group "web" {
    count = attr.cpu.numcores + 1
    task "nginx" {
      driver = "docker"
      env {
        PORT = "${NOMAD_PORT_http + 1}"
        NAME = uppercase("x")
      }
    }
  }
}
