// Package fleet knows all nodes with what their allocations use together, so that a
// scheduler can look at each of them without asking for each allocation. A Fleet
// belongs to one state and never changes: what has changed is a new one, which
// shares all else with it.
package fleet

import (
	"hash/fnv"
	"iter"
	"sync"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// A Member is a node of the fleet.
type Member struct {
	Node   *n.Node
	Hash   uint64 // of the node's ID
	Class  int    // number of its computed class, for this process only
	Usage  rank.Usage
	Allocs int // that use the node: all that have not ended
}

// A Fleet holds the nodes of one state at positions that never change: a node keeps
// its own for as long as the process lives, and those of nodes that are gone stay
// empty.
type Fleet struct {
	names  *names
	blocks []*block
	len    int
}

// blockSize bounds what is copied when one node changes, and how many blocks there
// are to be copied.
const blockSize = 64

type block [blockSize]Member

// names are the positions and class numbers that were given so far. They only grow,
// and all fleets share them.
type names struct {
	sync.RWMutex
	nodes   map[n.NodeID]int
	classes map[string]int
}

// New returns a fleet without nodes.
func New() *Fleet {
	return &Fleet{names: &names{nodes: map[n.NodeID]int{}, classes: map[string]int{}}}
}

// Of returns the fleet of nodes and allocations.
func Of(nodes iter.Seq[*n.Node], allocs iter.Seq[*n.Allocation]) *Fleet {
	c := New().Change()
	for node := range nodes {
		c.Node(node.ID, node)
	}
	for a := range allocs {
		c.Alloc(nil, a)
	}
	return c.Done()
}

// Len is one more than the highest position.
func (f *Fleet) Len() int { return f.len }

// At returns the member at a position; its node is nil where there is none.
func (f *Fleet) At(i int) *Member { return &f.blocks[i/blockSize][i%blockSize] }

// Position returns where a node stands. It may be gone.
func (f *Fleet) Position(id n.NodeID) (int, bool) {
	f.names.RLock()
	defer f.names.RUnlock()
	i, ok := f.names.nodes[id]
	return i, ok && i < f.len
}

// Classes is one more than the highest number of a class.
func (f *Fleet) Classes() int {
	f.names.RLock()
	defer f.names.RUnlock()
	return len(f.names.classes)
}

// A Change makes the next fleet. It is for one goroutine.
type Change struct {
	f      *Fleet
	copied map[int]bool // blocks that belong to this change
}

// Change begins the next fleet; f stays as it is.
func (f *Fleet) Change() *Change {
	next := *f
	next.blocks = append(make([]*block, 0, len(f.blocks)+1), f.blocks...)
	return &Change{f: &next, copied: map[int]bool{}}
}

// Done returns the next fleet. The Change must not be used any more.
func (c *Change) Done() *Fleet { return c.f }

// member returns what may be written.
func (c *Change) member(i int) *Member {
	k := i / blockSize
	for k >= len(c.f.blocks) {
		c.f.blocks = append(c.f.blocks, &block{})
		c.copied[len(c.f.blocks)-1] = true
	}
	if !c.copied[k] {
		b := *c.f.blocks[k]
		c.f.blocks[k], c.copied[k] = &b, true
	}
	c.f.len = max(c.f.len, i+1)
	return &c.f.blocks[k][i%blockSize]
}

func (c *Change) position(id n.NodeID) int {
	c.f.names.Lock()
	defer c.f.names.Unlock()
	i, ok := c.f.names.nodes[id]
	if !ok {
		i = len(c.f.names.nodes)
		c.f.names.nodes[id] = i
	}
	return i
}

func (c *Change) class(name string) int {
	c.f.names.Lock()
	defer c.f.names.Unlock()
	i, ok := c.f.names.classes[name]
	if !ok {
		i = len(c.f.names.classes)
		c.f.names.classes[name] = i
	}
	return i
}

// Node says what a node is now, nil if it is gone.
func (c *Change) Node(id n.NodeID, node *n.Node) {
	m := c.member(c.position(id))
	if m.Node = node; node != nil {
		m.Hash, m.Class = hash(string(id)), c.class(node.ComputedClass)
	}
}

func hash(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // it never fails
	return h.Sum64()
}

// Alloc says what an allocation was and is now, nil if it was not there or is gone.
func (c *Change) Alloc(before, after *n.Allocation) {
	was, is := uses(before), uses(after)
	if was && is && before.NodeID == after.NodeID && before.AllocatedResources == after.AllocatedResources {
		return
	}
	if was {
		m := c.member(c.position(before.NodeID))
		m.Usage, m.Allocs = m.Usage.Minus(rank.Used(before.AllocatedResources)), m.Allocs-1
	}
	if is {
		m := c.member(c.position(after.NodeID))
		m.Usage, m.Allocs = m.Usage.Plus(rank.Used(after.AllocatedResources)), m.Allocs+1
	}
}

// uses reports an allocation that takes room: also one that was told to stop, and
// has not.
func uses(a *n.Allocation) bool { return a != nil && !a.ClientStatus.Terminal() }
