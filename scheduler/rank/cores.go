package rank

import (
	"errors"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// usableCores of a node, the lowest first.
func usableCores(node *n.Node) []uint16 {
	r := &node.NodeResources
	cores := slices.Clone(r.Cpu.ReservableCpuCores)
	if len(cores) == 0 && r.Processors.Topology != nil {
		for _, c := range r.Processors.Topology.Cores {
			if !c.Disable {
				cores = append(cores, c.ID)
			}
		}
	}
	cores = slices.DeleteFunc(cores, func(c uint16) bool { return slices.Contains(node.ReservedResources.Cpu.ReservedCpuCores, c) })
	slices.Sort(cores)
	return cores
}

// coreSpeed is what a core counts for, in MHz.
func coreSpeed(node *n.Node, id uint16) int64 {
	if t := node.NodeResources.Processors.Topology; t != nil {
		for _, c := range t.Cores {
			if speed := max(c.GuessSpeed, c.MaxSpeed, c.BaseSpeed); c.ID == id && speed > 0 {
				if c.GuessSpeed > 0 {
					speed = c.GuessSpeed
				}
				return int64(speed)
			}
		}
	}
	cpu := &node.NodeResources.Cpu
	return cpu.CpuShares / int64(max(cpu.TotalCpuCores, 1))
}

// Cores is how many cores a group's tasks want for themselves.
func Cores(g *n.Group) (cores int) {
	for i := range g.Tasks {
		if r := g.Tasks[i].Resources; r != nil {
			cores += r.Cores
		}
	}
	return cores
}

// CoresUsage is about what so many cores of a node count for: all of its cores taken
// to be alike.
func CoresUsage(node *n.Node, cores int) Usage {
	cpu := &node.NodeResources.Cpu
	return Usage{CPU: cpu.CpuShares / int64(max(cpu.TotalCpuCores, 1)) * int64(cores)}
}

// takenCores are those that allocations have for themselves.
func takenCores(allocs []*n.Allocation) map[uint16]bool {
	taken := map[uint16]bool{}
	for _, a := range allocs {
		if a.AllocatedResources == nil {
			continue
		}
		for _, t := range a.AllocatedResources.Tasks {
			for _, c := range t.Cpu.ReservedCores {
				taken[c] = true
			}
		}
	}
	return taken
}

// FreeCores is how many cores a node has that no allocation has for itself, and how
// many it has when it is empty.
func FreeCores(node *n.Node, allocs []*n.Allocation) (free, all int) {
	taken, cores := takenCores(allocs), usableCores(node)
	for _, c := range cores {
		if !taken[c] {
			free++
		}
	}
	return free, len(cores)
}

var errCores = errors.New("cores")

// giveCores gives tasks the lowest cores that are free.
func giveCores(node *n.Node, allocs []*n.Allocation, g *n.Group, to *n.AllocatedResources) error {
	taken := takenCores(allocs)
	free := slices.DeleteFunc(usableCores(node), func(c uint16) bool { return taken[c] })
	for i := range g.Tasks {
		r := g.Tasks[i].Resources
		if r == nil || r.Cores == 0 {
			continue
		}
		if r.Cores > len(free) {
			return errCores
		}
		t := to.Tasks[g.Tasks[i].Name]
		t.Cpu = n.AllocatedCPU{ReservedCores: slices.Clone(free[:r.Cores])}
		for _, c := range t.Cpu.ReservedCores {
			t.Cpu.CpuShares += coreSpeed(node, c)
		}
		free = free[r.Cores:]
	}
	return nil
}

// sharedCore reports a core that two tasks have for themselves.
func sharedCore(allocs []*n.Allocation) bool {
	seen := map[uint16]bool{}
	for _, a := range allocs {
		if a.AllocatedResources == nil {
			continue
		}
		for _, t := range a.AllocatedResources.Tasks {
			for _, c := range t.Cpu.ReservedCores {
				if seen[c] {
					return true
				}
				seen[c] = true
			}
		}
	}
	return false
}
