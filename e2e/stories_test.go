package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCrashesFollowPolicy shows a task that crashes twice being restarted twice,
// and then failing, as its policy says.
func TestCrashesFollowPolicy(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	a.must("job", "run", "-detach", a.file("crash.hcl", `
job "crash" {
  group "g" {
    restart {
      attempts = 2
      interval = "1m"
      delay    = "100ms"
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exit 7"]
      }
    }
  }
}
`))
	eventually(t, 20*time.Second, "the allocation fails", func() error {
		all := a.allocs("crash")
		if len(all) != 1 || all[0].ClientStatus != "failed" || all[0].TaskStates["t"] == nil {
			return fmt.Errorf("%d allocations, none of them failed", len(all))
		}
		s := all[0].TaskStates["t"]
		starts, exits := 0, 0
		for _, e := range s.Events {
			switch e.Type {
			case "Started":
				starts++
			case "Terminated":
				exits++
			}
		}
		if s.Restarts != 2 || starts != 3 || exits != 3 {
			t.Fatalf("%d restarts, %d starts, %d exits", s.Restarts, starts, exits)
		}
		return nil
	})
	if out := a.must("job", "status", "crash"); !strings.Contains(out, "failed") {
		t.Errorf("job status does not tell of the failure:\n%s", out)
	}
}

const quick = `
server {
  enabled            = true
  bootstrap_expect   = 1
  min_heartbeat_ttl  = "500ms"
  heartbeat_grace    = "1s"
}
`

// TestSilentNode kills one of two clients, and sees its work move to the other.
func TestSilentNode(t *testing.T) {
	server := newAgent(t, quick)
	server.start()
	join := clientOnly + fmt.Sprintf("client {\n servers = [\"127.0.0.1:%d\"]\n}\n", server.ports[1])
	var clients []*agent
	for range 2 {
		c := newAgent(t, join)
		c.start()
		clients = append(clients, c)
	}
	server.ready(2)
	server.must("job", "run", "-detach", server.file("work.hcl", jobOf("work", "raw_exec", configs("")["raw_exec"], 4)))
	before := server.running("work", 4)
	nodes := map[string]int{}
	for _, x := range before {
		nodes[x.NodeID]++
	}
	if len(nodes) != 2 {
		t.Fatalf("the work is on %d nodes", len(nodes))
	}
	id := strings.TrimSpace(clients[0].must("node", "status", "-self", "-t", "{{.ID}}"))
	lost := nodes[id]
	clients[0].kill()
	eventually(t, 30*time.Second, "the work moves", func() error {
		alive := 0
		for _, x := range server.allocs("work") {
			if x.DesiredStatus == "run" && x.ClientStatus == "running" && x.NodeID != id {
				alive++
			}
		}
		if alive != 4 {
			return fmt.Errorf("%d of 4 run elsewhere", alive)
		}
		return nil
	})
	gone := 0
	for _, x := range server.allocs("work") {
		if x.NodeID == id && x.ClientStatus == "lost" && x.DesiredStatus == "stop" {
			gone++
		}
	}
	if gone != lost {
		t.Errorf("%d of %d allocations of the node are lost", gone, lost)
	}
	// The node comes back, and what was replaced ends there.
	clients[0].start()
	server.ready(2)
	eventually(t, 20*time.Second, "the replaced tasks end", func() error {
		if n := len(processes(clients[0].dir + "/data/alloc")); n > 0 {
			return fmt.Errorf("%d processes", n)
		}
		return nil
	})
	server.must("job", "stop", "-purge", "work")
}

// TestJobWaitsForRoom shows a job that does not fit: it says what is exhausted,
// and starts when there is room.
func TestJobWaitsForRoom(t *testing.T) {
	a := newAgent(t, serverAndClient+"client {\n memory_total_mb = 500\n}\n")
	a.start()
	a.ready(1)
	big := func(name string) string {
		return a.file(name+".hcl", strings.Replace(jobOf(name, "raw_exec", configs("")["raw_exec"], 1), "memory = 20", "memory = 300", 1))
	}
	a.must("job", "run", "-detach", big("first"))
	a.running("first", 1)
	out, code := a.cli("job", "plan", big("second"))
	if code != 1 || !strings.Contains(out, `Dimension "memory" exhausted on 1 node`) {
		t.Errorf("job plan: exit code %d\n%s", code, out)
	}
	a.must("job", "run", "-detach", big("second"))
	eventually(t, 10*time.Second, "the second job is blocked", func() error {
		if out = a.must("job", "status", "second"); !strings.Contains(out, `Dimension "memory" exhausted on 1 node`) {
			return fmt.Errorf("job status says\n%s", out)
		}
		return nil
	})
	if n := len(a.allocs("second")); n != 0 {
		t.Fatalf("it has %d allocations", n)
	}
	a.must("job", "stop", "-detach", "first")
	a.running("second", 1)
	a.must("job", "stop", "-purge", "second")
}
