package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// TestObserved reports from many nodes at once: the first goes alone and at once,
// the others together, each waiting for the entry that it is in.
func TestObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no leader")
		var sizes []int
		o := &observed{commit: func(_ context.Context, nodes []state.NodeObserved) (uint64, error) {
			time.Sleep(3 * time.Millisecond) // the disk
			sizes = append(sizes, len(nodes))
			if len(sizes) == 5 {
				return 0, broken
			}
			return uint64(len(sizes)), nil
		}}
		began := time.Now()
		report := func(updates int) (uint64, error) {
			return o.store(t.Context(), "node", make([]n.AllocUpdate, updates))
		}
		var all sync.WaitGroup
		all.Go(func() {
			if index, err := report(1); index != 1 || err != nil || time.Since(began) != 3*time.Millisecond {
				t.Errorf("the first is in entry %d (%v), after %v", index, err, time.Since(began))
			}
		})
		synctest.Wait()
		for range 20 {
			all.Go(func() {
				if index, err := report(1); index != 2 || err != nil || time.Since(began) != observedEvery+3*time.Millisecond {
					t.Errorf("another is in entry %d (%v), after %v", index, err, time.Since(began))
				}
			})
		}
		all.Wait()
		time.Sleep(time.Second)
		all.Go(func() { _, _ = report(1) })
		synctest.Wait()
		all.Go(func() { _, _ = report(observedMost) })
		synctest.Wait()
		all.Go(func() { // fails with its entry; it is too large to go with others
			if _, err := report(observedMost + 1); !errors.Is(err, broken) {
				t.Errorf("no entry fails with %v", err)
			}
		})
		synctest.Wait()
		gaveUp, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := o.store(gaveUp, "node", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("who has given up gets %v", err)
		}
		all.Wait()
		time.Sleep(time.Second) // also what was given up is committed
		synctest.Wait()
		if want := []int{1, 20, 1, 1, 1, 1}; !slices.Equal(sizes, want) {
			t.Errorf("entries of %v reports; want %v", sizes, want)
		}
		if o.busy || len(o.waiting) > 0 {
			t.Error("it never ends")
		}
	})
}
