package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
)

// randomJob asks for a little of everything.
func randomJob(r *rand.Rand, id string) *n.Job {
	types := []string{n.JobTypeService, n.JobTypeBatch, n.JobTypeSystem, n.JobTypeSysBatch}
	job := &n.Job{
		ID: n.JobID(id), Name: id, Type: types[r.IntN(len(types))], Priority: 50, Datacenters: []string{"*"}, NodePool: "default",
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
// port is used twice, what is missing is explained, and to decide again changes
// nothing.
func TestAnyCluster(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld()
			w.seed = seed * 1000
			if seed%3 == 0 {
				w.config.SchedulerAlgorithm = "spread"
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
