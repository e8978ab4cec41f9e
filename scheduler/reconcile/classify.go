package reconcile

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// classes of a group's allocations; see the scheduling reference, 5.3.
type classes struct {
	untainted, migrate, lost []*n.Allocation
	ignored                  int
}

func classify(in *Input, allocs []*n.Allocation) (c classes) {
	for _, a := range allocs {
		node := in.Node(a.NodeID)
		asked := n.Asked(a.DesiredTransition.Migrate)
		switch {
		case a.ServerTerminal() && n.Asked(a.DesiredTransition.MigrateDisablePlacement):
			c.untainted = append(c.untainted, a)
		case a.ServerTerminal():
			c.ignored++
		case a.Terminal() && a.IsCanary() && asked:
			c.migrate = append(c.migrate, a)
		case a.Terminal():
			c.untainted = append(c.untainted, a)
		case asked && !down(node):
			c.migrate = append(c.migrate, a)
		case down(node):
			c.lost = append(c.lost, a)
		default:
			c.untainted = append(c.untainted, a)
		}
	}
	return c
}

// without returns those of list that are not in gone.
func without(list, gone []*n.Allocation) []*n.Allocation {
	out := set(gone)
	var left []*n.Allocation
	for _, a := range list {
		if !out[a.ID] {
			left = append(left, a)
		}
	}
	return left
}

func set(list []*n.Allocation) map[n.AllocID]bool {
	m := make(map[n.AllocID]bool, len(list))
	for _, a := range list {
		m[a.ID] = true
	}
	return m
}

func filter(list []*n.Allocation, keep func(*n.Allocation) bool) (in, out []*n.Allocation) {
	for _, a := range list {
		if keep(a) {
			in = append(in, a)
		} else {
			out = append(out, a)
		}
	}
	return in, out
}
