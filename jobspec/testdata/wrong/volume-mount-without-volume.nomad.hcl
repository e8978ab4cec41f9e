job "db" {
  group "db" {
    volume "data" {
      type   = "hots"
      source = "postgres"
    }
    task "postgres" {
      driver = "docker"
      volume_mount {
        volume      = "dat"
        destination = "/var/lib/postgresql"
      }
      volume_mount {
        volume = "data"
      }
    }
  }
}
