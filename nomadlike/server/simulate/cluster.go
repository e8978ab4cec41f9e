// Package simulate is a cluster without machines: the state store in memory, the
// scheduler and the planner as servers have them, and clients that do at once what
// they are told. It answers what would run where, if.
//
// A Story is such a cluster's life, read from a file; a Report is what came of it.
package simulate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/planner"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	_ "github.com/nomadlike/nomadlike/scheduler/leastcost" // so that jobs can ask for it
)

// Options of a cluster.
type Options struct {
	Seed uint64 // of all that is left to chance
	// Schedule is scheduler.Process, unless another is to be tried.
	Schedule scheduler.Scheduler
}

// A Cluster is a state and what makes it change. It is for one goroutine. Close ends
// it.
type Cluster struct {
	options Options
	store   *state.Store
	planner *planner.Planner
	stop    func()

	index uint64
	now   time.Time
	seed  uint64
	// freed says that there may be room that was not there when evaluations blocked.
	freed bool
	tally tally
}

// tally counts what happened since it was last looked at.
type tally struct{ placed, stopped, lost int }

// begins is when clusters begin, so that equal stories are told equally.
var begins = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// New returns a cluster without nodes.
func New(o Options) *Cluster {
	if o.Schedule == nil {
		o.Schedule = scheduler.Process
	}
	c := &Cluster{options: o, store: state.New(), index: 10, now: begins, seed: o.Seed * 1_000_003}
	c.planner = planner.New(c.store, c, scheduler.Fits)
	c.store.Subscribe(c.count)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = c.planner.Run(ctx) }) // it ends with ctx, and says so
	c.stop = func() { cancel(); done.Wait() }
	return c
}

// Close ends the cluster.
func (c *Cluster) Close() { c.stop() }

// View is the state as it is now.
func (c *Cluster) View() *state.View { return c.store.Read() }

// Now is the cluster's time.
func (c *Cluster) Now() time.Time { return c.now }

// Wait lets time pass.
func (c *Cluster) Wait(d time.Duration) { c.now = c.now.Add(d) }

// Apply carries out an entry of the log; see planner.Log.
func (c *Cluster) Apply(_ context.Context, entry []byte) (any, uint64, error) {
	c.index++
	v, err := c.store.Apply(c.index, entry)
	return v, c.index, err
}

// commit carries out a command.
func commit[C any](c *Cluster, e raftlog.Encoder[C], command *C) error {
	entry, err := e.Encode(command)
	if err != nil {
		return err
	}
	_, _, err = c.Apply(context.Background(), entry)
	return err
}

// count follows what becomes of allocations.
func (c *Cluster) count(commit state.Commit) {
	for _, change := range commit.Changes {
		after, ok := change.After.(*n.Allocation)
		if !ok {
			continue
		}
		before, _ := change.Before.(*n.Allocation)
		if before == nil {
			c.tally.placed++
			continue
		}
		if after.ClientStatus.Terminal() && !before.ClientStatus.Terminal() {
			c.freed = true
		}
		switch {
		case after.ClientStatus == n.ClientLost && before.ClientStatus != n.ClientLost:
			c.tally.lost++
		case after.ServerTerminal() && !before.ServerTerminal():
			c.tally.stopped++
		}
	}
}

// ids of things that are made by name are the same in every run.
func idOf(kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(kind+"\x00"+name)).String()
}

// NodeID is the ID of a node that is added by name.
func NodeID(name string) n.NodeID { return n.NodeID(idOf("node", name)) }

// AddNode makes a node known and ready. Its ID follows from its name if it has none.
func (c *Cluster) AddNode(node *n.Node) error {
	if node.ID == "" {
		node.ID = NodeID(node.Name)
	}
	node.ComputedClass = feasible.ComputeClass(node)
	if err := commit(c, state.RegisterNode, &state.NodeRegister{Node: node, SecretID: string(node.ID), Now: c.now.UnixNano(), Seed: c.chance()}); err != nil {
		return err
	}
	return c.NodeStatus(node.ID, n.NodeReady)
}

