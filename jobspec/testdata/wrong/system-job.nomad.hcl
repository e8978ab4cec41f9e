job "agent" {
  type = "system"
  affinity {
    attribute = "${node.class}"
    value     = "big"
  }
  group "agent" {
    count = 3
    scaling {
      max = 5
    }
    reschedule {
      attempts = 1
    }
    max_run_duration = "1h"
    task "agent" {
      driver = "docker"
      leader = true
    }
    task "alloc" {
      driver = "docker"
      leader = true
    }
  }
}
