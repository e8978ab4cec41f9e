package client

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

const (
	// updateEvery is the least time between two batches of updates. News that
	// matter to the scheduler go out at once if nothing else did just before.
	updateEvery = 200 * time.Millisecond
	// updateBatch is the most updates in one message.
	updateBatch = 500
)

// outbox knows which allocations have changed since a server last acknowledged
// them. What is sent is what is observed at that moment, so many changes of one
// allocation cost one update.
type outbox struct {
	mu    sync.Mutex
	dirty map[n.AllocID]bool
	fresh map[n.AllocID]bool   // of the dirty ones: those that have not been looked at
	sent  map[n.AllocID]uint64 // not acknowledged: the number of the last batch that had it
	seq   uint64
	ready chan struct{} // holds a token while something is dirty
	empty chan struct{} // closed when all is acknowledged; nil until somebody waits
}

func newOutbox() *outbox {
	return &outbox{dirty: map[n.AllocID]bool{}, fresh: map[n.AllocID]bool{}, sent: map[n.AllocID]uint64{}, ready: make(chan struct{}, 1)}
}

// put notes a change.
func (o *outbox) put(ids ...n.AllocID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		o.dirty[id], o.fresh[id] = true, true
	}
	o.wake()
}

// look returns what changed since the last look.
func (o *outbox) look() []n.AllocID {
	o.mu.Lock()
	defer o.mu.Unlock()
	ids := slices.Collect(maps.Keys(o.fresh))
	clear(o.fresh)
	return ids
}

// waits reports whether there is something to send.
func (o *outbox) waits() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.dirty) > 0
}

// wake keeps the token; the caller holds mu.
func (o *outbox) wake() {
	if len(o.dirty) == 0 {
		return
	}
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take returns what to send, and under which number.
func (o *outbox) take() ([]n.AllocID, uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ids := slices.Sorted(maps.Keys(o.dirty))
	ids = ids[:min(len(ids), updateBatch)]
	o.seq++
	for _, id := range ids {
		delete(o.dirty, id)
		delete(o.fresh, id)
		o.sent[id] = o.seq
	}
	o.wake()
	return ids, o.seq
}

// ack notes that a server has all batches up to a number.
func (o *outbox) ack(seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, s := range o.sent {
		if s <= seq {
			delete(o.sent, id)
		}
	}
	o.settle()
}

// rewind makes all that was not acknowledged be sent again, in a new session.
func (o *outbox) rewind() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.sent {
		o.dirty[id], o.fresh[id] = true, true
	}
	clear(o.sent)
	o.wake()
}

// drop forgets an allocation.
func (o *outbox) drop(id n.AllocID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.dirty, id)
	delete(o.fresh, id)
	delete(o.sent, id)
	o.settle()
}

// owes reports that the servers have not acknowledged all of an allocation.
func (o *outbox) owes(id n.AllocID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, sent := o.sent[id]
	return sent || o.dirty[id]
}

// settle tells those who wait for the outbox to be empty; the caller holds mu.
func (o *outbox) settle() {
	if o.empty != nil && len(o.dirty)+len(o.sent) == 0 {
		close(o.empty)
		o.empty = nil
	}
}

// drained waits until everything is acknowledged; false means that ctx ended.
func (o *outbox) drained(ctx context.Context) bool {
	o.mu.Lock()
	if o.empty == nil {
		o.empty = make(chan struct{})
	}
	empty := o.empty
	o.settle()
	o.mu.Unlock()
	select {
	case <-empty:
		return true
	case <-ctx.Done():
		return false
	}
}
