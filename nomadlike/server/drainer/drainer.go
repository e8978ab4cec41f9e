// Package drainer owns the loop that empties nodes. It keeps nothing: what package
// drain decides from is read from the state anew at each change of it and at each
// deadline, so a new leader goes on where the last one was.
package drainer

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/drain"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

// Deps is what the loop works with.
type Deps struct {
	Store *state.Store
	// Commit appends an encoded command to the log.
	Commit func(ctx context.Context, entry []byte) (any, uint64, error)
	Logger hclog.Logger
}

const (
	// settle is how long changes are gathered before nodes are looked at, so that
	// what goes in one wave makes one evaluation of a job.
	settle = 100 * time.Millisecond
	// retry is how long to wait after something could not be committed.
	retry = 5 * time.Second
)

// Run empties the nodes that are drained until ctx ends.
func Run(ctx context.Context, d Deps) error {
	for {
		ws := table.NewWatchSet()
		next := d.look(ctx, ws)
		if err := wait(ctx, ws, next); err != nil {
			return err
		}
		pause := time.NewTimer(settle)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// wait waits for a change of what is watched, or until next if that is not zero.
func wait(ctx context.Context, ws table.WatchSet, next time.Time) error {
	until := ctx
	if !next.IsZero() {
		var cancel context.CancelFunc
		until, cancel = context.WithDeadline(ctx, next)
		defer cancel()
	}
	_ = ws.Wait(until, nil) // why it returns makes no difference
	return ctx.Err()
}

// look decides about all nodes that are drained, one after the other, each in the
// state that the one before it has left: of a job on several of them no more go at
// a time than may. It watches what was decided from, and says when to look again
// at the latest.
func (d *Deps) look(ctx context.Context, ws table.WatchSet) (next time.Time) {
	var draining []n.NodeID
	for node := range d.Store.Read().AllNodes(ws, "") {
		if node.DrainStrategy != nil {
			draining = append(draining, node.ID)
		}
	}
	for _, id := range draining {
		view := d.Store.Read()
		node := view.Node(id)
		if node == nil || node.DrainStrategy == nil {
			continue
		}
		dec := drain.Decide(gather(view, ws, node), time.Now())
		wake := dec.Wake
		if err := d.act(ctx, view, node, dec); err != nil && ctx.Err() == nil {
			d.Logger.Error("drain does not proceed, to be tried again", "node_id", id, "error", err)
			at := time.Now().Add(retry)
			wake = &at
		}
		if wake != nil && (next.IsZero() || wake.Before(next)) {
			next = *wake
		}
	}
	return next
}

// gather collects what drain decides from.
func gather(view *state.View, ws table.WatchSet, node *n.Node) drain.Input {
	return drain.Input{
		Node: node, Allocs: slices.Collect(view.NodeAllAllocs(ws, node.ID)),
		Job:       func(k n.JobKey) *n.Job { return view.WatchJob(ws, k) },
		JobAllocs: func(k n.JobKey) []*n.Allocation { return slices.Collect(view.JobAllocs(ws, k)) },
	}
}

// act carries a decision out.
func (d *Deps) act(ctx context.Context, view *state.View, node *n.Node, dec drain.Decision) error {
	log := d.Logger.With("node_id", node.ID, "why", dec.Why)
	if dec.Done {
		log.Info("node is drained", "deadline_reached", dec.Forced)
		return commit(ctx, d, state.CompleteDrain, &state.NodeDrained{NodeID: node.ID, Strategy: node.DrainStrategy, Forced: dec.Forced, Now: time.Now().UnixNano()})
	}
	yes := true
	for _, wave := range []struct {
		ids []n.AllocID
		ask n.DesiredTransition
	}{
		{dec.Move, n.DesiredTransition{Migrate: &yes}},
		{dec.End, n.DesiredTransition{Migrate: &yes, MigrateDisablePlacement: &yes}},
	} {
		for part := range slices.Chunk(wave.ids, batch) {
			log.Debug("allocations leave the node", "count", len(part))
			err := commit(ctx, d, state.TransitionAllocs, &state.AllocTransition{
				Allocs: part, Transition: wave.ask, Evals: slices.Collect(evals(view, node, part)), Now: time.Now().UnixNano(),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

const batch = 500 // keeps a log entry small

// evals are those of the jobs of allocations that leave a node, one each.
func evals(view *state.View, node *n.Node, ids []n.AllocID) iter.Seq[*n.Evaluation] {
	return func(yield func(*n.Evaluation) bool) {
		seen := map[n.JobKey]bool{}
		for _, id := range ids {
			a := view.Alloc(id)
			if a == nil || seen[a.JobKey()] {
				continue
			}
			seen[a.JobKey()] = true
			job := view.Job(a.JobKey())
			if job == nil {
				continue
			}
			e := &n.Evaluation{
				ID: n.EvalID(uuid.NewString()), Namespace: a.Namespace, JobID: a.JobID, Type: job.Type, Priority: job.Priority,
				JobModifyIndex: job.JobModifyIndex, NodeID: node.ID, NodeModifyIndex: node.ModifyIndex, TriggeredBy: n.TriggerNodeDrain, Status: n.EvalPending,
			}
			if !yield(e) {
				return
			}
		}
	}
}

func commit[C any](ctx context.Context, d *Deps, e raftlog.Encoder[C], c *C) error {
	b, err := e.Encode(c)
	if err != nil {
		return err
	}
	_, _, err = d.Commit(ctx, b)
	return err
}
