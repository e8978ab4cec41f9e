package state

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
)

// TestCommandNumbers guards old logs: a line may be added and never changed.
func TestCommandNumbers(t *testing.T) {
	want := `
1 JobRegister state.JobRegister
2 JobDeregister state.JobDeregister
3 JobStability state.JobStability
4 JobTag state.JobTag
5 JobUntag state.JobUntag
10 EvalUpsert state.EvalUpsert
11 Reap state.Reap
20 PlanApply state.PlanApply
21 AllocUpdate state.AllocUpdate
22 AllocTransition state.AllocTransition
30 NodeRegister state.NodeRegister
31 NodeStatus state.NodeStatus
32 NodeEligibility state.NodeEligibility
33 NodeEvaluate state.NodeEvaluate
34 NodeDrain state.NodeDrain
35 NodeDrained state.NodeDrained
40 DeploymentChange state.DeploymentChange
41 DeploymentPromote state.DeploymentPromote
42 DeploymentHealth state.DeploymentHealth
50 SchedulerConfig state.SchedulerConfig
`
	var got strings.Builder
	got.WriteString("\n")
	for _, d := range log.List() {
		fmt.Fprintln(&got, d)
	}
	if got.String() != want {
		t.Errorf("commands of the log: %s", got.String())
	}
}

// fixture applies commands at rising indexes.
type fixture struct {
	t     *testing.T
	s     *Store
	index uint64
	now   int64
}

func newFixture(t *testing.T) *fixture { return &fixture{t: t, s: New(), index: 10, now: 1e18} }

func apply[C any](f *fixture, e raftlog.Encoder[C], c *C) (any, error) {
	f.t.Helper()
	f.index++
	f.now += 1e9
	b, err := e.Encode(c)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.s.Apply(f.index, b)
}

func mustApply[C any](f *fixture, e raftlog.Encoder[C], c *C) any {
	f.t.Helper()
	v, err := apply(f, e, c)
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

var web = n.JobKey{Namespace: "default", ID: "web"}

func webJob(count int) *n.Job {
	return &n.Job{ID: "web", Namespace: "default", Type: "service", Priority: 50, NodePool: "default", Datacenters: []string{"*"},
		TaskGroups: []n.Group{{Name: "g", Count: count, Tasks: []n.Task{{Name: "t", Driver: "mock_driver"}}, ReschedulePolicy: &n.Reschedule{Unlimited: true}}}}
}

func (f *fixture) register(count int, eval n.EvalID) {
	f.t.Helper()
	e := &n.Evaluation{ID: eval, Namespace: "default", JobID: "web", Type: "service", Priority: 50, Status: n.EvalPending, TriggeredBy: n.TriggerJobRegister}
	mustApply(f, RegisterJob, &JobRegister{Job: webJob(count), Eval: e, Now: f.now})
}

func (f *fixture) place(ids ...n.AllocID) {
	f.t.Helper()
	p := &PlanApply{Now: f.now}
	for i, id := range ids {
		p.Places = append(p.Places, &n.Allocation{ID: id, Namespace: "default", JobID: "web", TaskGroup: "g", NodeID: "n1",
			Name: n.AllocName("web", "g", i), DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending})
	}
	mustApply(f, ApplyPlan, p)
}

func (f *fixture) observe(id n.AllocID, s n.ClientStatus) {
	f.t.Helper()
	mustApply(f, UpdateAllocs, &AllocUpdate{NodeID: "n1", Now: f.now, Seed: f.index, Updates: []n.AllocUpdate{{ID: id, ClientStatus: s}}})
}

func (f *fixture) want(status n.JobStatus, summary string) {
	f.t.Helper()
	v := f.s.Read()
	if got := v.Job(web).Status; got != status {
		f.t.Errorf("job is %s, want %s", got, status)
	}
	g := v.Summary(nil, web).Summary["g"]
	got := fmt.Sprintf("queued=%d starting=%d running=%d complete=%d failed=%d lost=%d", g.Queued, g.Starting, g.Running, g.Complete, g.Failed, g.Lost)
	if got != summary {
		f.t.Errorf("summary %s, want %s", got, summary)
	}
}

// TestLifeOfAJob follows what is derived from a job's evaluations and
// allocations from its registration to its end.
func TestLifeOfAJob(t *testing.T) {
	f := newFixture(t)
	f.register(2, "e1")
	f.want(n.JobPending, "queued=0 starting=0 running=0 complete=0 failed=0 lost=0")

	mustApply(f, UpsertEvals, &EvalUpsert{Now: f.now, Evals: []*n.Evaluation{{ID: "e1", Namespace: "default", JobID: "web", Status: n.EvalComplete, QueuedAllocations: map[string]int{"g": 2}}}})
	f.want(n.JobDead, "queued=2 starting=0 running=0 complete=0 failed=0 lost=0")

	f.place("a1", "a2")
	f.want(n.JobRunning, "queued=0 starting=2 running=0 complete=0 failed=0 lost=0")
	f.observe("a1", n.ClientRunning)
	f.observe("a2", n.ClientFailed)
	f.want(n.JobRunning, "queued=0 starting=0 running=1 complete=0 failed=1 lost=0")

	var failure *n.Evaluation
	for e := range f.s.Read().JobEvals(nil, web) {
		if e.TriggeredBy == n.TriggerAllocFailure {
			failure = e
		}
	}
	if failure == nil || failure.Type != "service" || failure.Status != n.EvalPending {
		t.Fatalf("the failure of an allocation that may be rescheduled made the evaluation %+v", failure)
	}

	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Stops: []StoppedAlloc{{ID: "a1", DesiredStatus: n.DesiredStop, ClientStatus: n.ClientLost}}})
	f.want(n.JobPending, "queued=0 starting=0 running=0 complete=0 failed=1 lost=1")
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Now: f.now})
	if v := f.s.Read().Job(web); !v.Stop || v.Version != 1 {
		t.Errorf("stopped job is %+v", v)
	}
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Purge: true, Now: f.now})
	v := f.s.Read()
	if v.Job(web) != nil || v.Alloc("a1") != nil || v.Eval(nil, failure.ID).Status != n.EvalComplete {
		t.Error("purging left something behind")
	}
}

