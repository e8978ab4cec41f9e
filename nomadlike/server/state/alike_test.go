package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// TestAlike places allocations of all kinds as they are and as alike: the state is
// the same.
func TestAlike(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		var list []*n.Allocation
		for i := range r.IntN(60) {
			list = append(list, placed(r, i))
		}
		shared, whole := newFixture(t), newFixture(t)
		for _, f := range []*fixture{shared, whole} {
			mustApply(f, RegisterJob, &JobRegister{Job: &n.Job{ID: "web", Namespace: "default", Type: n.JobTypeService, TaskGroups: []n.Group{{Name: "a"}, {Name: "b"}}}, Now: f.now})
			mustApply(f, RegisterNode, &NodeRegister{Node: &n.Node{ID: "n1", Name: "node1", NodePool: "default"}, SecretID: "s", Now: f.now})
		}
		c := &PlanApply{Now: shared.now}
		c.Place(walk.Clone(list))
		mustApply(shared, ApplyPlan, c)
		mustApply(whole, ApplyPlan, &PlanApply{Now: whole.now, Places: walk.Clone(list)})
		if seed == 7 && len(c.Alike) == 0 {
			t.Error("none are alike")
		}
		for _, a := range list {
			have, want := shared.s.Read().Alloc(a.ID), whole.s.Read().Alloc(a.ID)
			if d := cmp.Diff(want, have); d != "" {
				t.Fatalf("seed %d (-want +have):\n%s", seed, d)
			}
		}
	}
}

// TestRestoredShares restores allocations: they are what they were, and what is the
// same in them is one.
func TestRestoredShares(t *testing.T) {
	f := newFixture(t)
	mustApply(f, RegisterJob, &JobRegister{Job: &n.Job{ID: "web", Namespace: "default", Type: n.JobTypeService, TaskGroups: []n.Group{{Name: "a"}, {Name: "b"}}}, Now: f.now})
	r := rand.New(rand.NewPCG(9, 5))
	c, u := &PlanApply{Now: f.now}, &AllocUpdate{NodeID: "n1", Now: f.now}
	for i := range 50 {
		a := placed(r, i)
		c.Places = append(c.Places, a)
		u.Updates = append(u.Updates, n.AllocUpdate{ID: a.ID, ClientStatus: n.ClientRunning, TaskStates: map[string]*n.TaskState{
			"t": {State: n.TaskRunning, Events: []n.TaskEvent{{Type: n.EventTaskSetup, Details: map[string]string{"message": "building"}}, {Type: n.EventStarted, Details: map[string]string{}}}},
		}})
	}
	mustApply(f, ApplyPlan, c)
	mustApply(f, UpdateAllocs, u)
	save, err := f.s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var snapshot bytes.Buffer
	if err := save(&snapshot); err != nil {
		t.Fatal(err)
	}
	restored := New()
	if err := restored.Restore(&snapshot); err != nil {
		t.Fatal(err)
	}
	have, want := slices.Collect(restored.Read().AllAllocs(nil, "")), slices.Collect(f.s.Read().AllAllocs(nil, ""))
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("(-want +have):\n%s", d)
	}
	for _, list := range [][]*n.Allocation{have, want} {
		details := map[uintptr]bool{}
		for _, a := range list {
			for _, s := range a.TaskStates {
				details[reflect.ValueOf(s.Events[0].Details).Pointer()] = true
			}
		}
		if len(details) != 1 {
			t.Errorf("%d maps of the same details", len(details))
		}
	}
	resources := map[*n.AllocatedResources]bool{}
	for _, a := range have {
		resources[a.AllocatedResources] = true
	}
	if len(resources) > 25 { // some have ports of their own
		t.Errorf("%d different resources", len(resources))
	}
}

