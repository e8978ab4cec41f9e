package server

import (
	"context"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// What nodes observe comes in many small messages: with each start of a large job,
// one from every node. Committed one by one, each would be an entry of the log, a
// new state and a round of all that watch it. So what comes while an entry is on its
// way goes together into the next one, and entries keep a little distance. The first
// after a pause goes at once.
const (
	observedEvery = 10 * time.Millisecond // from one entry to the next
	observedMost  = 10_000                // allocations in an entry
)

// observed gathers what nodes observed until it is committed.
type observed struct {
	commit func(context.Context, []state.NodeObserved) (index uint64, err error)

	mu      sync.Mutex
	waiting []*observation
	busy    bool // somebody commits
}

type observation struct {
	state.NodeObserved
	done  chan struct{}
	index uint64
	err   error
}

// store returns once what a node observed is committed.
func (o *observed) store(ctx context.Context, node n.NodeID, updates []n.AllocUpdate) (uint64, error) {
	x := &observation{NodeObserved: state.NodeObserved{NodeID: node, Updates: updates}, done: make(chan struct{})}
	o.mu.Lock()
	o.waiting = append(o.waiting, x)
	if !o.busy {
		o.busy = true
		go o.work()
	}
	o.mu.Unlock()
	select {
	case <-x.done:
		return x.index, x.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// work commits until nothing waits.
func (o *observed) work() {
	for batch := o.take(); len(batch) > 0; batch = o.take() {
		next := time.NewTimer(observedEvery)
		nodes := make([]state.NodeObserved, len(batch))
		for i, x := range batch {
			nodes[i] = x.NodeObserved
		}
		index, err := o.commit(context.Background(), nodes) // whoever waits may give up; the others do not
		for _, x := range batch {
			x.index, x.err = index, err
			close(x.done)
		}
		<-next.C
	}
}

// take returns what goes into the next entry. Nothing means that work ends.
func (o *observed) take() []*observation {
	o.mu.Lock()
	defer o.mu.Unlock()
	count, allocs := 0, 0
	for count < len(o.waiting) && (count == 0 || allocs+len(o.waiting[count].Updates) <= observedMost) {
		allocs += len(o.waiting[count].Updates)
		count++
	}
	batch := o.waiting[:count:count]
	o.waiting = o.waiting[count:]
	o.busy = count > 0
	return batch
}
