package server

import (
	"context"
	"maps"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// GCConfig says how long things are kept that nobody needs. Zero values mean the
// defaults.
type GCConfig struct {
	Interval      time.Duration // between collections; default 5m
	EvalAge       time.Duration // of evaluations and their allocations; default 1h
	BatchEvalAge  time.Duration // of those of batch jobs; default 24h
	JobAge        time.Duration // of dead jobs; default 4h
	DeploymentAge time.Duration // default 1h
	NodeAge       time.Duration // of nodes that are down; default 24h
}

func (c *GCConfig) defaults() {
	for _, f := range []struct {
		d *time.Duration
		v time.Duration
	}{{&c.Interval, 5 * time.Minute}, {&c.EvalAge, time.Hour}, {&c.BatchEvalAge, 24 * time.Hour}, {&c.JobAge, 4 * time.Hour}, {&c.DeploymentAge, time.Hour}, {&c.NodeAge, 24 * time.Hour}} {
		if *f.d == 0 {
			*f.d = f.v
		}
	}
}

// collectGarbage forgets, every now and then, what nobody needs.
func (l *leadership) collectGarbage(ctx context.Context) error {
	l.s.GC.defaults()
	tick := time.NewTicker(l.s.GC.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := l.s.reap(ctx, l.s.GC); err != nil && ctx.Err() == nil {
				l.s.Logger.Error("garbage collection", "error", err)
			}
		}
	}
}

// systemGC forgets at once all that nobody needs, however new.
func (s *Server) systemGC(ctx context.Context, _ *n.WriteOptions) (*n.Empty, error) {
	return &n.Empty{}, s.reap(ctx, GCConfig{})
}

// reap forgets what is older than the ages in c.
func (s *Server) reap(ctx context.Context, c GCConfig) error {
	const batch = 2048 // things in a log entry
	r := Garbage(s.store.Read(), c, time.Now())
	for len(r.Evals)+len(r.Allocs)+len(r.Deployments)+len(r.Jobs)+len(r.Nodes) > 0 {
		part := &state.Reap{Now: now()}
		part.Allocs, r.Allocs = cut(r.Allocs, batch)
		part.Evals, r.Evals = cut(r.Evals, batch)
		part.Deployments, r.Deployments = cut(r.Deployments, batch)
		part.Jobs, r.Jobs = cut(r.Jobs, batch)
		part.Nodes, r.Nodes = cut(r.Nodes, batch)
		if _, _, err := commitTo(ctx, s, state.ReapGarbage, part); err != nil {
			return err
		}
	}
	return nil
}

func cut[T any](list []T, count int) (part, rest []T) {
	count = min(count, len(list))
	return list[:count], list[count:]
}

// Garbage lists what nobody needs: dead jobs whose evaluations and allocations
// have all ended, and of living jobs the evaluations that have ended with all of
// their allocations.
func Garbage(v *state.View, c GCConfig, now time.Time) *state.Reap {
	r := &state.Reap{}
	old := func(ns int64, age time.Duration) bool { return now.Sub(time.Unix(0, ns)) >= age }
	dead := map[n.JobKey]bool{}
	for j := range v.Jobs(nil, n.AllNamespaces, "") {
		if j.Status == n.JobDead && (j.Stop || j.RunsToCompletion()) && old(lastChange(v, j), c.JobAge) && ended(v, j.Key()) {
			dead[j.Key()] = true
			r.Jobs = append(r.Jobs, j.Key())
		}
	}
	for e := range v.Evals(nil, "") {
		age := c.EvalAge
		if e.Type == n.JobTypeBatch {
			age = c.BatchEvalAge
		}
		if !e.Status.Terminal() || !old(e.ModifyTime, age) {
			continue
		}
		ids, ok := collectable(v, e, dead[e.JobKey()])
		if !ok {
			continue
		}
		r.Evals = append(r.Evals, e.ID)
		r.Allocs = append(r.Allocs, ids...)
	}
	for d := range v.Deployments(nil, "") {
		if !d.Status.Active() && old(d.ModifyTime, c.DeploymentAge) && !inUse(v, d) {
			r.Deployments = append(r.Deployments, d.ID)
		}
	}
	for node := range v.AllNodes(nil, "") {
		if node.Status == n.NodeDown && old(node.StatusUpdatedAt*int64(time.Second), c.NodeAge) && len(v.NodeAllocs(node.ID)) == 0 {
			r.Nodes = append(r.Nodes, node.ID)
		}
	}
	return r
}

// lastChange is when something last happened to a job.
func lastChange(v *state.View, j *n.Job) int64 {
	last := j.SubmitTime
	for e := range v.JobEvals(nil, j.Key()) {
		last = max(last, e.ModifyTime)
	}
	return last
}

func ended(v *state.View, k n.JobKey) bool {
	for a := range v.JobAllocs(nil, k) {
		if !a.ClientStatus.Terminal() {
			return false
		}
	}
	for e := range v.JobEvals(nil, k) {
		if !e.Status.Terminal() {
			return false
		}
	}
	return true
}

// collectable lists an evaluation's allocations if all of them may go. Those of
// a batch job that lives stay: they say what has been done already.
func collectable(v *state.View, e *n.Evaluation, dead bool) (ids []n.AllocID, ok bool) {
	job := v.Job(e.JobKey())
	for a := range v.EvalAllocs(nil, e.ID) {
		if !a.ClientStatus.Terminal() || !a.Terminal() {
			return nil, false
		}
		if !dead && job != nil && !job.Stop && (job.RunsToCompletion() || a.ClientStatus == n.ClientFailed && a.NextAllocation == "" && !a.ServerTerminal()) {
			return nil, false
		}
		ids = append(ids, a.ID)
	}
	return ids, true
}

// inUse reports a deployment that its job may still refer to.
func inUse(v *state.View, d *n.Deployment) bool {
	for a := range v.DeploymentAllocs(nil, d.ID) {
		if !a.Terminal() {
			return true
		}
	}
	return false
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
