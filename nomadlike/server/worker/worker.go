// Package worker owns the loop that takes evaluations from the broker, asks the
// scheduler what to do, and submits its plans. It decides nothing itself but
// when to try again.
package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/broker"
	"github.com/nomadlike/nomadlike/nomadlike/server/planner"
	"github.com/nomadlike/nomadlike/scheduler"
)

// Deps is what a worker works with.
type Deps struct {
	Broker *broker.Broker
	// View returns the newest state.
	View func() scheduler.View
	// Schedule is scheduler.Process with what the server wires into it.
	Schedule func(scheduler.View, *n.Evaluation, scheduler.Options) (*scheduler.Decision, error)
	Submit   func(context.Context, planner.Submission) (*n.PlanResult, error)
	// Store commits evaluations when there is no plan to commit them with.
	Store func(context.Context, []*n.Evaluation) error
	// Wait returns once the state has reached an index.
	Wait   func(ctx context.Context, index uint64) error
	Logger hclog.Logger
}

// Types are the evaluations that workers take.
var Types = []string{n.JobTypeService, n.JobTypeBatch, n.JobTypeSystem, n.JobTypeSysBatch}

// attempts is how often a scheduler may try while nothing of its plans is
// accepted.
var attempts = map[string]int{n.JobTypeService: 5, n.JobTypeBatch: 2, n.JobTypeSystem: 5, n.JobTypeSysBatch: 2}

// stateWait is how long a worker waits for state that is behind.
const stateWait = 5 * time.Second

// Run handles evaluations until ctx ends.
func Run(ctx context.Context, d Deps) error {
	for {
		del, err := d.Broker.Dequeue(ctx, Types...)
		if err != nil {
			return err
		}
		w := work{Deps: d, Delivery: del}
		if err := w.handle(ctx); err != nil && ctx.Err() == nil {
			d.Logger.Error("evaluation failed, to be tried again", "eval_id", del.Eval.ID, "job_id", del.Eval.JobID, "error", err)
			if err := d.Broker.Nack(del.Eval.ID, del.Token); err != nil {
				d.Logger.Debug("nack", "eval_id", del.Eval.ID, "error", err)
			}
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.Broker.Ack(del.Eval.ID, del.Token); err != nil {
			d.Logger.Warn("evaluation was handled after its time", "eval_id", del.Eval.ID, "error", err)
		}
	}
}

// work is one evaluation being handled.
type work struct {
	Deps
	*broker.Delivery
}

func (w *work) handle(ctx context.Context) error {
	waitCtx, cancel := context.WithTimeout(ctx, stateWait)
	err := w.Wait(waitCtx, w.WaitIndex)
	cancel()
	if err != nil {
		return fmt.Errorf("wait for state %d: %w", w.WaitIndex, err)
	}
	for left := attempts[w.Eval.Type]; ; left-- {
		if left == 0 {
			return w.giveUp(ctx)
		}
		result, err := w.attempt(ctx)
		if err != nil {
			return err
		}
		if result.RefreshIndex == 0 {
			return nil
		}
		if len(result.NodeAllocation)+len(result.NodeUpdate) > 0 {
			left = attempts[w.Eval.Type] + 1 // there was progress
		}
		if err := w.Wait(ctx, result.RefreshIndex); err != nil {
			return err
		}
	}
}

// attempt schedules once. A result without RefreshIndex says that all is done.
func (w *work) attempt(ctx context.Context) (*n.PlanResult, error) {
	d, err := w.decide()
	if err != nil {
		return nil, err
	}
	evals := append([]*n.Evaluation{d.Eval}, d.NewEvals...)
	if d.Plan == nil || d.Plan.NoOp() {
		return &n.PlanResult{}, w.Store(ctx, evals)
	}
	d.Plan.EvalToken = w.Token
	held := func() error { return w.Broker.Extend(w.Eval.ID, w.Token, true) }
	if err := held(); err != nil { // no time limit while the plan waits its turn
		return nil, err
	}
	defer func() { _ = w.Broker.Extend(w.Eval.ID, w.Token, false) }()
	return w.Submit(ctx, planner.Submission{Plan: d.Plan, Evals: evals, Held: held})
}

// decide runs the scheduler. A scheduler that panics fails the evaluation alone.
func (w *work) decide() (d *scheduler.Decision, err error) {
	defer func() {
		if r := recover(); r != nil {
			d, err = nil, fmt.Errorf("scheduler %q panicked: %v", w.Eval.Type, r)
		}
	}()
	view := w.View()
	d, err = w.Schedule(view, w.Eval, scheduler.Options{Now: time.Now(), Seed: rand.Uint64()})
	if err == nil && d.Eval == nil {
		err = errors.New("scheduler returned no evaluation")
	}
	return d, err
}

// giveUp ends an evaluation whose plans kept being refused; service and batch
// jobs are tried again later.
func (w *work) giveUp(ctx context.Context) error {
	e := *w.Eval
	e.Status = n.EvalFailed
	e.StatusDescription = fmt.Sprintf("maximum attempts reached (%d)", attempts[e.Type])
	evals := []*n.Evaluation{&e}
	if e.Type == n.JobTypeService || e.Type == n.JobTypeBatch {
		again := *w.Eval
		again.ID, again.PreviousEval = n.EvalID(uuid.NewString()), e.ID
		again.TriggeredBy, again.Status = n.TriggerMaxPlans, n.EvalBlocked
		again.StatusDescription = "created due to placement conflicts"
		again.SnapshotIndex, again.EscapedComputedClass = w.View().Index(), true
		e.BlockedEval = again.ID
		evals = append(evals, &again)
	}
	return w.Store(ctx, evals)
}