// placed is an allocation such as a scheduler makes.
func placed(r *rand.Rand, i int) *n.Allocation {
	node := fmt.Sprint("n", r.IntN(4))
	a := &n.Allocation{
		ID: n.AllocID(uuid.NewString()), Namespace: "default", EvalID: "e", NodeID: n.NodeID(node), NodeName: "node" + node, JobID: "web",
		TaskGroup: []string{"a", "b"}[r.IntN(2)], DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending, CreateTime: 5, ModifyTime: 5,
		AllocatedResources: &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{"t": {Memory: n.AllocatedMemory{MemoryMB: 10}}}},
		Metrics:            &n.AllocMetric{NodesEvaluated: r.IntN(2), NodesAvailable: map[string]int{"dc1": 3}, AllocationTime: time.Duration(r.IntN(9000))},
	}
	a.Name = n.AllocName("web", a.TaskGroup, i)
	for k := range r.IntN(4) {
		a.Metrics.ScoreMetaData = append(a.Metrics.ScoreMetaData, &n.NodeScore{
			NodeID: n.NodeID(fmt.Sprint("n", k)), Scores: n.Scores{{Name: "binpack", Value: float64(r.IntN(3))}}, NormScore: float64(r.IntN(3)),
		})
	}
	switch r.IntN(12) {
	case 0:
		a.PreviousAllocation = "before"
	case 1:
		a.DeploymentStatus = &n.AllocDeployment{Canary: true}
	case 2:
		a.AllocatedResources.Shared.Ports = []n.AllocatedPort{{Label: "http", Value: 20000 + i}}
	case 3:
		a.ID = n.AllocID(fmt.Sprint("no-uuid-", i))
	case 4:
		a.Metrics = nil
	case 5:
		a.Name = "another"
	}
	return a
}

// TestAlikeDamaged shows that allocations which do not fit together are refused.
func TestAlikeDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for name, damage := range map[string]func(*Alike){
		"an id":      func(g *Alike) { g.IDs = g.IDs[1:] },
		"no node":    func(g *Alike) { g.Nodes = nil },
		"a node":     func(g *Alike) { g.Node[0] = -1 },
		"resources":  func(g *Alike) { g.Resource[0] = len(g.Resources) },
		"metrics":    func(g *Alike) { g.Metrics[0] = nil },
		"a score":    func(g *Alike) { g.Score = append(g.Score, 0) },
		"few scores": func(g *Alike) { g.Shown[0] = 1 << 40 },
		"previous":   func(g *Alike) { g.Previous = []n.AllocID{"a"} },
	} {
		c := &PlanApply{Now: 1}
		var list []*n.Allocation
		for i := range 200 {
			list = append(list, placed(r, i))
		}
		c.Place(list)
		damage(&c.Alike[0])
		f := newFixture(t)
		if _, err := apply(f, ApplyPlan, c); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// BenchmarkApplyPlan places 10,000 allocations of one group on 1,000 nodes: from
// the plan to the entry of the log, and from there to the state.
func BenchmarkApplyPlan(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 5))
	list := make([]*n.Allocation, 10_000)
	resources := &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{"t": {Memory: n.AllocatedMemory{MemoryMB: 10}}}}
	available := map[string]int{"dc1": 334, "dc2": 333, "dc3": 333}
	score := func(node int) *n.NodeScore {
		return &n.NodeScore{NodeID: n.NodeID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", node)), NormScore: r.Float64(), Scores: n.Scores{{Name: "binpack", Value: r.Float64()}, {Name: "job-anti-affinity", Value: r.Float64()}}}
	}
	others := []*n.NodeScore{score(1), score(2), score(3), score(4)}
	for i := range list {
		others[i%4] = score(i % 1000)
		list[i] = &n.Allocation{
			ID: n.AllocID(uuid.NewString()), Namespace: "default", EvalID: "e", Name: n.AllocName("web", "g", i), JobID: "web", TaskGroup: "g",
			NodeID: n.NodeID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i%1000)), NodeName: fmt.Sprint("node", i%1000), DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending,
			AllocatedResources: resources, Metrics: &n.AllocMetric{
				NodesEvaluated: 1000, NodesAvailable: available, AllocationTime: time.Duration(r.IntN(9000)), ScoreMetaData: append([]*n.NodeScore{others[i%4]}, others...),
			},
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		c := &PlanApply{Now: 1}
		c.Place(list)
		entry, err := ApplyPlan.Encode(c)
		if err != nil {
			b.Fatal(err)
		}
		s := New()
		tx := s.db.Write(1)
		if err := jobs.Put(tx, &n.Job{ID: "web", Namespace: "default"}); err != nil {
			b.Fatal(err)
		}
		tx.Commit()
		if _, err := s.Apply(2, entry); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(entry))/float64(len(list)), "bytes/alloc")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(list)), "µs/alloc")
}
