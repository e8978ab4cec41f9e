package scheduler_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/schedulertest"
)

// randomJob asks for a little of everything.
func randomJob(r *rand.Rand, id string) *n.Job { return schedulertest.RandomJob(r, id, n.JobTypes...) }

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
