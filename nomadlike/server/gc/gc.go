package gc

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// Config says how long things are kept that nobody needs. Zero intervals mean the
// defaults; zero ages mean no time at all, but for Run.
type Config struct {
	Interval      time.Duration // between collections of jobs; default 5m
	EvalAge       time.Duration // of evaluations and their allocations; default 1h
	BatchEvalAge  time.Duration // of those of batch jobs; default 24h
	JobAge        time.Duration // of dead jobs; default 4h
	DeploymentAge time.Duration // default 1h
	NodeAge       time.Duration // of nodes that are down; default 24h
}

// othersInterval is between collections of all but jobs.
const othersInterval = 5 * time.Minute

func (c Config) withDefaults() Config {
	for f, age := range map[*time.Duration]time.Duration{
		&c.Interval: 5 * time.Minute, &c.EvalAge: time.Hour, &c.BatchEvalAge: 24 * time.Hour,
		&c.JobAge: 4 * time.Hour, &c.DeploymentAge: time.Hour, &c.NodeAge: 24 * time.Hour,
	} {
		if *f == 0 {
			*f = age
		}
	}
	return c
}

// Deps is what a collector works with.
type Deps struct {
	Store *state.Store
	// Commit appends an encoded command to the log.
	Commit func(ctx context.Context, entry []byte) (any, uint64, error)
	Logger hclog.Logger
}

// Run forgets, every now and then until ctx ends, what nobody needs.
func Run(ctx context.Context, d Deps, c Config) error {
	c = c.withDefaults()
	jobs, others := time.NewTicker(c.Interval), time.NewTicker(othersInterval)
	defer jobs.Stop()
	defer others.Stop()
	for {
		list := Others
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-jobs.C:
			list = Jobs
		case <-others.C:
		}
		if err := d.commit(ctx, list(d.Store.Read(), c, time.Now())); err != nil && ctx.Err() == nil {
			d.Logger.Error("garbage collection", "error", err)
		}
	}
}

// Now forgets at once what nobody needs, however new.
func Now(ctx context.Context, d Deps) error {
	return d.commit(ctx, All(d.Store.Read(), Config{}, time.Now()))
}

// commit forgets things, and jobs after all that belongs to them.
func (d Deps) commit(ctx context.Context, r *state.Reap) error {
	const batch = 2048 // things of a kind in a log entry
	for len(r.Evals)+len(r.Allocs)+len(r.Deployments)+len(r.Jobs)+len(r.Nodes) > 0 {
		part := &state.Reap{Now: time.Now().UnixNano()}
		part.Allocs, r.Allocs = cut(r.Allocs, batch)
		part.Evals, r.Evals = cut(r.Evals, batch)
		part.Deployments, r.Deployments = cut(r.Deployments, batch)
		part.Nodes, r.Nodes = cut(r.Nodes, batch)
		if len(r.Allocs)+len(r.Evals) == 0 {
			part.Jobs, r.Jobs = cut(r.Jobs, batch)
		}
		entry, err := state.ReapGarbage.Encode(part)
		if err != nil {
			return err
		}
		if _, _, err := d.Commit(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

func cut[T any](list []T, count int) (part, rest []T) {
	count = min(count, len(list))
	return list[:count], list[count:]
}
