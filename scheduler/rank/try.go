package rank

import (
	"math/rand/v2"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Texts of what there is too little of, beside the names of dimensions.
const (
	TooManyAllocs = "max allocation exceeded"
	NoDevices     = "devices: no devices match request"
)

// Room says what there is too little of on a node for a group, or "". used is what
// its allocations would use with the group, and allocs how many they are without it.
func Room(node *n.Node, used Usage, allocs int) (lacking string) {
	if node.NodeMaxAllocs > 0 && allocs >= node.NodeMaxAllocs {
		return TooManyAllocs
	}
	return used.lacking(Capacity(node))
}

// Give gives a group what it asks for on a node that has room for it, beside what on
// says to be there. lacking says in words what there is none of, or is "".
func Give(node *n.Node, on func(n.NodeID) []*n.Allocation, g *n.Group, ask *n.AllocatedResources, rng *rand.Rand) (given *n.AllocatedResources, lacking string) {
	network, cores := wantsNetwork(g), Cores(g) > 0
	devices, _ := wantsDevices(g)
	if !network && !cores && !devices {
		return ask, "" // shared by all that get nothing of their own
	}
	allocs, out := on(node.ID), own(ask)
	if network {
		if err := giveNetworks(node, allocs, g, out, rng); err != nil {
			return nil, "network: " + err.Error()
		}
	}
	if cores {
		if err := giveCores(node, allocs, g, out); err != nil {
			return nil, err.Error()
		}
		if dim := Sum(allocs).Plus(Used(out)).lacking(Capacity(node)); dim != "" {
			return nil, dim
		}
	}
	if devices {
		if _, _, err := giveDevices(node, allocs, g, out); err != nil {
			return nil, err.Error()
		}
	}
	return out, ""
}

// own is a copy of what is asked for, to be completed.
func own(ask *n.AllocatedResources) *n.AllocatedResources {
	out := *ask
	out.Tasks = make(map[string]*n.AllocatedTask, len(ask.Tasks))
	for name, t := range ask.Tasks {
		c := *t
		out.Tasks[name] = &c
	}
	return &out
}

// giveNetworks gives the group's and the tasks' networks their ports.
func giveNetworks(node *n.Node, allocs []*n.Allocation, g *n.Group, to *n.AllocatedResources, rng *rand.Rand) error {
	ports := NewPorts(node)
	for _, a := range allocs {
		ports.Add(a)
	}
	for i := range g.Networks {
		w, given, err := ports.Assign(&g.Networks[i], rng)
		if err != nil {
			return err
		}
		to.Shared.Networks = append(to.Shared.Networks, w)
		to.Shared.Ports = append(to.Shared.Ports, given...)
	}
	for i := range g.Tasks {
		r := g.Tasks[i].Resources
		if r == nil {
			continue
		}
		for j := range r.Networks {
			w, _, err := ports.Assign(&r.Networks[j], rng)
			if err != nil {
				return err
			}
			t := to.Tasks[g.Tasks[i].Name]
			t.Networks = append(t.Networks, w)
		}
	}
	return nil
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
