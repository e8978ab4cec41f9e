job "example" {
  group "greeter" {
    network {
      port "hello" {}
    }

    task "greet" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do echo \"hello from ${NOMAD_ALLOC_NAME}, port ${NOMAD_PORT_hello}\"; sleep 5; done"]
      }

      resources {
        cpu    = 100
        memory = 32
      }
    }
  }
}