// NodeStatus says what becomes of a node.
func (c *Cluster) NodeStatus(id n.NodeID, s n.NodeStatus) error {
	c.freed = c.freed || s == n.NodeReady
	return commit(c, state.SetNodeStatus, &state.NodeStatus{NodeID: id, Status: s, Now: c.now.UnixNano(), Seed: c.chance()})
}

// NodeEligibility says whether a node takes new allocations.
func (c *Cluster) NodeEligibility(id n.NodeID, eligible bool) error {
	to := n.NodeIneligible
	if eligible {
		to, c.freed = n.NodeEligible, true
	}
	return commit(c, state.SetNodeEligibility, &state.NodeEligibility{NodeID: id, Eligibility: to, Now: c.now.UnixNano(), Seed: c.chance()})
}

// Configure replaces what operators have decided of scheduling.
func (c *Cluster) Configure(config n.SchedulerConfiguration) error {
	return commit(c, state.SetSchedulerConfig, &state.SchedulerConfig{Config: &config})
}

// Register makes an admitted job known, with the evaluation that puts it into effect.
func (c *Cluster) Register(job *n.Job) error {
	return commit(c, state.RegisterJob, &state.JobRegister{Job: job, Eval: c.Eval(job, n.TriggerJobRegister), Now: c.now.UnixNano()})
}

// Deregister stops a job.
func (c *Cluster) Deregister(key n.JobKey) error {
	job := c.View().Job(key)
	if job == nil {
		return fmt.Errorf("there is no job %q", key.ID)
	}
	return commit(c, state.DeregisterJob, &state.JobDeregister{Key: key, Eval: c.Eval(job, n.TriggerJobDeregister), Now: c.now.UnixNano()})
}

// Eval is a new evaluation of a job.
func (c *Cluster) Eval(job *n.Job, trigger string) *n.Evaluation {
	return &n.Evaluation{
		ID: n.EvalID(idOf("eval", fmt.Sprint(c.chance()))), Namespace: job.Namespace, JobID: job.ID, Type: job.Type, Priority: job.Priority,
		TriggeredBy: trigger, JobModifyIndex: job.JobModifyIndex, Status: n.EvalPending, AnnotatePlan: true,
	}
}

// Observe has clients tell what became of allocations.
func (c *Cluster) Observe(node n.NodeID, updates ...n.AllocUpdate) error {
	return commit(c, state.UpdateAllocs, &state.AllocUpdate{NodeID: node, Updates: updates, Now: c.now.UnixNano(), Seed: c.chance()})
}

// chance is another number each time, and the same ones in each run.
func (c *Cluster) chance() uint64 {
	c.seed++
	return c.seed
}

// attempts is how often an evaluation is tried while the planner refuses.
const attempts = 5

// Evaluate decides about an evaluation and has the decision take effect, as far as
// the planner accepts it.
func (c *Cluster) Evaluate(e *n.Evaluation) (*scheduler.Decision, error) {
	for range attempts {
		d, err := c.options.Schedule(c.View(), e, scheduler.Options{Now: c.now, Seed: c.chance()})
		if err != nil {
			return nil, err
		}
		evals := append([]*n.Evaluation{d.Eval}, d.NewEvals...)
		if d.Plan == nil || d.Plan.NoOp() {
			return d, commit(c, state.UpsertEvals, &state.EvalUpsert{Evals: evals, Now: c.now.UnixNano()})
		}
		result, err := c.planner.Submit(context.Background(), planner.Submission{Plan: d.Plan, Evals: evals})
		if err != nil {
			return nil, err
		}
		if result.RefreshIndex == 0 {
			return d, nil
		}
	}
	return nil, fmt.Errorf("evaluation of job %q: maximum attempts reached (%d)", e.JobID, attempts)
}

// waiting lists the evaluations in a status, in the order in which they are handled.
func (c *Cluster) waiting(s n.EvalStatus) []*n.Evaluation {
	return slices.SortedFunc(c.View().EvalsInStatus(s), func(a, b *n.Evaluation) int {
		return cmp.Or(
			cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.CreateIndex, b.CreateIndex),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.JobID, b.JobID), cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.ID, b.ID))
	})
}
