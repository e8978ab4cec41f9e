package server

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/planner"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/server/worker"
	"github.com/nomadlike/nomadlike/scheduler"
)

// cluster is the leader's loops over a log in memory, with clients that do as
// they are told.
type cluster struct {
	*testing.T
	s *Server
	l *leadership

	mu    sync.Mutex
	index uint64
}

// Apply commits an entry.
func (c *cluster) Apply(_ context.Context, entry []byte) (any, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index++
	v, err := c.s.store.Apply(c.index, entry)
	return v, c.index, err
}

func commitIn[C any](c *cluster, e raftlog.Encoder[C], command *C) {
	c.Helper()
	b, err := e.Encode(command)
	if err == nil {
		_, _, err = c.Apply(context.Background(), b)
	}
	if err != nil {
		c.Fatal(err)
	}
}

// lead runs a cluster's loops in a bubble.
func lead(t *testing.T, fn func(c *cluster)) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{T: t, index: 10, s: &Server{Config: Config{Logger: hclog.NewNullLogger()}, store: state.New()}}
		c.l = newLeadership(c.s)
		c.l.planner = planner.New(c.s.store, c, scheduler.Fits)
		c.s.store.Subscribe(c.l.changed)
		c.l.broker.SetEnabled(true)
		c.l.blocked.SetEnabled(true)
		deps := c.l.workerDeps()
		deps.Store = func(ctx context.Context, evals []*n.Evaluation) error {
			commitIn(c, state.UpsertEvals, &state.EvalUpsert{Evals: evals, Now: now()})
			return nil
		}
		ctx, cancel := context.WithCancel(context.Background())
		var loops sync.WaitGroup
		for range 2 {
			loops.Go(func() { _ = worker.Run(ctx, deps) })
		}
		loops.Go(func() { _ = c.l.planner.Run(ctx) })
		defer loops.Wait()
		defer cancel()
		fn(c)
	})
}

func (c *cluster) settle() {
	time.Sleep(5 * time.Second)
	synctest.Wait()
}

func (c *cluster) node(id n.NodeID, mhz int64) {
	c.Helper()
	node := &n.Node{
		ID: id, Name: string(id), Datacenter: "dc1", NodePool: n.DefaultNodePool, Status: n.NodeReady, SchedulingEligibility: n.NodeEligible,
		Attributes: map[string]string{"kernel.name": "linux", "driver.mock_driver": "1"}, ComputedClass: "class",
		Drivers:       map[string]*n.DriverInfo{"mock_driver": {Detected: true, Healthy: true}},
		NodeResources: n.NodeResources{Cpu: n.NodeCPU{CpuShares: mhz}, Memory: n.NodeMemory{MemoryMB: 10000}, Disk: n.NodeDisk{DiskMB: 10000}},
	}
	commitIn(c, state.RegisterNode, &state.NodeRegister{Node: node, SecretID: "secret-" + string(id), Now: now()})
	commitIn(c, state.SetNodeStatus, &state.NodeStatus{NodeID: id, Status: n.NodeReady, Now: now()})
}

// wanted is a job of one group.
func (c *cluster) wanted(id n.JobID, typ string, priority, count, mhz int) *n.Job {
	c.Helper()
	file, err := jobspec.Parse("job.hcl", fmt.Appendf(nil, `
job %q {
  type     = %q
  priority = %d
  group "g" {
    count = %d
    task "t" {
      driver = "mock_driver"
      config {
        run_for = "1h"
      }
      resources {
        cpu    = %d
        memory = 10
      }
    }
  }
}
`, id, typ, priority, count, mhz), jobspec.Options{Strict: true})
	if err != nil {
		c.Fatal(err)
	}
	if _, err := c.s.admit(c.s.store.Read(), &n.WriteOptions{}, file.Job); err != nil {
		c.Fatal(err)
	}
	return file.Job
}

// run registers a job of one group and waits for what follows.
func (c *cluster) run(id n.JobID, typ string, priority, count, mhz int) {
	c.Helper()
	job := c.wanted(id, typ, priority, count, mhz)
	e := jobEval(job, n.TriggerJobRegister, 0)
	commitIn(c, state.RegisterJob, &state.JobRegister{Job: job, Eval: e, Now: now()})
	c.settle()
}

// clients has all allocations run that are to, and end that are not to.
func (c *cluster) clients() {
	c.Helper()
	updates := map[n.NodeID][]n.AllocUpdate{}
	for a := range c.s.store.Read().AllAllocs(nil, "") {
		switch {
		case a.ClientStatus.Terminal():
		case a.ServerTerminal():
			updates[a.NodeID] = append(updates[a.NodeID], n.AllocUpdate{ID: a.ID, ClientStatus: n.ClientComplete})
		case a.ClientStatus == n.ClientPending:
			updates[a.NodeID] = append(updates[a.NodeID], n.AllocUpdate{ID: a.ID, ClientStatus: n.ClientRunning})
		}
	}
	for node, list := range updates {
		commitIn(c, state.UpdateAllocs, &state.AllocUpdate{NodeID: node, Updates: list, Now: now(), Seed: newSeed()})
	}
	c.settle()
}

// allocs lists a job's allocations that are, or are not, to run.
func (c *cluster) allocs(id n.JobID, run bool) (out []*n.Allocation) {
	for a := range c.s.store.Read().JobAllocs(nil, n.JobKey{Namespace: n.DefaultNamespace, ID: id}) {
		if (a.DesiredStatus == n.DesiredRun) == run {
			out = append(out, a)
		}
	}
	return out
}

