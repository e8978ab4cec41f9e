package scheduler_test

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/preempt"
)

// randomJob asks for a little of everything.
func randomJob(r *rand.Rand, id string) *n.Job {
	types := []string{n.JobTypeService, n.JobTypeBatch, n.JobTypeSystem, n.JobTypeSysBatch}
	job := &n.Job{
		ID: n.JobID(id), Name: id, Type: types[r.IntN(len(types))], Priority: 10 * (1 + r.IntN(9)), Datacenters: []string{"*"}, NodePool: "default",
		TaskGroups: []n.Group{{
			Name: "g", Count: 1 + r.IntN(8),
			EphemeralDisk: &n.EphemeralDisk{SizeMB: 10},
			Tasks: []n.Task{{
				Name: "t", Driver: "raw_exec", Resources: &n.Resources{CPU: 50 + r.IntN(900), MemoryMB: 50 + r.IntN(2000)},
				LogConfig: &n.LogConfig{MaxFiles: 1, MaxFileSizeMB: 1},
			}},
		}},
	}
	g := &job.TaskGroups[0]
	if job.Type == n.JobTypeService && r.IntN(2) == 0 {
		g.Update = &n.Update{MaxParallel: 1 + r.IntN(3), HealthCheck: "task_states", MinHealthyTime: time.Second, HealthyDeadline: time.Minute, ProgressDeadline: time.Minute}
	}
	switch after := time.Minute; r.IntN(6) {
	case 0, 1:
		g.Disconnect = &n.Disconnect{LostAfter: &after, Replace: r.IntN(3) > 0, Reconcile: []string{"best_score", "longest_running", "keep_original", "keep_replacement"}[r.IntN(4)]}
	case 2:
		g.Disconnect = &n.Disconnect{StopOnClientAfter: &after, Replace: true}
	}
	if r.IntN(2) == 0 && !job.RunsEverywhere() {
		g.ReschedulePolicy = &n.Reschedule{Unlimited: true, Delay: 5 * time.Second, DelayFunction: "constant"}
	}
	if r.IntN(2) == 0 {
		g.Networks = []n.Network{{DynamicPorts: []n.Port{{Label: "a"}, {Label: "b"}}}}
		if r.IntN(2) == 0 {
			g.Networks[0].ReservedPorts = []n.Port{{Label: "s", Value: 8000 + r.IntN(3)}}
		}
	}
	if r.IntN(3) == 0 {
		job.Constraints = []n.Constraint{{Operand: "distinct_hosts", RTarget: "true"}}
	}
	if r.IntN(3) == 0 {
		job.Constraints = append(job.Constraints, n.Constraint{LTarget: "${node.class}", Operand: "=", RTarget: "a"})
	}
	return job
}

// TestAnyCluster has jobs come and change and nodes come and go, in an order
// that a seed decides. Whatever happens: no node has more than it can hold, no
// port is used twice, what is missing is explained, nobody leaves who need not,
// and to decide again changes nothing.
func TestAnyCluster(t *testing.T) {
	evicted := 0
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld()
			w.seed = seed * 1000
			if seed%3 == 0 {
				w.config.SchedulerAlgorithm = "spread"
			}
			may := &w.config.PreemptionConfig
			for _, on := range []*bool{&may.ServiceSchedulerEnabled, &may.BatchSchedulerEnabled, &may.SystemSchedulerEnabled, &may.SysBatchSchedulerEnabled} {
				*on = seed%2 == 0 && r.IntN(2) == 0
			}
			for i := range 1 + r.IntN(6) {
				w.addNode(fmt.Sprintf("n%d", i+1), 1000+r.Int64N(3000), 1000+r.Int64N(8000), func(node *n.Node) {
					node.NodeClass = []string{"a", "b"}[r.IntN(2)]
				})
			}
			for range 25 {
				id := fmt.Sprintf("job%d", r.IntN(4))
				switch r.IntN(6) {
				case 0, 1, 2:
					job := randomJob(r, id)
					if old := w.jobs[key(id)]; old != nil {
						job.Type = old.Type
					}
					w.put(job)
				case 3:
					node := *w.nodes[n.NodeID(fmt.Sprintf("n%d", 1+r.IntN(len(w.nodes))))]
					node.Status = []n.NodeStatus{n.NodeReady, n.NodeReady, n.NodeDown, n.NodeDisconnected, n.NodeInitializing}[r.IntN(5)]
					w.nodes[node.ID] = &node
				case 4:
					for _, a := range w.order {
						if x := w.allocs[a]; !x.Terminal() && r.IntN(4) == 0 {
							w.observe(x, []n.ClientStatus{n.ClientRunning, n.ClientFailed, n.ClientComplete}[r.IntN(3)])
						}
					}
				case 5:
					w.now = w.now.Add(time.Minute)
				}
				if w.jobs[key(id)] == nil {
					continue
				}
				d, err := w.evaluate(id, n.TriggerNodeUpdate)
				if err != nil {
					t.Fatal(err)
				}
				w.sound(t)
				w.counted(t, id, d)
				evicted += w.evictions(t, d)
				again, err := w.evaluate(id, n.TriggerNodeUpdate)
				if err != nil {
					t.Fatal(err)
				}
				if p := again.Plan; p != nil && (len(p.NodeUpdate) > 0 || len(p.NodeAllocation) > 0) && w.settled(id) {
					t.Errorf("to decide again about %s changes\n%s\nbefore\n%s", id, w.show(again), w.show(d))
				}
			}
		})
	}
	if evicted < 50 {
		t.Errorf("%d allocations left for others, which is too few to tell", evicted)
	}
}

