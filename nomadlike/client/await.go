package client

import (
	"cmp"
	"context"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// awaitPrevious has an allocation begin only when those have ended on this node
// whose place it takes: its predecessor, and what was evicted for its sake. They
// use the memory and hold the ports that it is given.
type awaitPrevious struct{ allocs *allocs }

// Name names the hook.
func (awaitPrevious) Name() string { return "await_previous_allocations" }

// Prerun waits. Those that are not on this node have nothing that is waited for.
func (h awaitPrevious) Prerun(ctx context.Context, _ *n.Job, _ *n.Group, a *n.Allocation) error {
	for _, id := range append(slices.Clone(a.PreemptedAllocations), a.PreviousAllocation) {
		e := h.allocs.get(id)
		if e == nil {
			continue
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// older compares allocations by age: whoever waits for another is the younger, and
// has to find it here.
func older(a, b *n.Allocation) int { return cmp.Compare(a.CreateIndex, b.CreateIndex) }

func byAge(allocs []*n.Allocation) []*n.Allocation {
	return slices.SortedStableFunc(slices.Values(allocs), older)
}
