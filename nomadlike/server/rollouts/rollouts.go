// Package rollouts owns the loop that watches deployments. It gathers what
// package rollout decides from, at each change and each deadline, and commits
// what was decided.
package rollouts

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/rollout"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// Deps is what the loop works with.
type Deps struct {
	Store *state.Store
	// Commit appends an encoded command to the log.
	Commit        func(ctx context.Context, entry []byte) (any, uint64, error)
	MayReschedule func(*n.Job, *n.Allocation) bool
	SameSpec      func(a, b *n.Job) bool
	Keep          int // versions of a job that are remembered; 0: the default
	Logger        hclog.Logger
}

// settle is how long changes are gathered before deployments are looked at, so
// that a burst of health reports makes one evaluation.
const settle = 50 * time.Millisecond

// Watcher watches deployments while Run runs.
type Watcher struct {
	Deps
	mu    sync.Mutex
	dirty map[n.DeploymentID]bool
	wake  chan struct{}
	due   map[n.DeploymentID]time.Time // next deadlines; owned by Run
}

// New makes a watcher; Changed must be called with every commit.
func New(d Deps) *Watcher {
	return &Watcher{Deps: d, dirty: map[n.DeploymentID]bool{}, wake: make(chan struct{}, 1)}
}

// Changed notes which deployments a commit concerns.
func (w *Watcher) Changed(c state.Commit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := false
	for _, ch := range c.Changes {
		switch v := ch.After.(type) {
		case *n.Deployment:
			w.dirty[v.ID], found = true, true
		case *n.Allocation:
			if before, _ := ch.Before.(*n.Allocation); v.DeploymentID != "" && healthChanged(before, v) {
				w.dirty[v.DeploymentID], found = true, true
			}
		}
	}
	if found {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func healthChanged(before, after *n.Allocation) bool {
	return before == nil || !walk.Equal(before.DeploymentStatus, after.DeploymentStatus)
}

// Run watches all active deployments until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	w.due = map[n.DeploymentID]time.Time{}
	for d := range w.Store.Read().ActiveDeployments() {
		w.look(ctx, d.ID)
	}
	for {
		timer := time.NewTimer(w.untilDeadline())
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
			w.lookAtDue(ctx)
			continue
		case <-w.wake:
			timer.Stop()
		}
		pause := time.NewTimer(settle)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
		for _, id := range w.take() {
			w.look(ctx, id)
		}
	}
}

func (w *Watcher) take() []n.DeploymentID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []n.DeploymentID
	for id := range w.dirty {
		ids = append(ids, id)
	}
	clear(w.dirty)
	slices.Sort(ids)
	return ids
}

func (w *Watcher) untilDeadline() time.Duration {
	next := time.Hour
	for _, at := range w.due {
		next = min(next, time.Until(at))
	}
	return max(next, 0)
}

func (w *Watcher) lookAtDue(ctx context.Context) {
	for id, at := range w.due {
		if !at.After(time.Now()) {
			w.look(ctx, id)
		}
	}
}

// look decides about one deployment and acts.
func (w *Watcher) look(ctx context.Context, id n.DeploymentID) {
	delete(w.due, id)
	view := w.Store.Read()
	d := view.Deployment(nil, id)
	if d == nil || !d.Status.Active() {
		return
	}
	job := view.Job(d.JobKey())
	if job == nil || job.CreateIndex != d.JobCreateIndex {
		return
	}
	in := Gather(view, d, job, w.Deps)
	dec := rollout.Decide(in, time.Now())
	if dec.Wake != nil {
		w.due[id] = *dec.Wake
	}
	if err := w.act(ctx, in, dec); err != nil && ctx.Err() == nil {
		w.Logger.Error("deployment could not be changed, to be tried again", "deployment_id", id, "error", err)
		w.due[id] = time.Now().Add(5 * time.Second)
	}
}

// Gather collects what rollout decides from.
func Gather(view *state.View, d *n.Deployment, job *n.Job, deps Deps) rollout.Input {
	in := rollout.Input{Deployment: d, Job: job, SameSpec: deps.SameSpec}
	in.MayReschedule = func(a *n.Allocation) bool { return deps.MayReschedule(job, a) }
	in.Allocs = slices.Collect(view.DeploymentAllocs(nil, d.ID))
	for v := range view.JobVersions(nil, d.JobKey()) {
		if v.Stable && v.Version != d.JobVersion {
			in.Stable = v // the newest comes last
		}
	}
	for e := range view.JobEvals(nil, d.JobKey()) {
		in.LastEval = max(in.LastEval, e.CreateIndex)
	}
	return in
}

func (w *Watcher) act(ctx context.Context, in rollout.Input, dec rollout.Decision) error {
	if !dec.Evaluate && dec.Update == nil && !dec.Promote {
		return nil
	}
	w.Logger.Debug("deployment", "deployment_id", in.Deployment.ID, "why", dec.Why)
	eval, now := Eval(in.Deployment, in.Job), time.Now().UnixNano()
	switch {
	case dec.Promote:
		return commit(ctx, w.Deps, state.PromoteDeployment, &state.DeploymentPromote{DeploymentID: in.Deployment.ID, Eval: eval, Now: now})
	case dec.Update != nil:
		return commit(ctx, w.Deps, state.ChangeDeployment, &state.DeploymentChange{Update: *dec.Update, Eval: eval, Job: Rollback(dec.Rollback), Keep: w.Keep, Now: now})
	case len(dec.Reschedule) > 0:
		yes := true
		return commit(ctx, w.Deps, state.TransitionAllocs, &state.AllocTransition{Allocs: dec.Reschedule, Transition: n.DesiredTransition{Reschedule: &yes}, Evals: []*n.Evaluation{eval}, Now: now})
	}
	return commit(ctx, w.Deps, state.UpsertEvals, &state.EvalUpsert{Evals: []*n.Evaluation{eval}, Now: now})
}

func commit[C any](ctx context.Context, d Deps, e raftlog.Encoder[C], c *C) error {
	b, err := e.Encode(c)
	if err != nil {
		return err
	}
	_, _, err = d.Commit(ctx, b)
	return err
}

// Eval is the evaluation that puts a change of a deployment into effect.
func Eval(d *n.Deployment, job *n.Job) *n.Evaluation {
	return &n.Evaluation{
		ID: n.EvalID(uuid.NewString()), Namespace: d.Namespace, JobID: d.JobID, DeploymentID: d.ID, Type: job.Type,
		Priority: max(job.Priority, d.EvalPriority), JobModifyIndex: job.JobModifyIndex, TriggeredBy: n.TriggerDeployment, Status: n.EvalPending,
	}
}

// Rollback makes of an old version the job to be registered anew.
func Rollback(v *n.Job) *n.Job {
	if v == nil {
		return nil
	}
	job := walk.Clone(v)
	job.VersionTag, job.Stable = nil, false
	return job
}
