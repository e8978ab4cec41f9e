package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
)

// clientsOf starts clients of a server, one after the other.
func clientsOf(t *testing.T, server *agent, names ...string) (out []*agent) {
	t.Helper()
	for i, name := range names {
		c := newAgent(t, clientOnly+fmt.Sprintf("name = %q\nclient {\n servers = [\"127.0.0.1:%d\"]\n}\n", name, server.ports[1]))
		c.start()
		server.ready(i + 1)
		out = append(out, c)
	}
	return out
}

// nodeNamed is the id of a node.
func (a *agent) nodeNamed(name string) string {
	a.t.Helper()
	list, _, err := a.client().Nodes().List(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, n := range list {
		if n.Name == name {
			return n.ID
		}
	}
	a.t.Fatalf("there is no node %s", name)
	return ""
}

// TestDrain empties a node of two. A service moves one by one and always has as
// many healthy allocations as its migrate block says; a system job goes last, and
// nothing runs on the node when the drain is said to be over.
func TestDrain(t *testing.T) {
	server := newAgent(t, quick)
	server.start()
	clientsOf(t, server, "one")
	job := strings.Replace(jobOf("web", "raw_exec", configs("")["raw_exec"], 3), "update {", "migrate {\n max_parallel = 1\n min_healthy_time = \"500ms\"\n healthy_deadline = \"1m\"\n }\n update {", 1)
	server.must("job", "run", "-detach", server.file("web.hcl", job))
	everywhere := strings.Replace(jobOf("everywhere", "raw_exec", configs("")["raw_exec"], 1), "group \"g\" {", "type = \"system\"\n group \"g\" {", 1)
	server.must("job", "run", "-detach", server.file("everywhere.hcl", everywhere))
	server.running("web", 3)
	server.running("everywhere", 1)
	healthy := func() (healthy int) {
		for _, x := range server.allocs("web") {
			if s := x.DeploymentStatus; x.DesiredStatus == "run" && x.ClientStatus == "running" && s != nil && s.Healthy != nil && *s.Healthy {
				healthy++
			}
		}
		return healthy
	}
	eventually(t, 20*time.Second, "all are healthy", func() error {
		if n := healthy(); n != 3 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	two := newAgent(t, clientOnly+fmt.Sprintf("name = \"two\"\nclient {\n servers = [\"127.0.0.1:%d\"]\n}\n", server.ports[1]))
	two.start()
	server.ready(2)
	server.running("everywhere", 2)
	one := server.nodeNamed("one")

	done := make(chan string)
	go func() {
		out, code := server.cli("node", "drain", "-enable", "-yes", "-deadline", "5m", "-m", "new disks", one)
		done <- fmt.Sprintf("%s\nexit code %d", out, code)
	}()
	out := ""
	for least := 3; out == ""; {
		select {
		case out = <-done:
		case <-time.After(20 * time.Millisecond):
		}
		if n := healthy(); n < least {
			least = n
			if n < 2 {
				t.Fatalf("only %d are healthy", n)
			}
		}
	}
	allocs, _, err := server.client().Nodes().Allocations(one, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range allocs {
		if x.ClientStatus != "complete" {
			t.Errorf("%s is %s on a node that is drained", x.Name, x.ClientStatus)
		}
	}
	for _, x := range server.running("web", 3) {
		if x.NodeName != "two" {
			t.Errorf("%s is on %s", x.Name, x.NodeName)
		}
	}
	server.running("everywhere", 1)
	t.Log(out)
	for _, want := range []string{
		": Ctrl-C to stop monitoring: will not cancel the node drain\n", fmt.Sprintf(": Node %q drain strategy set\n", one), "marked for migration", "draining",
		"status running -> complete", fmt.Sprintf(": Drain complete for node %s\n", one), fmt.Sprintf(": All allocations on node %q have stopped\n", one), "exit code 0",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the monitor did not say %q:\n%s", want, out)
		}
	}
	node, _, err := server.client().Nodes().Info(one, nil)
	if err != nil {
		t.Fatal(err)
	}
	if node.Drain || node.SchedulingEligibility != "ineligible" || node.LastDrain == nil || string(node.LastDrain.Status) != "complete" || node.LastDrain.Meta["message"] != "new disks" {
		t.Errorf("the node after its drain: %+v, %+v", node.SchedulingEligibility, node.LastDrain)
	}
	server.must("node", "drain", "-disable", "-yes", one)
	if got := server.must("node", "drain", "-monitor", one); got != "No drain strategy set\n" {
		t.Errorf("monitor: %s", got)
	}
	server.running("everywhere", 2)
}

// TestDrainByForce ends all that is on the only node, also what has no other place.
func TestDrainByForce(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	a.must("job", "run", "-detach", a.file("web.hcl", jobOf("web", "raw_exec", configs("")["raw_exec"], 2)))
	work := strings.Replace(jobOf("work", "raw_exec", configs("")["raw_exec"], 1), "update {\n      max_parallel = 0\n    }\n", "", 1)
	a.must("job", "run", "-detach", a.file("work.hcl", strings.Replace(work, "group \"g\" {", "type = \"batch\"\n group \"g\" {", 1)))
	a.running("web", 2)
	a.running("work", 1)
	node := strings.TrimSpace(a.must("node", "status", "-self", "-t", "{{.ID}}"))
	resp, err := a.client().Nodes().UpdateDrainOpts(node, &api.DrainOptions{DrainSpec: &api.DrainSpec{Deadline: time.Hour}, Meta: map[string]string{"by": "test"}}, nil)
	if err != nil || resp.NodeModifyIndex == 0 {
		t.Fatal(resp, err)
	}
	a.must("node", "drain", "-enable", "-self", "-detach", "-no-deadline")
	if out := a.must("node", "status", "-self"); !strings.Contains(out, "true; no deadline") {
		t.Errorf("status of a node that drains:\n%s", out)
	}
	out := a.must("node", "drain", "-enable", "-self", "-force")
	if !strings.Contains(out, "All allocations on node") {
		t.Errorf("the monitor said\n%s", out)
	}
	for job, want := range map[string]int{"web": 2, "work": 1} {
		for _, x := range a.allocs(job) {
			if x.ClientStatus != "complete" {
				t.Errorf("%s is %s", x.Name, x.ClientStatus)
			}
			want--
		}
		if want != 0 {
			t.Errorf("%s has %d allocations more or less than before", job, -want)
		}
	}
	info, _, err := a.client().Nodes().Info(node, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last := info.Events[len(info.Events)-1]; last.Message != "Node drain complete" || last.Subsystem != "Drain" || last.Details["deadline_reached"] != "true" {
		t.Errorf("the last event is %+v", last)
	}
	if info.LastDrain.Meta["by"] != "test" {
		t.Errorf("it is remembered as %+v", info.LastDrain)
	}
	a.must("node", "drain", "-disable", "-self", "-keep-ineligible")
	a.must("node", "eligibility", "-enable", "-self")
	a.running("web", 2)
}
