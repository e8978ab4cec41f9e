package schedulertest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/simulate"
	"github.com/nomadlike/nomadlike/scheduler"
)

// anyCluster has jobs come and change and nodes come and go, in an order that a seed
// decides.
func anyCluster(t *testing.T, x *suite, seed uint64) {
	r := x.rand
	config := n.SchedulerConfiguration{SchedulerAlgorithm: []string{n.AlgorithmSpread, n.AlgorithmBinpack, n.AlgorithmBinpack}[seed%3]}
	may := &config.PreemptionConfig
	for _, on := range []*bool{&may.ServiceSchedulerEnabled, &may.BatchSchedulerEnabled, &may.SystemSchedulerEnabled, &may.SysBatchSchedulerEnabled} {
		*on = seed%2 == 0 && r.IntN(2) == 0
	}
	must(t, x.Configure(config))
	for i := range 1 + r.IntN(6) {
		node := node(i+1, 1000+r.Int64N(3000), 1000+r.Int64N(8000))
		node.NodeClass = []string{"a", "b"}[r.IntN(2)]
		x.addNodes(t, node)
	}
	for range 25 {
		k := key(fmt.Sprintf("job%d", r.IntN(4)))
		x.happen(t, k)
		if x.View().Job(k) == nil {
			continue
		}
		d := x.evaluate(t, k)
		x.sound(t)
		x.counted(t, k, d)
		x.evicted(t, k, d)
		again := x.evaluate(t, k)
		if p := again.Plan; p != nil && (len(p.NodeUpdate) > 0 || len(p.NodeAllocation) > 0) && x.settled(k) {
			t.Errorf("to decide again about %s changes something: %s", k.ID, told(t, again))
		}
		if t.Failed() {
			return
		}
	}
}

// evicted checks that nobody leaves but for a job that may have it so, and is more
// important by ten.
func (x *suite) evicted(t *testing.T, k n.JobKey, d *scheduler.Decision) {
	t.Helper()
	if d.Plan == nil {
		return
	}
	job, v := x.View().Job(k), x.View()
	for _, list := range d.Plan.NodePreemptions {
		for _, a := range list {
			if victim := v.JobVersion(a.JobKey(), a.JobVersion); victim != nil && victim.Priority > job.Priority-10 {
				t.Errorf("%s, of priority %d, leaves for %s, of priority %d", a.Name, victim.Priority, k.ID, job.Priority)
			}
			if !v.SchedulerConfig().PreemptionConfig.Enabled(job.Type) {
				t.Errorf("%s leaves for %s, and jobs of type %s must not have it so", a.Name, k.ID, job.Type)
			}
		}
	}
}

// happen is one thing that happens.
func (x *suite) happen(t *testing.T, k n.JobKey) {
	r := x.rand
	switch r.IntN(6) {
	case 0, 1, 2:
		job := RandomJob(r, string(k.ID), x.types...)
		if old := x.View().Job(k); old != nil {
			job.Type = old.Type
		}
		must(t, x.Register(job))
	case 3:
		must(t, x.NodeStatus(x.nodes[r.IntN(len(x.nodes))], []n.NodeStatus{n.NodeReady, n.NodeDown}[r.IntN(2)]))
	case 4:
		for _, id := range x.nodes {
			for _, a := range x.View().NodeAllocs(id) {
				if r.IntN(4) > 0 {
					continue
				}
				status := []n.ClientStatus{n.ClientRunning, n.ClientFailed, n.ClientComplete}[r.IntN(3)]
				must(t, x.Observe(id, n.AllocUpdate{ID: a.ID, ClientStatus: status, TaskStates: x.states(status)}))
			}
		}
	case 5:
		x.Wait(time.Minute)
	}
}

// states are those of a task whose allocation has a status.
func (x *suite) states(s n.ClientStatus) map[string]*n.TaskState {
	if s == n.ClientRunning {
		return map[string]*n.TaskState{"t": {State: n.TaskRunning}}
	}
	at := x.Now()
	return map[string]*n.TaskState{"t": {State: n.TaskDead, Failed: s == n.ClientFailed, FinishedAt: &at}}
}

// countsReached asks for at most what equal nodes hold in any order of filling them.
func countsReached(t *testing.T, x *suite, _ uint64) {
	r, size := x.rand, 1+x.rand.IntN(10)
	for i := range size {
		x.addNodes(t, node(i+1, 2000, 4000))
	}
	typ := x.types[r.IntN(len(x.types))]
	each := 1 + r.IntN(5) // that a node holds
	job := PlainJob("job", typ, 1+r.IntN(size*each), 2000/each, 4000/each)
	switch r.IntN(3) {
	case 0:
		job.Constraints = []n.Constraint{{Operand: n.OpDistinctHosts, RTarget: "true"}}
		job.TaskGroups[0].Count = min(job.TaskGroups[0].Count, size)
	case 1:
		job.TaskGroups[0].Networks = []n.Network{{ReservedPorts: []n.Port{{Label: "http", Value: 8080}}}}
		job.TaskGroups[0].Count = min(job.TaskGroups[0].Count, size)
	}
	want := job.TaskGroups[0].Count
	if job.RunsEverywhere() {
		job.TaskGroups[0].Count, want = 1, size
	}
	must(t, x.Register(job))
	must(t, x.Settle())
	if have := len(x.live(job.Key())); have != want {
		t.Errorf("a %s job has %d of %d on %d nodes that hold %d each", typ, have, want, size, each)
	}
	x.sound(t)
}