// evals counts a job's evaluations by trigger and status.
func (c *cluster) evals(id n.JobID) map[string]int {
	out := map[string]int{}
	for e := range c.s.store.Read().JobEvals(nil, n.JobKey{Namespace: n.DefaultNamespace, ID: id}) {
		out[e.TriggeredBy+" "+string(e.Status)]++
	}
	return out
}

func (c *cluster) allow(p n.PreemptionConfig) {
	c.Helper()
	commitIn(c, state.SetSchedulerConfig, &state.SchedulerConfig{Config: &n.SchedulerConfiguration{SchedulerAlgorithm: n.AlgorithmBinpack, PreemptionConfig: p}})
}

// TestPreemption follows a job whose place a more important one takes, until it
// has it back.
func TestPreemption(t *testing.T) {
	lead(t, func(c *cluster) {
		c.allow(n.PreemptionConfig{ServiceSchedulerEnabled: true})
		c.node("n1", 1000)
		c.run("low", n.JobTypeBatch, 20, 2, 500)
		c.clients()
		before := c.allocs("low", true)
		if len(before) != 2 {
			t.Fatalf("%d allocations run", len(before))
		}

		c.run("high", n.JobTypeService, 70, 1, 500)
		high, left := c.allocs("high", true), c.allocs("low", false)
		if len(high) != 1 || len(left) != 1 || len(c.allocs("low", true)) != 1 {
			t.Fatalf("%d of the one, %d of the other have left", len(high), len(left))
		}
		v := left[0]
		if v.DesiredStatus != n.DesiredEvict || v.PreemptedByAllocation != high[0].ID || v.DesiredDescription != "Preempted by alloc ID "+string(high[0].ID) {
			t.Errorf("it leaves as %s by %s: %s", v.DesiredStatus, v.PreemptedByAllocation, v.DesiredDescription)
		}
		if p := high[0].PreemptedAllocations; len(p) != 1 || p[0] != v.ID {
			t.Errorf("it knows to have displaced %v", p)
		}
		if v.AllocModifyIndex != high[0].AllocModifyIndex {
			t.Errorf("one leaves at %d and the other comes at %d", v.AllocModifyIndex, high[0].AllocModifyIndex)
		}
		if e := c.evals("low"); e["preemption complete"] != 1 || e["queued-allocs blocked"] != 1 {
			t.Errorf("evaluations of who was displaced: %v", e)
		}

		// Its end is room, but not for itself.
		c.clients()
		if e := c.evals("low"); e["queued-allocs blocked"] != 1 || len(c.allocs("low", true)) != 1 {
			t.Errorf("after its end: %v", e)
		}
		commitIn(c, state.DeregisterJob, &state.JobDeregister{Key: high[0].JobKey(), Eval: jobEval(c.job("high"), n.TriggerJobDeregister, 0), Now: now()})
		c.settle()
		c.clients()
		if e := c.evals("low"); len(c.allocs("low", true)) != 2 || e["queued-allocs blocked"] != 0 {
			t.Errorf("when there is room again, %d run: %v", len(c.allocs("low", true)), e)
		}
	})
}

func (c *cluster) job(id n.JobID) *n.Job {
	return c.s.store.Read().Job(n.JobKey{Namespace: n.DefaultNamespace, ID: id})
}

// TestSystemPreempts is how a cluster begins: system jobs may, and no others.
func TestSystemPreempts(t *testing.T) {
	lead(t, func(c *cluster) {
		c.node("n1", 1000)
		c.node("n2", 1000)
		c.run("low", n.JobTypeService, 20, 4, 450)
		c.run("high", n.JobTypeService, 80, 1, 450)
		if got := len(c.allocs("high", true)); got != 0 {
			t.Errorf("%d of a service run", got)
		}
		c.run("agent", n.JobTypeSystem, 90, 1, 300)
		if got, left := len(c.allocs("agent", true)), len(c.allocs("low", false)); got != 2 || left != 2 {
			t.Errorf("%d of the system job run, and %d have left for them", got, left)
		}
		if e := c.evals("low"); e["preemption complete"] != 1 {
			t.Errorf("one plan, several evaluations: %v", e)
		}
	})
}

// TestPlanShowsPreemption asks what would leave, and has nobody leave.
func TestPlanShowsPreemption(t *testing.T) {
	lead(t, func(c *cluster) {
		c.allow(n.PreemptionConfig{BatchSchedulerEnabled: true})
		c.node("n1", 1000)
		c.run("low", n.JobTypeService, 20, 1, 900)
		planned, err := c.s.jobPlan(t.Context(), &n.JobPlan{JobID: "high", Job: c.wanted("high", n.JobTypeBatch, 70, 1, 500)})
		if err != nil {
			t.Fatal(err)
		}
		a := planned.Annotations
		if len(a.PreemptedAllocs) != 1 || a.DesiredTGUpdates["g"].Preemptions != 1 {
			t.Fatalf("%d leave, %+v", len(a.PreemptedAllocs), a.DesiredTGUpdates["g"])
		}
		low := c.allocs("low", true)
		if p := a.PreemptedAllocs[0]; len(low) != 1 || p.ID != low[0].ID || p.JobID != "low" || p.TaskGroup != "g" || p.JobType != n.JobTypeService {
			t.Errorf("%+v leaves, of %d", p, len(low))
		}
	})
}
