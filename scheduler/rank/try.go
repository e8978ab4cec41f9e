package rank

import (
	"math/rand/v2"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Room says what there is too little of on a node for a group, or "". used is what
// its allocations would use with the group, and allocs how many they are without it.
func Room(node *n.Node, used Usage, allocs int) (lacking string) {
	if node.NodeMaxAllocs > 0 && allocs >= node.NodeMaxAllocs {
		return "max allocation exceeded"
	}
	return used.lacking(Capacity(node))
}

// Give gives a group what it asks for on a node that has room for it, beside what on
// says to be there.
// lacking says in words what there is none of, or is "".
func Give(node *n.Node, on func(n.NodeID) []*n.Allocation, g *n.Group, ask *n.AllocatedResources, rng *rand.Rand) (given *n.AllocatedResources, lacking string) {
	if !wantsNetwork(g) {
		return ask, ""
	}
	given, err := assign(node, on(node.ID), g, ask, rng)
	if err != nil {
		return nil, "network: " + err.Error()
	}
	return given, ""
}

// assign adds ports to what is asked for.
func assign(node *n.Node, allocs []*n.Allocation, g *n.Group, ask *n.AllocatedResources, rng *rand.Rand) (*n.AllocatedResources, error) {
	ports := NewPorts(node)
	for _, a := range allocs {
		ports.Add(a)
	}
	out := *ask
	for i := range g.Networks {
		w, given, err := ports.Assign(&g.Networks[i], rng)
		if err != nil {
			return nil, err
		}
		out.Shared.Networks = append(out.Shared.Networks, w)
		out.Shared.Ports = append(out.Shared.Ports, given...)
	}
	out.Tasks = make(map[string]*n.AllocatedTask, len(ask.Tasks))
	for i := range g.Tasks {
		t := *ask.Tasks[g.Tasks[i].Name]
		if r := g.Tasks[i].Resources; r != nil {
			for j := range r.Networks {
				w, _, err := ports.Assign(&r.Networks[j], rng)
				if err != nil {
					return nil, err
				}
				t.Networks = append(t.Networks, w)
			}
		}
		out.Tasks[g.Tasks[i].Name] = &t
	}
	return &out, nil
}

func wantsNetwork(g *n.Group) bool {
	if len(g.Networks) > 0 {
		return true
	}
	for i := range g.Tasks {
		if r := g.Tasks[i].Resources; r != nil && len(r.Networks) > 0 {
			return true
		}
	}
	return false
}
