# A job is what you want to run. Its ID is unique in its namespace: run a file
# with the same ID again, and the job is updated.
#
#   nomadlike job plan example.nomad.hcl      what would change?
#   nomadlike job run example.nomad.hcl       do it
#   nomadlike job status example              how is it?
#   nomadlike alloc logs -f -job example      what does it say?
#   nomadlike job stop example                end it

# A variable is set with -var, -var-file or NOMAD_VAR_greeting.
variable "greeting" {
  type        = string
  default     = "hello"
  description = "what the task says"
}

job "example" {
  # "service" runs until it is stopped, "batch" until it is done; "system" and
  # "sysbatch" are the same, once on every node that fits.
  type = "service"

  # Where it may run, with globs. All of them unless written.
  datacenters = ["*"]

  # Nodes that do not satisfy a constraint are left out.
  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  # How a new version replaces the old one: so many allocations at a time, each
  # healthy for a while before the next. What fails goes back to the last version
  # that worked.
  update {
    max_parallel     = 1
    health_check     = "task_states"
    min_healthy_time = "5s"
    healthy_deadline = "1m"
    auto_revert      = true
  }

  # The tasks of a group run together on one node.
  group "greeter" {
    # How many allocations of the group there are.
    count = 1

    network {
      # A port of the node, chosen where the allocation is placed. Write
      # static = 8080 to have that one, on as many nodes as there are
      # allocations.
      port "hello" {}
    }

    # A task that fails is restarted where it is, so often in the interval. After
    # that the allocation has failed, and is placed anew.
    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    # Space that the tasks share, for as long as the allocation lives.
    ephemeral_disk {
      size = 50 # MB
    }

    task "greet" {
      # raw_exec runs commands as they are, with the agent's rights. Agents have
      # it only if they were told so, or were started with -dev; "exec" isolates
      # what it runs, and needs an agent that runs as root.
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do echo \"$GREETING from ${NOMAD_ALLOC_NAME}, port ${NOMAD_PORT_hello}\"; sleep 5; done"]
      }

      env {
        GREETING = var.greeting
      }

      # How much of its output is kept, of stdout and stderr each.
      logs {
        max_files     = 3
        max_file_size = 2 # MB
      }

      # What the task gets. More memory than this, and it is killed.
      resources {
        cpu    = 100 # MHz
        memory = 32  # MB
      }

      # How long it may take to end when it is told to.
      kill_timeout = "5s"
    }
  }
}