// lostReplaced takes nodes away while there is room on others.
func lostReplaced(t *testing.T, x *suite, _ uint64) {
	for i := range 4 {
		x.addNodes(t, node(i+1, 2000, 4000))
	}
	for i, typ := range x.types {
		must(t, x.Register(PlainJob(fmt.Sprint("job", i), typ, 3, 100, 100)))
	}
	must(t, x.Settle())
	down := x.nodes[x.rand.IntN(len(x.nodes))]
	must(t, x.NodeStatus(down, n.NodeDown))
	must(t, x.Settle())
	for i, typ := range x.types {
		if typ == n.JobTypeSysBatch {
			continue // the end of a node is no reason to look at it
		}
		list := x.live(key(fmt.Sprint("job", i)))
		if len(list) != 3 {
			t.Errorf("%d of 3 allocations of a %s job run after a node was lost", len(list), typ)
		}
		if slices.ContainsFunc(list, func(a *n.Allocation) bool { return a.NodeID == down }) {
			t.Errorf("a %s job is still on a node that is down", typ)
		}
	}
}

// stoppedEnds stops jobs.
func stoppedEnds(t *testing.T, x *suite, _ uint64) {
	for i := range 1 + x.rand.IntN(4) {
		x.addNodes(t, node(i+1, 4000, 4000))
	}
	for i, typ := range x.types {
		k := key(fmt.Sprint("job", i))
		must(t, x.Register(RandomJob(x.rand, string(k.ID), typ)))
		must(t, x.Settle())
		must(t, x.Deregister(k))
		must(t, x.Settle())
		if left := x.live(k); len(left) > 0 {
			t.Errorf("%d allocations of a stopped %s job still run", len(left), typ)
		}
	}
}

// populate makes a cluster in which a job is to be decided about. Only the order of its
// nodes is left to shuffle.
func (x *suite) populate(t *testing.T, shuffle func(int, func(i, j int))) n.JobKey {
	r := x.rand
	nodes := make([]*n.Node, 3+r.IntN(12))
	for i := range nodes {
		nodes[i] = node(i+1, 1000+r.Int64N(3)*1500, 1000+r.Int64N(3)*4000)
		nodes[i].Datacenter, nodes[i].NodeClass = []string{"dc1", "dc2", "dc3"}[r.IntN(3)], []string{"a", "b"}[r.IntN(2)]
		nodes[i].Meta["rack"] = fmt.Sprint(r.IntN(4))
	}
	shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	x.addNodes(t, nodes...)
	must(t, x.Register(RandomJob(r, "other", x.types...)))
	must(t, x.Settle())
	job := RandomJob(r, "job", x.types...)
	if !job.RunsEverywhere() {
		job.Spreads = []n.Spread{
			{Attribute: "${node.datacenter}", Weight: 60, SpreadTarget: []n.SpreadTarget{{Value: "dc1", Percent: 70}, {Value: "dc2"}}},
			{Attribute: "${meta.rack}", Weight: 40},
		}
	}
	must(t, x.Register(job))
	return job.Key()
}

// seedDecides decides twice alike.
func seedDecides(t *testing.T, x *suite, seed uint64) {
	k := x.populate(t, func(int, func(i, j int)) {})
	if a, b := x.decide(t, k, seed), x.decide(t, k, seed); a != b {
		t.Errorf("two decisions with one seed differ:\n%s\n%s", a, b)
	}
}

// orderOfNodes has nodes come in another order.
func orderOfNodes(t *testing.T, x *suite, seed uint64) {
	k := x.populate(t, func(int, func(i, j int)) {})
	must(t, x.Settle())
	y := other(t, x, seed)
	y.populate(t, y.shuffle(seed))
	must(t, y.Settle())
	if a, b := x.where(k), y.where(k); !slices.Equal(a, b) {
		t.Errorf("the order in which nodes came makes a difference:\n%s\n%s", a, b)
	}
}

// manyAtOnce decides in several goroutines, and compares the state with what it was.
func manyAtOnce(t *testing.T, x *suite, seed uint64) {
	k := x.populate(t, func(int, func(i, j int)) {})
	before := x.all(t)
	decisions := make([]string, 4)
	var group sync.WaitGroup
	for i := range decisions {
		group.Go(func() { decisions[i] = x.decide(t, k, seed) })
	}
	group.Wait()
	if len(slices.Compact(decisions)) > 1 {
		t.Error("decisions that are made at once differ")
	}
	if x.all(t) != before {
		t.Error("a decision has changed what the view returns")
	}
}

// all is the whole state.
func (x *suite) all(t *testing.T) string {
	v := x.View()
	b, err := json.Marshal([]any{
		slices.Collect(v.AllNodes(nil, "")), slices.Collect(v.AllAllocs(nil, "")), slices.Collect(v.Jobs(nil, n.AllNamespaces, "")),
		slices.Collect(v.Deployments(nil, "")), slices.Collect(v.Evals(nil, "")),
	})
	must(t, err)
	return string(b)
}

// other is a cluster with the same chances as one of this seed.
func other(t *testing.T, x *suite, seed uint64) *suite {
	y := &suite{schedule: x.schedule, types: x.types, rand: rand.New(rand.NewPCG(seed, 1))}
	y.Cluster = simulate.New(simulate.Options{Seed: seed, Schedule: x.schedule})
	t.Cleanup(y.Close)
	return y
}

// shuffle does so by chances of its own.
func (x *suite) shuffle(seed uint64) func(int, func(i, j int)) {
	return rand.New(rand.NewPCG(seed, 2)).Shuffle
}
