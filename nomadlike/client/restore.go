package client

import (
	"slices"

	"github.com/nomadlike/nomadlike/nomadlike/client/hook/allocdir"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
)

// restore takes up the allocations that an earlier client left, and removes
// directories that belong to none. It comes before any server is asked, so that
// what runs is known when they do.
func (c *Client) restore() {
	var newest uint64
	slices.SortStableFunc(c.restored, func(x, y *journal.Restored) int { return older(x.Alloc.Alloc, y.Alloc.Alloc) })
	for _, was := range c.restored {
		a := was.Alloc.Alloc
		newest = max(newest, a.AllocModifyIndex)
		c.begin(a, was.Job, c.make(a, was.Job, was))
		if was.Forgotten {
			c.work.do(func() { c.destroy(c.allocs.forget(a.ID)) })
		}
	}
	c.allocs.reached(newest)
	if len(c.restored) > 0 {
		c.log.Info("allocations are taken up again", "count", len(c.restored))
	}
	c.restored = nil
	c.removeLeftovers()
}

// removeLeftovers removes directories of allocations that are not known.
func (c *Client) removeLeftovers() {
	dirs, err := allocdir.Leftovers(c.config.AllocDir, c.Has)
	if err != nil {
		c.log.Warn("leftovers in the allocations' directory can not be found", "error", err)
	}
	for _, dir := range dirs {
		if err := allocdir.Remove(dir); err != nil {
			c.log.Warn("a directory of an allocation that is no longer known can not be removed", "directory", dir, "error", err)
		}
	}
}
