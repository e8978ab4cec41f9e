# A job is what you want to run. Its ID is unique in its namespace: run a file
# with the same ID again, and the job is updated.
#
#   nomadlike job plan example.nomad.hcl      what would change?
#   nomadlike job run example.nomad.hcl       do it
#   nomadlike job status example              how is it?
#   nomadlike alloc logs -f -job example      what does it say?
#   nomadlike job stop example                end it
#
# It runs as it is on an agent that was started with -dev. Blocks that are
# commented out below show what else there is: take the # away to use them.

# A variable is set with -var, -var-file or NOMAD_VAR_greeting. What depends on
# other values goes into a locals block, and is then called local.<name>.
variable "greeting" {
  type        = string
  default     = "hello"
  description = "what the task says"
}

job "example" {
  # "service" runs until it is stopped, "batch" until it is done; "system" and
  # "sysbatch" are the same, once on every node that fits.
  type = "service"

  # When nodes are full, jobs of a higher priority get room first. 1 to 100; 50
  # unless written.
  priority = 50

  # Where it may run, with globs. All of them unless written. A node pool sets
  # nodes apart from others for good, such as those with GPUs.
  datacenters = ["*"]
  node_pool   = "default"

  # Nodes that do not satisfy a constraint are left out. Groups and tasks may have
  # their own. Other operators are ">", "regexp", "version", "set_contains",
  # "distinct_hosts" and more.
  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  # Nodes that satisfy an affinity are preferred, and others taken if need be. A
  # negative weight is for nodes that are to be avoided.
  affinity {
    attribute = "${node.class}"
    value     = "small"
    weight    = 50
  }

  # Allocations of a group are packed onto few nodes, unless they are to be
  # spread over the values of an attribute.
  spread {
    attribute = "${node.datacenter}"
  }

  # How a new version replaces the old one: so many allocations at a time, each
  # healthy for a while before the next. What fails goes back to the last version
  # that worked. With canary = 1, one allocation of the new version runs beside
  # the old ones until you promote it: nomadlike job promote example
  update {
    max_parallel     = 1
    health_check     = "task_states"
    min_healthy_time = "5s"
    healthy_deadline = "1m"
    auto_revert      = true
  }

  # How allocations leave a node that is drained: so many of a group at a time.
  migrate {
    max_parallel = 1
    health_check = "task_states"
  }

  # Words for people and programs. Tasks find them in their environment, as
  # NOMAD_META_owner.
  meta {
    owner = "you"
  }

  # A batch job may be started by the clock, like cron does it.
  #periodic {
  #  crons            = ["*/15 * * * *"]
  #  prohibit_overlap = true
  #}

  # The tasks of a group run together on one node, and share its ports and disk.
  # One such set is an allocation.
  group "greeter" {
    # How many allocations of the group there are.
    count = 1

    network {
      # A port of the node, chosen where the allocation is placed. Write
      # static = 8080 to have that one, on as many nodes as there are
      # allocations. Tasks find it in NOMAD_PORT_hello, and the address to
      # listen on in NOMAD_IP_hello.
      port "hello" {}
    }

    # How long before its tasks stop others are told that the group is gone.
    shutdown_delay = "2s"

    # A service is how others find the group, and a check how it is known that it
    # answers. Provider "nomad" keeps services here, "consul" in Consul.
    #service {
    #  provider = "nomad"
    #  name     = "greeter"
    #  port     = "hello"
    #
    #  check {
    #    type     = "http"
    #    path     = "/health"
    #    interval = "10s"
    #    timeout  = "2s"
    #  }
    #}

    # A task that fails is restarted where it is, so often in the interval. After
    # that the allocation has failed.
    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    # An allocation that failed is placed anew, on another node if there is one,
    # and after a while that grows from time to time.
    reschedule {
      delay          = "30s"
      delay_function = "exponential"
      max_delay      = "1h"
      unlimited      = true
    }

    # Space that the tasks share, for as long as the allocation lives: the
    # directory that NOMAD_ALLOC_DIR names. What they log counts, too.
    ephemeral_disk {
      size = 150 # MB
    }

    # A volume outlives its allocations. Tasks of the group say with volume_mount
    # where they want it.
    #volume "store" {
    #  type   = "host"
    #  source = "greetings"
    #}

    task "greet" {
      # raw_exec runs commands as they are, with the agent's rights. Agents have
      # it only if they were told so, or were started with -dev; "exec" isolates
      # what it runs, and needs an agent that runs as root; "docker" runs
      # containers.
      driver = "raw_exec"

      # What the driver is to do. What may stand here depends on the driver.
      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do echo \"$GREETING from ${NOMAD_ALLOC_NAME}, port ${NOMAD_PORT_hello}\"; sleep 5; done"]
      }

      # The environment of the task. What stands in ${} is known only where the
      # task runs; var.<name> and local.<name> are known before.
      env {
        GREETING = var.greeting
        HOST     = "${node.unique.name}"
      }

      # Files are fetched before the task starts, and unpacked if they are
      # archives.
      #artifact {
      #  source      = "https://example.com/greetings.tar.gz"
      #  destination = "local/greetings"
      #}

      # A template becomes a file that follows the values in it, such as the
      # addresses of other services. When it has changed, the task is restarted, or
      # told with a signal.
      #template {
      #  data        = "{{ range service \"greeter\" }}{{ .Address }}:{{ .Port }}\n{{ end }}"
      #  destination = "local/friends.txt"
      #  change_mode = "restart"
      #}

      #volume_mount {
      #  volume      = "store"
      #  destination = "/var/lib/greetings"
      #}

      # Who the task is: a token that others can check, in its secrets directory.
      #identity {
      #  file = true
      #}

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

      # How it is told to end, and how long that may take.
      kill_signal  = "SIGTERM"
      kill_timeout = "5s"
    }

    # Tasks with a lifecycle run before the others ("prestart"), after they have
    # started ("poststart") or have ended ("poststop"); with sidecar = true, beside
    # them all the time.
    #task "prepare" {
    #  driver = "raw_exec"
    #
    #  lifecycle {
    #    hook = "prestart"
    #  }
    #
    #  config {
    #    command = "/bin/mkdir"
    #    args    = ["-p", "${NOMAD_ALLOC_DIR}/data/greetings"]
    #  }
    #}
  }
}