// evictions checks who leaves for whom, and counts them.
func (w *world) evictions(t *testing.T, d *scheduler.Decision) (count int) {
	t.Helper()
	for _, list := range d.Plan.NodePreemptions {
		count += len(list)
		for _, x := range list {
			a, by := w.allocs[x.ID], w.allocs[x.PreemptedByAllocation]
			low, high := w.JobVersion(a.JobKey(), a.JobVersion), w.JobVersion(by.JobKey(), by.JobVersion)
			switch {
			case !w.config.PreemptionConfig.Enabled(high.Type):
				t.Errorf("a %s job evicts %s", high.Type, a.Name)
			case low.Priority > high.Priority-preempt.Delta:
				t.Errorf("%s of priority %d leaves for %s of %d", a.Name, low.Priority, by.Name, high.Priority)
			case a.NodeID != by.NodeID || !slices.Contains(by.PreemptedAllocations, a.ID) || a.DesiredStatus != n.DesiredEvict:
				t.Errorf("%s on %s leaves for %s on %s, which knows of %v", a.Name, a.NodeID, by.Name, by.NodeID, by.PreemptedAllocations)
			}
			w.needed(t, d.Plan, a)
		}
	}
	return count
}

// needed checks that an allocation which left could not have stayed.
func (w *world) needed(t *testing.T, p *n.Plan, a *n.Allocation) {
	t.Helper()
	if len(p.NodeUpdate[a.NodeID]) > 0 {
		return // what the plan stopped later was in the way when it had to leave
	}
	on := []*n.Allocation{a}
	for x := range w.NodeAllAllocs(nil, a.NodeID) {
		leaves := slices.ContainsFunc(p.NodePreemptions[a.NodeID], func(o *n.Allocation) bool { return o.ID == x.ID })
		if !x.ClientStatus.Terminal() && !leaves {
			on = append(on, x)
		}
	}
	if ok, _ := scheduler.Fits(w.nodes[a.NodeID], on); ok {
		t.Errorf("%s leaves %s and need not", a.Name, a.NodeID)
	}
}

// settled reports a job of which nothing waits for a rolling update, whose next
// step another evaluation may well take.
func (w *world) settled(id string) bool {
	d := w.deploys[key(id)]
	return d == nil || !d.Status.Active()
}

// sound checks what runs on every node.
func (w *world) sound(t *testing.T) {
	t.Helper()
	for id, node := range w.nodes {
		var on []*n.Allocation
		ports := map[int]string{}
		for a := range w.NodeAllAllocs(nil, id) {
			if a.Terminal() {
				continue
			}
			on = append(on, a)
			for _, p := range a.AllocatedResources.Shared.Ports {
				if ports[p.Value] != "" {
					t.Errorf("port %d of %s is that of %s and of %s", p.Value, id, ports[p.Value], a.Name)
				}
				ports[p.Value] = a.Name
			}
		}
		if ok, lacking := scheduler.Fits(node, on); !ok {
			t.Errorf("%s has too little %s for what is on it", id, lacking)
		}
	}
}

