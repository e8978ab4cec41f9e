package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
)

// collectSoon has the allocations that ended looked at.
func (c *Client) collectSoon() {
	select {
	case c.gcNow <- struct{}{}:
	default:
	}
}

// collect removes allocations that have ended, oldest first, while there are too
// many or the disk is too full: after every change, and now and then, because
// others fill the disk as well.
func (c *Client) collect(ctx context.Context) {
	tick := time.NewTicker(c.config.GC.Interval)
	defer tick.Stop()
	for {
		select {
		case <-c.gcNow:
			c.collectWhile(ctx, c.tooMany)
		case <-tick.C:
			c.collectUnwanted()
			c.collectWhile(ctx, func() int { return max(c.tooMany(), c.tooFull(ctx)) })
		case <-ctx.Done():
			return
		}
	}
}

// collectUnwanted tries once more to remove what servers have forgotten.
func (c *Client) collectUnwanted() {
	for _, e := range c.allocs.all() {
		e.mu.Lock()
		unwanted := e.unwanted && !e.leaving
		e.mu.Unlock()
		if unwanted {
			c.work.do(func() { c.destroy(e) })
		}
	}
}

// collectWhile removes a few at a time while over says that there are too many,
// and how many.
func (c *Client) collectWhile(ctx context.Context, over func() int) {
	tried := map[*entry]bool{}
	for ctx.Err() == nil {
		need := over()
		if need <= 0 {
			return
		}
		next := c.collectable(tried)
		if len(next) == 0 {
			return
		}
		var group sync.WaitGroup
		for _, e := range next[:min(len(next), need, c.config.GC.Parallel)] {
			tried[e] = true
			c.log.Debug("an allocation that has ended is removed to make room", "alloc_id", e.id)
			group.Go(func() { c.destroy(e) })
		}
		group.Wait()
	}
}

// collectable are the allocations that may be removed, oldest first: nothing of
// them runs, and the servers know how they ended.
func (c *Client) collectable(tried map[*entry]bool) []*entry {
	type ended struct {
		*entry
		at time.Time
	}
	var found []ended
	for _, e := range c.allocs.all() {
		if at, done := e.isDone(); done && !tried[e] && !c.outbox.owes(e.id) {
			found = append(found, ended{e, at})
		}
	}
	slices.SortFunc(found, func(a, b ended) int { return a.at.Compare(b.at) })
	out := make([]*entry, len(found))
	for i := range found {
		out[i] = found[i].entry
	}
	return out
}

// tooMany is how many allocations there are above the limit.
func (c *Client) tooMany() int {
	if c.config.GC.MaxAllocs <= 0 {
		return 0
	}
	return len(c.allocs.all()) - c.config.GC.MaxAllocs
}

// tooFull is how many allocations to remove before the disk is looked at again.
func (c *Client) tooFull(ctx context.Context) int {
	usage, err := disk.UsageWithContext(ctx, c.config.AllocDir)
	if err != nil {
		c.log.Warn("the use of the disk can not be told", "directory", c.config.AllocDir, "error", err)
		return 0
	}
	over := func(have, limit float64) bool { return limit > 0 && have >= limit }
	if over(usage.UsedPercent, c.config.GC.DiskUsage) || over(usage.InodesUsedPercent, c.config.GC.InodeUsage) {
		return c.config.GC.Parallel
	}
	return 0
}
