// Package blocked keeps the evaluations that found no room, and gives them back
// when room appears where they could use it. It lives in the leader's memory
// and is filled from the state store when a leader begins.
package blocked

import (
	"sync"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Evaluations keeps blocked evaluations, at most one for a job; those of system
// jobs at most one for a job and node. It is safe for use by many goroutines.
type Evaluations struct {
	// wake gets evaluations whose time has come.
	wake func(...*n.Evaluation)

	mu       sync.Mutex
	enabled  bool
	byKey    map[key]*n.Evaluation
	byID     map[n.EvalID]key
	replaced []*n.Evaluation
	// unblocked remembers at which raft index room last appeared, so that an
	// evaluation decided on older state does not sleep through it.
	unblocked map[string]uint64 // by computed class
	nodes     map[n.NodeID]uint64
	anything  uint64
}

type key struct {
	job  n.JobKey
	node n.NodeID
}

// New gives evaluations back to wake.
func New(wake func(...*n.Evaluation)) *Evaluations {
	e := &Evaluations{wake: wake}
	e.reset()
	return e
}

func (b *Evaluations) reset() {
	b.byKey = map[key]*n.Evaluation{}
	b.byID = map[n.EvalID]key{}
	b.unblocked = map[string]uint64{}
	b.nodes = map[n.NodeID]uint64{}
	b.anything = 0
	b.replaced = nil
}

// SetEnabled starts or ends the keeping. Ending forgets everything.
func (b *Evaluations) SetEnabled(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.enabled != on {
		b.enabled = on
		b.reset()
	}
}

// Block keeps an evaluation until room appears, or gives it back at once when
// room appeared since the state that it was decided on.
func (b *Evaluations) Block(e *n.Evaluation) {
	b.mu.Lock()
	missed := b.block(e)
	b.mu.Unlock()
	if missed {
		b.wake(e)
	}
}

func (b *Evaluations) block(e *n.Evaluation) (missed bool) {
	if !b.enabled {
		return false
	}
	if b.missed(e) {
		return true
	}
	k := key{e.JobKey(), e.NodeID}
	if old := b.byKey[k]; old != nil && old.ID != e.ID {
		loser := old
		if decidedAt(old) > decidedAt(e) {
			loser = e
		}
		b.replaced = append(b.replaced, loser)
		if loser == e {
			return false
		}
		delete(b.byID, old.ID)
	}
	b.byKey[k] = e
	b.byID[e.ID] = k
	return false
}

func decidedAt(e *n.Evaluation) uint64 { return max(e.CreateIndex, e.SnapshotIndex) }

// missed reports room that appeared after e's state.
func (b *Evaluations) missed(e *n.Evaluation) bool {
	if b.nodes[e.NodeID] > e.SnapshotIndex && e.NodeID != "" {
		return true
	}
	if e.EscapedComputedClass {
		return b.anything > e.SnapshotIndex
	}
	for class, index := range b.unblocked {
		if index <= e.SnapshotIndex {
			continue
		}
		if eligible, seen := e.ClassEligibility[class]; eligible || !seen {
			return true
		}
	}
	return false
}

// Unblock says that nodes of a class, and node among them, have more room as of
// index. Evaluations that know the class to be useless sleep on.
func (b *Evaluations) Unblock(class string, node n.NodeID, index uint64) {
	b.give(func(e *n.Evaluation) bool {
		if e.NodeID != "" {
			return e.NodeID == node
		}
		if e.EscapedComputedClass {
			return true
		}
		eligible, seen := e.ClassEligibility[class]
		return eligible || !seen
	}, func() {
		b.unblocked[class] = index
		b.nodes[node] = index
		b.anything = index
	})
}

// UnblockFailed gives back what was blocked because plans kept colliding.
func (b *Evaluations) UnblockFailed() {
	b.give(func(e *n.Evaluation) bool { return e.TriggeredBy == n.TriggerMaxPlans }, func() {})
}

func (b *Evaluations) give(which func(*n.Evaluation) bool, note func()) {
	b.mu.Lock()
	if !b.enabled {
		b.mu.Unlock()
		return
	}
	note()
	var out []*n.Evaluation
	for k, e := range b.byKey {
		if which(e) {
			out = append(out, e)
			delete(b.byKey, k)
			delete(b.byID, e.ID)
		}
	}
	b.mu.Unlock()
	if len(out) > 0 {
		b.wake(out...)
	}
}

// Forget drops a job's evaluations, because it was placed whole or is gone.
func (b *Evaluations) Forget(job n.JobKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, e := range b.byKey {
		if k.job == job {
			delete(b.byKey, k)
			delete(b.byID, e.ID)
		}
	}
}

// Prune forgets at which index room appeared, where that was before index:
// evaluations older than that are gone.
func (b *Evaluations) Prune(index uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for class, at := range b.unblocked {
		if at < index {
			delete(b.unblocked, class)
		}
	}
	for node, at := range b.nodes {
		if at < index {
			delete(b.nodes, node)
		}
	}
}

// Replaced takes the evaluations that a newer one of their job made needless.
func (b *Evaluations) Replaced() []*n.Evaluation {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.replaced
	b.replaced = nil
	return r
}

// Len counts what is blocked.
func (b *Evaluations) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.byKey)
}
