package fleet_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
)

// TestFleet changes nodes and allocations at random: the fleet is what one made of
// all of them anew is, and those of earlier states stay as they were.
func TestFleet(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		nodes, allocs := map[n.NodeID]*n.Node{}, map[n.AllocID]*n.Allocation{}
		f := fleet.New()
		var earlier []*fleet.Fleet
		var texts []string
		for range 60 {
			c := f.Change()
			for range r.IntN(8) {
				id := n.NodeID(fmt.Sprint("n", r.IntN(200)))
				node := &n.Node{ID: id, ComputedClass: fmt.Sprint("c", r.IntN(3))}
				if r.IntN(4) == 0 {
					node = nil
					delete(nodes, id)
				} else {
					nodes[id] = node
				}
				c.Node(id, node)
			}
			for range r.IntN(20) {
				id := n.AllocID(fmt.Sprint("a", r.IntN(300)))
				a := &n.Allocation{ID: id, NodeID: n.NodeID(fmt.Sprint("n", r.IntN(200))), ClientStatus: n.ClientRunning, AllocatedResources: resources(int64(r.IntN(100)))}
				if r.IntN(3) == 0 {
					a.ClientStatus = n.ClientComplete
				}
				c.Alloc(allocs[id], a)
				if allocs[id] = a; r.IntN(5) == 0 {
					c.Alloc(a, nil)
					delete(allocs, id)
				}
			}
			f = c.Done()
			want := text(fleet.Of(maps.Values(nodes), maps.Values(allocs)))
			if have := text(f); have != want {
				t.Fatalf("seed %d:\n%s\nwant\n%s", seed, have, want)
			}
			earlier, texts = append(earlier, f), append(texts, want)
		}
		for i, f := range earlier {
			if text(f) != texts[i] {
				t.Fatalf("seed %d: fleet %d has changed", seed, i)
			}
		}
	}
}

func resources(mb int64) *n.AllocatedResources {
	return &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{"t": {Memory: n.AllocatedMemory{MemoryMB: mb}}}}
}

// text shows the nodes of a fleet and what stands where there is none.
func text(f *fleet.Fleet) string {
	var lines []string
	for i := range f.Len() {
		m := f.At(i)
		if m.Node == nil {
			continue
		}
		if at, ok := f.Position(m.Node.ID); !ok || at != i {
			lines = append(lines, fmt.Sprintf("%s stands at %d, not %d", m.Node.ID, at, i))
		}
		lines = append(lines, fmt.Sprintf("%s %s %d allocations, %d MB", m.Node.ID, m.Node.ComputedClass, m.Allocs, m.Usage.MemoryMB))
	}
	slices.Sort(lines)
	return fmt.Sprint(lines)
}