// TestVersions registers the same job twice and then changed ones.
func TestVersions(t *testing.T) {
	f := newFixture(t)
	f.register(1, "e1")
	f.register(1, "e2")
	if v := f.s.Read().Job(web).Version; v != 0 {
		t.Errorf("the same job again is version %d", v)
	}
	f.place("a1") // of version 0
	for i := range 10 {
		f.register(i+2, "e3")
	}
	f.remembered("5 6 7 8 9 10")
	if f.s.Read().JobVersion(web, 0) == nil || f.s.Read().JobVersion(web, 1) != nil {
		t.Error("of those that are not remembered, the one is to be known that an allocation is of, and no other")
	}
	mustApply(f, ReapGarbage, &Reap{Allocs: []n.AllocID{"a1"}, Now: f.now})
	if f.s.Read().JobVersion(web, 0) != nil {
		t.Error("a version is known of which nothing is left")
	}
	_, err := apply(f, RegisterJob, &JobRegister{Job: webJob(99), EnforceIndex: true, JobModifyIndex: 1, Now: f.now})
	if err == nil || !strings.HasPrefix(err.Error(), "Enforcing job modify index") || f.s.Read().Job(web).Version != 10 {
		t.Errorf("a register that does not match gave %v", err)
	}
}

// TestSnapshot saves and restores everything, and two servers agree.
func TestSnapshot(t *testing.T) {
	f := newFixture(t)
	f.register(2, "e1")
	f.place("a1", "a2")
	write, err := f.s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	f.observe("a1", n.ClientRunning) // after the snapshot
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	s := New()
	if err := s.Restore(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	if a := s.Read().Alloc("a1"); a == nil || a.ClientStatus != n.ClientPending {
		t.Errorf("restored %+v", a)
	}
	again, _ := s.Snapshot()
	var c bytes.Buffer
	if err := again(&c); err != nil || !bytes.Equal(b.Bytes(), c.Bytes()) {
		t.Errorf("restoring and saving changed the snapshot: %v", err)
	}
}

// TestNodeSecret lets nobody take a node's name.
func TestNodeSecret(t *testing.T) {
	f := newFixture(t)
	node := func() *n.Node { return &n.Node{ID: "n1", Name: "one", NodePool: "default"} }
	mustApply(f, RegisterNode, &NodeRegister{Node: node(), SecretID: "s", Now: f.now})
	if _, err := apply(f, RegisterNode, &NodeRegister{Node: node(), SecretID: "other", Now: f.now}); err == nil {
		t.Error("a second secret was accepted")
	}
	mustApply(f, SetNodeStatus, &NodeStatus{NodeID: "n1", Status: n.NodeReady, Now: f.now})
	mustApply(f, RegisterNode, &NodeRegister{Node: node(), SecretID: "s", Now: f.now})
	if got := f.s.Read().Node("n1"); got.Status != n.NodeReady || got.SchedulingEligibility != n.NodeEligible {
		t.Errorf("registering again made the node %s, %s", got.Status, got.SchedulingEligibility)
	}
}

// TestNodeDownEvaluates looks at each job that had work on a lost node.
func TestNodeDownEvaluates(t *testing.T) {
	f := newFixture(t)
	mustApply(f, RegisterNode, &NodeRegister{Node: &n.Node{ID: "n1", Datacenter: "dc1", NodePool: "default"}, SecretID: "s", Now: f.now})
	mustApply(f, SetNodeStatus, &NodeStatus{NodeID: "n1", Status: n.NodeReady, Now: f.now})
	f.register(2, "e1")
	f.place("a1", "a2")
	out := mustApply(f, SetNodeStatus, &NodeStatus{NodeID: "n1", Status: n.NodeDown, Now: f.now, Seed: 7}).(NodeOutcome)
	if len(out.EvalIDs) != 1 {
		t.Fatalf("%d evaluations, want one for the job", len(out.EvalIDs))
	}
	e := f.s.Read().Eval(nil, out.EvalIDs[0])
	if e.TriggeredBy != n.TriggerNodeUpdate || e.NodeID != "n1" || e.JobID != "web" {
		t.Errorf("evaluation %+v", e)
	}
}