// counted checks that a service has all that it asks for, or an explanation.
func (w *world) counted(t *testing.T, id string, d *scheduler.Decision) {
	t.Helper()
	job := w.jobs[key(id)]
	if job.Type != n.JobTypeService {
		return
	}
	running, away := 0, 0 // away are those of which nobody knows
	for a := range w.JobAllocs(nil, key(id)) {
		switch {
		case a.Terminal():
		case a.Returning():
			away++
		default:
			running++
		}
	}
	want := job.TaskGroups[0].Count
	if running > want {
		t.Errorf("%s asks for %d and has %d\n%s", id, want, running, w.show(d))
	}
	if running+away < want && len(d.Eval.FailedTGAllocs) == 0 && w.settled(id) && !w.anyFailed(id) && !w.awaited(id) {
		t.Errorf("%s asks for %d and has %d, and nobody says why\n%s", id, want, running, w.show(d))
	}
	if len(d.Eval.FailedTGAllocs) > 0 && len(d.NewEvals) == 0 {
		t.Errorf("%s lacks room and nothing waits for it", id)
	}
}

// awaited reports a job that is looked at again at some time, because of what ends
// by itself or counts as lost then.
func (w *world) awaited(id string) bool {
	for _, e := range w.evals {
		if e.JobID == n.JobID(id) && e.WaitUntil != nil && e.WaitUntil.After(w.now) {
			return true
		}
	}
	return false
}

// anyFailed reports allocations whose replacement is a matter of policy.
func (w *world) anyFailed(id string) bool {
	for a := range w.JobAllocs(nil, key(id)) {
		if a.ClientStatus == n.ClientFailed && a.DesiredStatus == n.DesiredRun {
			return true
		}
	}
	return false
}

// BenchmarkPlace places ten allocations of a service in clusters of different
// size, of which half of the nodes fit; nothing is kept between rounds.
func BenchmarkPlace(b *testing.B) {
	for _, size := range []int{10, 100, 1000, 5000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld()
			for i := range size {
				w.addNode(fmt.Sprintf("n%d", i), 4000, 8192, func(node *n.Node) { node.NodeClass = []string{"a", "b"}[i%2] })
			}
			job := randomJob(rand.New(rand.NewPCG(1, 1)), "job")
			job.Type, job.TaskGroups[0].Count, job.TaskGroups[0].Networks = n.JobTypeService, 10, nil
			job.Constraints = []n.Constraint{{LTarget: "${node.class}", Operand: "=", RTarget: "a"}}
			w.put(job)
			e := &n.Evaluation{ID: "e", Namespace: "default", JobID: "job", Type: n.JobTypeService, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}
			for i := 0; b.Loop(); i++ {
				d, err := scheduler.Process(w, e, scheduler.Options{Now: w.now, Seed: uint64(i)})
				if err != nil || len(d.Eval.FailedTGAllocs) > 0 {
					b.Fatal(d, err)
				}
			}
		})
	}
}

