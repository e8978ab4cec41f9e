package client

import (
	"context"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/alloc"
	"github.com/nomadlike/nomadlike/nomadlike/client/hook/allocdir"
	"github.com/nomadlike/nomadlike/nomadlike/client/hook/payload"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
)

// A runner runs one allocation; see package alloc.
type runner interface {
	// Run runs until the allocation is terminal and down, or until ctx ends,
	// which leaves its tasks running.
	Run(ctx context.Context) error
	Update(a *n.Allocation, job *n.Job)
	Observed() n.AllocUpdate
	Restart(task string, all bool) error
	Signal(task, signal string) error
	Stats() (*n.AllocUsage, error)
	Dir() string
	// EndAlone ends what runs because servers may have given it up.
	EndAlone()
	// Destroy ends what runs and removes all that is left of it.
	Destroy() error
}

// A maker makes a runner; was is what is remembered of the allocation, or nil.
type maker func(a *n.Allocation, job *n.Job, was *journal.Restored) runner

// allocRunners makes runners of package alloc, with the hooks of this client. A
// new hook is a line here.
func (c *Client) allocRunners() maker {
	host := &alloc.Host{
		Tasks: task.Host{
			Node: c.node.now, Region: c.config.Region, AllocDir: c.config.AllocDir, Environ: c.config.environ(),
			MaxKillTimeout: c.config.MaxKillTimeout, Driver: c.config.driver, Journal: c.journal, Contact: c.contact, Logger: c.log,
			Hooks: []task.Hook{payload.Hook{}},
		},
		Hooks:   []alloc.Hook{allocdir.Hook{Root: c.config.AllocDir, Logger: c.log}, awaitPrevious{c.allocs}},
		Journal: c.journal, Logger: c.log,
		Changed: func(id n.AllocID) { c.outbox.put(id) },
	}
	return func(a *n.Allocation, job *n.Job, was *journal.Restored) runner { return alloc.New(host, a, job, was) }
}
