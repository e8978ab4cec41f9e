// Package rank decides whether a group fits beside what already runs on a node,
// which ports it gets, and how good a place the node is. It is pure. Each rating
// is a Scorer, registered by name.
//
// A rating more for all jobs is a Scorer that is registered before any scheduling:
//
//	rank.Register(rank.Scorer{Name: "newest", Alone: true, Make: newest})
//
// Make is called once for each group and returns a Score of nodes, or nil where it has
// nothing to say. The score of a node must depend on nothing but the node and what runs
// on it: nodes are kept in the order of their scores, and only those on which something
// changes are rated again. The score by which nodes are chosen is the mean of those that
// apply, so that each should lie within -1 and 1. Ratings for the jobs that ask for them
// alone are made with scheduler.Rated.
package rank

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Usage is an amount of what nodes have. CPU is in MHz.
type Usage struct{ CPU, MemoryMB, DiskMB int64 }

// Plus is both amounts together.
func (u Usage) Plus(o Usage) Usage {
	return Usage{u.CPU + o.CPU, u.MemoryMB + o.MemoryMB, u.DiskMB + o.DiskMB}
}

// Minus is what is left of an amount.
func (u Usage) Minus(o Usage) Usage {
	return Usage{u.CPU - o.CPU, u.MemoryMB - o.MemoryMB, u.DiskMB - o.DiskMB}
}

func (u Usage) most(o Usage) Usage {
	return Usage{max(u.CPU, o.CPU), max(u.MemoryMB, o.MemoryMB), max(u.DiskMB, o.DiskMB)}
}

// lacking names the first dimension in which u exceeds a capacity, or "".
func (u Usage) lacking(capacity Usage) string {
	switch {
	case u.CPU > capacity.CPU:
		return "cpu"
	case u.MemoryMB > capacity.MemoryMB:
		return "memory"
	case u.DiskMB > capacity.DiskMB:
		return "disk"
	}
	return ""
}

// Capacity is what a node has for allocations.
func Capacity(node *n.Node) Usage {
	r, kept := &node.NodeResources, &node.ReservedResources
	return Usage{
		CPU:      r.Cpu.CpuShares - int64(kept.Cpu.CpuShares),
		MemoryMB: r.Memory.MemoryMB - kept.Memory.MemoryMB,
		DiskMB:   r.Disk.DiskMB - kept.Disk.DiskMB,
	}
}

// Used is what an allocation takes at most at any moment of its life: prestart
// tasks end before the main ones begin, poststop tasks come after them, and
// sidecars run beside them.
func Used(r *n.AllocatedResources) Usage {
	if r == nil {
		return Usage{}
	}
	var pre, main, post Usage
	cores := int64(0)
	for name, t := range r.Tasks {
		if len(t.Cpu.ReservedCores) > 0 { // it has them all the time
			cores += t.Cpu.CpuShares
		}
		u := Usage{CPU: shares(t), MemoryMB: t.Memory.MemoryMB}
		switch l := r.TaskLifecycles[name]; {
		case l == nil || l.Hook == n.HookPoststart:
			main = main.Plus(u)
		case l.Hook == n.HookPoststop:
			post = post.Plus(u)
		case l.Sidecar:
			pre, main = pre.Plus(u), main.Plus(u)
		default:
			pre = pre.Plus(u)
		}
	}
	return pre.most(main).most(post).Plus(Usage{CPU: cores, DiskMB: r.Shared.DiskMB})
}

// Countable reports resources of which nothing is given out by name: no ports,
// devices or cores. Whether they fit is a matter of sums alone.
func Countable(r *n.AllocatedResources) bool {
	if r == nil {
		return true
	}
	for _, t := range r.Tasks {
		if len(t.Cpu.ReservedCores)+len(t.Networks)+len(t.Devices) > 0 {
			return false
		}
	}
	return len(r.Shared.Networks)+len(r.Shared.Ports) == 0
}

// shares are what a task uses of the processors that others use, too.
func shares(t *n.AllocatedTask) int64 {
	if len(t.Cpu.ReservedCores) > 0 {
		return 0
	}
	return t.Cpu.CpuShares
}

// Sum is what allocations use together.
func Sum(allocs []*n.Allocation) (u Usage) {
	for _, a := range allocs {
		u = u.Plus(Used(a.AllocatedResources))
	}
	return u
}

// Fits reports whether allocations fit on a node together, and if not, what
// there is too little of.
func Fits(node *n.Node, allocs []*n.Allocation) (ok bool, lacking string) {
	if node.NodeMaxAllocs > 0 && len(allocs) > node.NodeMaxAllocs {
		return false, TooManyAllocs
	}
	dim := Sum(allocs).lacking(Capacity(node))
	if dim != "cpu" && sharedCore(allocs) {
		dim = "cores"
	}
	if dim != "" {
		return false, dim
	}
	ports := NewPorts(node)
	for _, a := range allocs {
		if clash := ports.Add(a); clash != "" {
			return false, "reserved alloc port collision: " + clash
		}
	}
	if _, twice := takenDevices(allocs); twice {
		return false, "device oversubscribed"
	}
	return true, ""
}

// Ask is what a group asks for, in the form in which it would be given.
// Oversubscribe says whether memory_max counts.
func Ask(g *n.Group, oversubscribe bool) *n.AllocatedResources {
	r := &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{}, TaskLifecycles: map[string]*n.Lifecycle{}}
	if g.EphemeralDisk != nil {
		r.Shared.DiskMB = int64(g.EphemeralDisk.SizeMB)
	}
	for i := range g.Tasks {
		t := &g.Tasks[i]
		at := &n.AllocatedTask{}
		if w := t.Resources; w != nil {
			if w.Cores == 0 {
				at.Cpu.CpuShares = int64(w.CPU)
			}
			at.Memory.MemoryMB = int64(w.MemoryMB)
			if w.SecretsMB != nil {
				at.Memory.MemoryMB += int64(*w.SecretsMB)
			}
			if oversubscribe && w.MemoryMaxMB != nil {
				at.Memory.MemoryMaxMB = int64(*w.MemoryMaxMB)
			}
		}
		r.Tasks[t.Name] = at
		r.TaskLifecycles[t.Name] = t.Lifecycle
	}
	return r
}

// portRange returns the ports that are chosen from on a node.
func portRange(node *n.Node) (lowest, highest int) {
	lowest, highest = node.NodeResources.MinDynamicPort, node.NodeResources.MaxDynamicPort
	if lowest == 0 {
		lowest = 20000
	}
	if highest == 0 {
		highest = 32000
	}
	return lowest, highest
}

func clashText(label string, port int) string { return fmt.Sprintf("%s=%d", label, port) }