// TestIncremental places random jobs, and then the last allocation of each again,
// by an evaluation of its own that has all nodes before it as they are: what was
// kept up to date placement by placement must have led to a node of the same score.
func TestIncremental(t *testing.T) {
	placed := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld()
		w.seed = seed
		for i := range 2 + r.IntN(30) {
			w.addNode(fmt.Sprintf("n%d", i+1), 1000+r.Int64N(3)*1500, 1000+r.Int64N(3)*4000, func(node *n.Node) {
				node.Datacenter, node.NodeClass = []string{"dc1", "dc2", "dc3"}[r.IntN(3)], []string{"a", "b"}[r.IntN(2)]
				if r.IntN(5) > 0 {
					node.Meta["rack"] = fmt.Sprint(r.IntN(4))
				}
			})
		}
		job := randomJob(r, "job")
		job.Type = []string{n.JobTypeService, n.JobTypeBatch}[r.IntN(2)]
		preferences(r, job)
		w.put(job)
		before := w.index
		d, err := scheduler.Process(w, &n.Evaluation{ID: "e", Namespace: "default", JobID: "job", Type: job.Type, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}, scheduler.Options{Now: w.now, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		last := lastOf(d.Plan)
		if last == nil || len(d.Eval.FailedTGAllocs) > 0 {
			continue
		}
		placed++
		d.Plan.NodeAllocation[last.NodeID] = slices.DeleteFunc(d.Plan.NodeAllocation[last.NodeID], func(a *n.Allocation) bool { return a.ID == last.ID })
		w.commit(d.Plan)
		w.index = before
		d, err = scheduler.Process(w, &n.Evaluation{ID: "f", Namespace: "default", JobID: "job", Type: job.Type, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}, scheduler.Options{Now: w.now, Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		again := lastOf(d.Plan)
		if again == nil {
			t.Fatalf("seed %d: %s found a place on %s before, and none now: %v", seed, last.Name, last.NodeID, d.Eval.FailedTGAllocs)
		}
		want, have := again.Metrics.ScoreMetaData[0], last.Metrics.ScoreMetaData[0]
		if math.Abs(want.NormScore-have.NormScore) > 1e-9 {
			t.Fatalf("seed %d: %s has %v on %s; anew it is %v on %s", seed, last.Name, have, last.NodeID, want, again.NodeID)
		}
	}
	if placed < 100 {
		t.Errorf("only %d jobs found a place", placed)
	}
}

// preferences are what nodes are rated by.
func preferences(r *rand.Rand, job *n.Job) {
	if r.IntN(2) == 0 {
		job.Spreads = append(job.Spreads, n.Spread{Attribute: "${node.datacenter}", Weight: 100})
	}
	if r.IntN(3) == 0 {
		job.Spreads = append(job.Spreads, n.Spread{Attribute: "${meta.rack}", Weight: 50, SpreadTarget: []n.SpreadTarget{{Value: "1", Percent: 60}}})
	}
	if r.IntN(3) == 0 {
		job.Spreads = append(job.Spreads, n.Spread{Attribute: "${node.unique.id}", Weight: 30})
	}
	if r.IntN(2) == 0 {
		job.TaskGroups[0].Affinities = []n.Affinity{{LTarget: "${node.class}", Operand: "=", RTarget: "b", Weight: int8(r.IntN(200) - 99)}}
	}
	if r.IntN(4) == 0 {
		job.Constraints = append(job.Constraints, n.Constraint{LTarget: "${meta.rack}", Operand: n.OpDistinctProperty, RTarget: "2"})
	}
}

// lastOf is the allocation that was placed last: the one with the highest index.
func lastOf(p *n.Plan) (last *n.Allocation) {
	if p == nil {
		return nil
	}
	for _, list := range p.NodeAllocation {
		for _, a := range list {
			if last == nil || a.Index() > last.Index() {
				last = a
			}
		}
	}
	return last
}

// BenchmarkPreempt has one allocation make room for itself in clusters that are
// full of what is less important, and one that is not important enough look for it
// in vain.
func BenchmarkPreempt(b *testing.B) {
	for _, size := range []int{100, 1000} {
		w := newWorld()
		w.config.PreemptionConfig.ServiceSchedulerEnabled = true
		for i := range size {
			w.addNode(fmt.Sprintf("n%d", i), 4000, 8192)
		}
		byNode := map[n.NodeID][]*n.Allocation{}
		view := &crowded{w, byNode}
		low := &n.Job{ID: "low", Namespace: "default", Priority: 20, TaskGroups: []n.Group{{Name: "g"}}}
		w.put(low)
		for id := range w.nodes {
			for i := range 40 {
				byNode[id] = append(byNode[id], &n.Allocation{
					ID: n.AllocID(fmt.Sprintf("%s-%d", id, i)), Namespace: "default", JobID: "low", TaskGroup: "g", NodeID: id, CreateIndex: 1,
					AllocatedResources: &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{"t": {Cpu: n.AllocatedCPU{CpuShares: 100}, Memory: n.AllocatedMemory{MemoryMB: 100}}}},
				})
			}
		}
		for name, priority := range map[string]int{"found": 70, "in vain": 25} {
			b.Run(fmt.Sprintf("%s in %d", name, size), func(b *testing.B) {
				job := randomJob(rand.New(rand.NewPCG(1, 1)), "job")
				job.Type, job.Priority, job.Constraints = n.JobTypeService, priority, nil
				job.TaskGroups[0].Count, job.TaskGroups[0].Networks = 1, nil
				job.TaskGroups[0].Tasks[0].Resources.CPU = 900
				w.put(job)
				e := &n.Evaluation{ID: "e", Namespace: "default", JobID: "job", Type: n.JobTypeService, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}
				for i := 0; b.Loop(); i++ {
					d, err := scheduler.Process(view, e, scheduler.Options{Now: w.now, Seed: uint64(i)})
					if err != nil || (len(d.Eval.FailedTGAllocs) == 0) != (priority == 70) {
						b.Fatal(d, err)
					}
				}
			})
		}
	}
}

// crowded is a world that knows what is on a node without looking for it.
type crowded struct {
	*world
	byNode map[n.NodeID][]*n.Allocation
}

func (c *crowded) NodeAllAllocs(_ table.WatchSet, id n.NodeID) iter.Seq[*n.Allocation] {
	return slices.Values(c.byNode[id])
}
