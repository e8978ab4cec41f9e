package e2e

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
)

// TestUnknown stops an agent as if its machine were cut off. What runs there is
// unknown for a while and replaced elsewhere; when the agent comes back, it goes
// on as the same process, and its replacement ends.
func TestUnknown(t *testing.T) {
	server := newAgent(t, quick)
	server.start()
	one := clientsOf(t, server, "one")[0]
	job := strings.Replace(jobOf("web", "raw_exec", configs("")["raw_exec"], 1), "update {", `
    disconnect {
      lost_after = "5m"
      reconcile  = "keep_original"
    }
    reschedule {
      delay          = "5s"
      delay_function = "constant"
      unlimited      = true
    }
    update {`, 1)
	server.must("job", "run", "-detach", server.file("web.hcl", job))
	was := server.running("web", 1)[0]
	process := one.identify(was.ID)
	two := newAgent(t, clientOnly+fmt.Sprintf("name = \"two\"\nclient {\n servers = [\"127.0.0.1:%d\"]\n}\n", server.ports[1]))
	two.start()
	server.ready(2)

	if err := one.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(one.cmd.Process.Pid, syscall.SIGCONT) }()
	status := func(want string) *api.Allocation {
		t.Helper()
		var x *api.Allocation
		eventually(t, 30*time.Second, "the allocation is "+want, func() (err error) {
			if x, _, err = server.client().Allocations().Info(was.ID, nil); err == nil && x.ClientStatus != want {
				err = fmt.Errorf("it is %s", x.ClientStatus)
			}
			return err
		})
		return x
	}
	if x := status("unknown"); x.DesiredStatus != "run" || x.DesiredDescription != "alloc is unknown since its node is disconnected" {
		t.Errorf("an allocation that is unknown: desired %s, %q", x.DesiredStatus, x.DesiredDescription)
	}
	if out := server.must("node", "status"); !strings.Contains(out, "disconnected") {
		t.Errorf("the nodes are\n%s", out)
	}
	replaced := server.running("web", 1)[0]
	if replaced.ID == was.ID || replaced.NodeName != "two" {
		t.Fatalf("%s runs on %s", replaced.ID, replaced.NodeName)
	}
	status("unknown")

	if err := one.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	status("running")
	eventually(t, 30*time.Second, "the replacement has ended", func() error {
		x, _, err := server.client().Allocations().Info(replaced.ID, nil)
		if err == nil && (x.ClientStatus != "complete" || x.DesiredDescription != "alloc not needed due to disconnected client reconnect") {
			err = fmt.Errorf("it is %s, %q", x.ClientStatus, x.DesiredDescription)
		}
		return err
	})
	if now := server.running("web", 1)[0]; now.ID != was.ID || one.identify(was.ID) != process {
		t.Errorf("%s runs, and it was %s", now.ID, was.ID)
	}
	x := status("running")
	if x.DesiredDescription != "" {
		t.Errorf("it is %q", x.DesiredDescription)
	}
	var raw struct{ AllocStates []struct{ Value string } }
	if _, err := server.client().Raw().Query("/v1/allocation/"+was.ID, &raw, nil); err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, s := range raw.AllocStates {
		states = append(states, s.Value)
	}
	if !slices.Equal(states, []string{"unknown", "running"}) {
		t.Errorf("its states were %v", states)
	}
	if !slices.ContainsFunc(x.TaskStates["t"].Events, func(e *api.TaskEvent) bool { return e.Type == "Reconnected" }) {
		t.Error("its task does not say that it is back")
	}
	server.ready(2)
}

// TestStopsAlone takes a client's only server away. What may not run without one
// ends by itself, and what may goes on; when the server is back, the first runs
// anew.
func TestStopsAlone(t *testing.T) {
	server := newAgent(t, quick)
	server.start()
	one := clientsOf(t, server, "one")[0]
	fenced := strings.Replace(jobOf("fenced", "raw_exec", configs("")["raw_exec"], 1), "update {", `
    disconnect {
      stop_on_client_after = "4s"
    }
    reschedule {
      delay          = "5s"
      delay_function = "constant"
      unlimited      = true
    }
    update {`, 1)
	server.must("job", "run", "-detach", server.file("fenced.hcl", fenced))
	server.must("job", "run", "-detach", server.file("free.hcl", jobOf("free", "raw_exec", configs("")["raw_exec"], 1)))
	was, free := server.running("fenced", 1)[0], server.running("free", 1)[0]
	one.identify(was.ID)
	process := one.identify(free.ID)
	time.Sleep(5 * time.Second) // longer than it may be alone
	one.identify(was.ID)

	server.kill()
	eventually(t, 20*time.Second, "it ends by itself", func() error {
		for _, p := range environs() {
			if strings.Contains(p.environ, "NOMAD_ALLOC_ID="+was.ID) {
				return fmt.Errorf("process %s runs", p.pid)
			}
		}
		return nil
	})
	if one.identify(free.ID) != process {
		t.Error("the other one was started anew")
	}
	server.start()
	eventually(t, 60*time.Second, "it runs anew", func() error {
		list, _, err := server.client().Jobs().Allocations("fenced", true, nil)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.ID == was.ID && x.ClientStatus != "failed" {
				return fmt.Errorf("the old one is %s", x.ClientStatus)
			}
			if x.ID != was.ID && x.ClientStatus == "running" {
				return nil
			}
		}
		return fmt.Errorf("there are %d", len(list))
	})
	x, _, err := server.client().Allocations().Info(was.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if x.ClientDescription != "no server was heard of for stop_on_client_after" {
		t.Errorf("it says %q", x.ClientDescription)
	}
	if one.identify(free.ID) != process {
		t.Error("the other one was started anew")
	}
}
