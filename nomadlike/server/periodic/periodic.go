// Package periodic owns the leader's clock for periodic jobs: one timer, until the
// next of them is due. What is launched, and when, is decided in package launch;
// that a time is launched once, and children do not overlap, in the state.
package periodic

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/launch"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// Deps is what the clock works with.
type Deps struct {
	Store *state.Store
	// Commit appends an encoded command to the log.
	Commit func(ctx context.Context, entry []byte) (any, uint64, error)
	Logger hclog.Logger
}

const (
	// glance is the longest time between two looks at the wall clock, which others
	// may set while a timer runs.
	glance = time.Minute
	// again is how long a launch that could not be committed waits.
	again = 5 * time.Second
	// together bounds the launches of one moment that are committed at a time.
	together = 16
)

// Clock launches periodic jobs while Run runs.
type Clock struct {
	Deps
	mu    sync.Mutex
	dirty map[n.JobKey]bool // nil while Run does not run
	wake  chan struct{}
	due   map[n.JobKey]entry // owned by Run
}

// An entry is when a job is due, as it was at an index.
type entry struct {
	at    time.Time // the time that is launched
	try   time.Time // when; later than at after a failure
	index uint64    // JobModifyIndex
}

// New makes a clock; Changed must be called with every commit.
func New(d Deps) *Clock {
	return &Clock{Deps: d, wake: make(chan struct{}, 1)}
}

// Changed notes which periodic jobs a commit concerns.
func (c *Clock) Changed(commit state.Commit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dirty == nil {
		return
	}
	found := false
	for _, ch := range commit.Changes {
		for _, v := range []any{ch.Before, ch.After} {
			if j, ok := v.(*n.Job); ok && j.IsPeriodic() {
				c.dirty[j.Key()], found = true, true
			}
		}
	}
	if found {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// Run launches what is due until ctx ends. First it launches, once each, the jobs
// of which a time has passed while nobody led.
func (c *Clock) Run(ctx context.Context) error {
	c.note(map[n.JobKey]bool{})
	defer c.note(nil)
	c.due = map[n.JobKey]entry{}
	view, now := c.Store.Read(), time.Now()
	for j := range view.Jobs(nil, n.AllNamespaces, "") {
		if !launch.Tracked(j) {
			continue
		}
		if missed, _, _ := launch.Due(j, view.LastLaunch(j.Key()), now); missed {
			c.Logger.Info("a launch was missed", "job_id", j.ID, "namespace", j.Namespace)
			c.due[j.Key()] = entry{now, now, j.JobModifyIndex}
			continue
		}
		c.plan(j, now)
	}
	for {
		c.launchDue(ctx)
		timer := time.NewTimer(c.rest())
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		case <-c.wake:
			timer.Stop()
		}
		c.look()
	}
}

// plan notes when a job is due next after a time.
func (c *Clock) plan(j *n.Job, after time.Time) {
	delete(c.due, j.Key())
	if _, next, ok := launch.Due(j, after, after); ok {
		c.due[j.Key()] = entry{next, next, j.JobModifyIndex}
	}
}

// note returns the jobs that have changed, and notes further ones in dirty.
func (c *Clock) note(dirty map[n.JobKey]bool) map[n.JobKey]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.dirty
	c.dirty = dirty
	return was
}

// look plans anew the jobs that have changed. A time that has come before the
// change is still launched.
func (c *Clock) look() {
	view, now := c.Store.Read(), time.Now()
	for key := range c.note(map[n.JobKey]bool{}) {
		job, was := view.Job(key), c.due[key]
		switch {
		case job == nil || !launch.Tracked(job):
			delete(c.due, key)
		case was.index == job.JobModifyIndex || !was.at.IsZero() && !was.at.After(time.Unix(0, job.SubmitTime)):
		default:
			c.plan(job, now)
		}
	}
}

func (c *Clock) rest() time.Duration {
	d := glance
	for _, e := range c.due {
		d = min(d, time.Until(e.try))
	}
	return max(d, 0)
}

// launchDue launches all that is due, and plans what follows.
func (c *Clock) launchDue(ctx context.Context) {
	now := time.Now()
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(together)
	failed := map[n.JobKey]bool{}
	var launched []n.JobKey
	for key, e := range c.due {
		if e.try.After(now) {
			continue
		}
		launched = append(launched, key)
		g.Go(func() error {
			if err := c.launch(ctx, key, e.at); err != nil && ctx.Err() == nil {
				c.Logger.Error("a periodic job could not be launched, to be tried again", "job_id", key.ID, "namespace", key.Namespace, "error", err)
				mu.Lock()
				defer mu.Unlock()
				failed[key] = true
			}
			return nil
		})
	}
	_ = g.Wait() // failures are kept
	view := c.Store.Read()
	for _, key := range launched {
		e := c.due[key]
		delete(c.due, key)
		switch job := view.Job(key); {
		case job == nil || !launch.Tracked(job):
		case failed[key]:
			e.try = now.Add(again)
			c.due[key] = e
		default:
			c.plan(job, now)
		}
	}
}

// launch commits one launch, and says what became of it.
func (c *Clock) launch(ctx context.Context, key n.JobKey, at time.Time) error {
	entry, err := state.LaunchJob.Encode(&state.JobLaunch{
		Key: key, At: at.UnixNano(), EvalID: n.EvalID(uuid.NewString()), Now: time.Now().UnixNano(),
	})
	if err != nil {
		return err
	}
	out, _, err := c.Commit(ctx, entry)
	if err != nil {
		return err
	}
	switch done := out.(state.JobLaunched); {
	case done.Overlap:
		c.Logger.Info("a periodic job is not launched because a child of it runs, and prohibit_overlap is set", "job_id", key.ID, "namespace", key.Namespace)
	case done.EvalID != "":
		c.Logger.Debug("launched a periodic job", "job_id", done.Child, "namespace", key.Namespace)
	}
	return nil
}
