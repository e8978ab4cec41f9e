package client

import (
	"context"
	"time"
)

// endAlone ends the allocations of which their jobs say so once no server has
// been heard of for as long as they say. A server that was heard of before the
// client started counts too.
func (c *Client) endAlone(ctx context.Context) {
	began := time.Now()
	for {
		var due <-chan time.Time
		if next := c.endOverdue(began); !next.IsZero() {
			due = time.After(time.Until(next))
		}
		select {
		case <-due: // there may have been an answer meanwhile
		case <-c.arrived:
		case <-ctx.Done():
			return
		}
	}
}

// endOverdue ends what has been without servers for too long, and says when to
// look again; zero is when something arrives.
func (c *Client) endOverdue(began time.Time) (next time.Time) {
	heard := began
	if at := c.vital.heard.Load(); at > 0 {
		heard = time.Unix(0, at)
	}
	now := time.Now()
	for _, e := range c.allocs.all() {
		after := e.runsAlone()
		if after == 0 {
			continue
		}
		if at := heard.Add(after); at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		c.log.Warn("an allocation ends because no server was heard of for too long", "alloc_id", e.id, "stop_on_client_after", after, "last_heard", heard)
		e.runner.EndAlone()
	}
	return next
}

// runsAlone is for how long the allocation may run without servers; 0 is for ever,
// or that it does not run.
func (e *entry) runsAlone() time.Duration {
	if _, done := e.isDone(); done {
		return 0
	}
	a, job := e.spec()
	if job == nil {
		return 0
	}
	g := job.Group(a.TaskGroup)
	if g == nil {
		return 0
	}
	return g.StopsAlone()
}

// rememberHeard writes down that a server was heard of, if anything that runs
// depends on it.
func (c *Client) rememberHeard(at time.Time) {
	for _, e := range c.allocs.all() {
		if e.runsAlone() > 0 {
			if err := c.journal.PutHeard(at); err != nil {
				c.log.Warn("when a server was heard of is not written down", "error", err)
			}
			return
		}
	}
}
