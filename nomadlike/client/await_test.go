package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestAwaitPrevious shows for whose end an allocation waits, and that it does not
// once it is to end itself.
func TestAwaitPrevious(t *testing.T) {
	for _, c := range []struct {
		name  string
		alloc n.Allocation
		waits time.Duration // the end of x comes after 10 s, that of y after 20 s
	}{
		{"the first", n.Allocation{}, 0},
		{"a successor", n.Allocation{PreviousAllocation: "x"}, 10 * time.Second},
		{"one whose predecessor was elsewhere", n.Allocation{PreviousAllocation: "elsewhere"}, 0},
		{"one whose predecessor has ended", n.Allocation{PreviousAllocation: "ended"}, 0},
		{"one that others were evicted for", n.Allocation{PreemptedAllocations: []n.AllocID{"x", "ended", "y"}}, 20 * time.Second},
		{"both", n.Allocation{PreviousAllocation: "y", PreemptedAllocations: []n.AllocID{"x"}}, 20 * time.Second},
		{"one that is stopped meanwhile", n.Allocation{PreviousAllocation: "never"}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here := newAllocs()
				for id, ends := range map[n.AllocID]time.Duration{"ended": 0, "x": 10 * time.Second, "y": 20 * time.Second, "never": time.Hour} {
					e := &entry{id: id, alloc: &n.Allocation{ID: id}, done: make(chan struct{})}
					here.put(e)
					time.AfterFunc(ends, func() { close(e.done) })
				}
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				err := awaitPrevious{here}.Prerun(ctx, nil, nil, &c.alloc)
				if c.waits == time.Minute && !errors.Is(err, context.DeadlineExceeded) || c.waits < time.Minute && err != nil {
					t.Errorf("error %v", err)
				}
				equal(t, "waited", time.Since(began), c.waits)
			})
		})
	}
}

// TestOlderComeFirst has a client be told of a successor and then of those that it
// waits for: it has to find them.
func TestOlderComeFirst(t *testing.T) {
	list := []*n.Allocation{{ID: "c", CreateIndex: 9}, {ID: "a", CreateIndex: 3}, {ID: "b", CreateIndex: 3}}
	var got []n.AllocID
	for _, a := range byAge(list) {
		got = append(got, a.ID)
	}
	equals(t, "order", got, "a", "b", "c")
	equal(t, "the list itself", list[0].ID, "c")
}
