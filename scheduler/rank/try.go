package rank

import (
	"math/rand/v2"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Try gives a group what it asks for on a node, beside allocs. lacking names in
// words what there is too little of, or is "".
func Try(node *n.Node, allocs []*n.Allocation, g *n.Group, ask *n.AllocatedResources, rng *rand.Rand) (c *Candidate, lacking string) {
	if node.NodeMaxAllocs > 0 && len(allocs) >= node.NodeMaxAllocs {
		return nil, "max allocation exceeded"
	}
	used := Sum(allocs).plus(Used(ask))
	if dim := used.lacking(Capacity(node)); dim != "" {
		return nil, dim
	}
	given, err := assign(node, allocs, g, ask, rng)
	if err != nil {
		return nil, "network: " + err.Error()
	}
	return &Candidate{Node: node, Allocs: allocs, Used: used, Resources: given}, ""
}

// assign adds ports to what is asked for; without any, the ask is shared.
func assign(node *n.Node, allocs []*n.Allocation, g *n.Group, ask *n.AllocatedResources, rng *rand.Rand) (*n.AllocatedResources, error) {
	if !wantsNetwork(g) {
		return ask, nil
	}
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
