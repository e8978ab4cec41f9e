// Package planner owns the one place where plans become allocations: a queue of
// plans, and a loop that checks each against the newest state, drops only what
// no longer fits, and commits the rest as one entry of the log.
package planner

import (
	"context"
	"slices"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// A Log commits entries.
type Log interface {
	Apply(ctx context.Context, entry []byte) (value any, index uint64, err error)
}

// Fit says whether allocations that are not terminal fit on a node together, and
// if not, what there is too little of.
type Fit func(node *n.Node, allocs []*n.Allocation) (ok bool, lacking string)

// Planner checks and commits plans. Run must be running for Submit to return.
type Planner struct {
	store *state.Store
	log   Log
	fit   Fit

	mu    sync.Mutex
	queue planQueue
	wake  chan struct{} // holds one token while the queue is not empty
}

// New makes a planner.
func New(store *state.Store, log Log, fit Fit) *Planner {
	return &Planner{store: store, log: log, fit: fit, wake: make(chan struct{}, 1)}
}

// A Submission is a plan, and what is to be stored with it.
type Submission struct {
	Plan *n.Plan
	// Evals are stored in the same entry if, and only if, all of the plan was
	// accepted.
	Evals []*n.Evaluation
	// Held is asked, before anything is committed, whether the worker still
	// holds the evaluation.
	Held func() error
}

type pending struct {
	Submission
	ctx  context.Context
	done chan outcome
	seq  uint64
}

type outcome struct {
	result *n.PlanResult
	err    error
}

// Submit waits until the plan was checked and committed. A result with a
// RefreshIndex says that part of it was dropped.
func (p *Planner) Submit(ctx context.Context, s Submission) (*n.PlanResult, error) {
	item := &pending{Submission: s, ctx: ctx, done: make(chan outcome, 1)}
	p.mu.Lock()
	p.queue.push(item)
	p.mu.Unlock()
	p.poke()
	select {
	case o := <-item.done:
		return o.result, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *Planner) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run checks and commits plans until ctx ends, then refuses those that wait.
func (p *Planner) Run(ctx context.Context) error {
	defer p.refuse()
	for {
		select {
		case <-p.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		for item := p.next(); item != nil; item = p.next() {
			result, err := p.apply(ctx, item)
			item.done <- outcome{result, err}
		}
	}
}

func (p *Planner) next() *pending {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.pop()
}

func (p *Planner) refuse() {
	for item := p.next(); item != nil; item = p.next() {
		item.done <- outcome{err: errs.New(errs.NotLeader, "this server no longer leads")}
	}
}

// Waiting counts the plans in the queue.
func (p *Planner) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue.items)
}

func (p *Planner) apply(ctx context.Context, item *pending) (*n.PlanResult, error) {
	if err := item.ctx.Err(); err != nil {
		return nil, err // the worker has given up
	}
	if item.Held != nil {
		if err := item.Held(); err != nil {
			return nil, err
		}
	}
	view := p.store.Read()
	result := Check(view, item.Plan, p.fit)
	c := command(view, item, result)
	if c == nil {
		return result, nil
	}
	entry, err := state.ApplyPlan.Encode(c)
	if err != nil {
		return nil, err
	}
	_, index, err := p.log.Apply(ctx, entry)
	if err != nil {
		return nil, err
	}
	result.AllocIndex = index
	if result.RefreshIndex != 0 {
		result.RefreshIndex = max(result.RefreshIndex, index)
	}
	return result, nil
}

// command makes the log's entry of what was accepted, or nil when that is
// nothing.
func command(view Jobs, item *pending, r *n.PlanResult) *state.PlanApply {
	c := &state.PlanApply{
		EvalID: item.Plan.EvalID, Deployment: r.Deployment, DeploymentUpdates: r.DeploymentUpdates, Now: time.Now().UnixNano(),
	}
	for _, id := range sortedNodes(r.NodeUpdate) {
		for _, a := range r.NodeUpdate[id] {
			c.Stops = append(c.Stops, stopped(a))
		}
	}
	evicted, evals := preempted(view, item.Plan, r)
	c.Stops = append(c.Stops, evicted...)
	var places []*n.Allocation
	for _, id := range sortedNodes(r.NodeAllocation) {
		places = append(places, r.NodeAllocation[id]...)
	}
	if r.RefreshIndex == 0 {
		c.Evals = item.Evals
	}
	if len(c.Stops)+len(places)+len(c.Evals)+len(c.DeploymentUpdates) == 0 && c.Deployment == nil {
		return nil
	}
	c.Evals = append(slices.Clip(c.Evals), evals...)
	c.Place(places)
	return c
}

func stopped(a *n.Allocation) state.StoppedAlloc {
	s := state.StoppedAlloc{
		ID: a.ID, DesiredStatus: a.DesiredStatus, DesiredDescription: a.DesiredDescription, FollowupEvalID: a.FollowupEvalID,
		PreemptedByAllocation: a.PreemptedByAllocation, RescheduleTracker: a.RescheduleTracker,
	}
	if a.ClientStatus == n.ClientLost || a.ClientStatus == n.ClientUnknown {
		s.ClientStatus = a.ClientStatus
	}
	return s
}
