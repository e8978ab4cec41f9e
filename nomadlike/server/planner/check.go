package planner

import (
	"maps"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// A View is the state that plans are checked against.
type View interface {
	Index() uint64
	Node(n.NodeID) *n.Node
	Alloc(n.AllocID) *n.Allocation
	NodeAllocs(n.NodeID) []*n.Allocation // that are not terminal
	// Fleet knows what is used of each node; nil if that is not known.
	Fleet() *fleet.Fleet
}

// Check returns the part of a plan that is still possible. A node's part is
// taken whole or not at all; with AllAtOnce the whole plan is.
func Check(v View, p *n.Plan, fit Fit) *n.PlanResult {
	r := &n.PlanResult{
		NodeUpdate: map[n.NodeID][]*n.Allocation{}, NodeAllocation: map[n.NodeID][]*n.Allocation{}, NodePreemptions: map[n.NodeID][]*n.Allocation{},
		Deployment: p.Deployment, DeploymentUpdates: p.DeploymentUpdates, RejectedNodes: map[n.NodeID]string{},
	}
	for _, id := range planNodes(p) {
		if why := checkNode(v, p, id, fit); why != "" {
			r.RejectedNodes[id] = why
			continue
		}
		take(r.NodeUpdate, p.NodeUpdate, id)
		take(r.NodeAllocation, p.NodeAllocation, id)
		take(r.NodePreemptions, p.NodePreemptions, id)
	}
	if len(r.RejectedNodes) == 0 {
		return r
	}
	r.RefreshIndex = max(v.Index(), 1)
	if p.AllAtOnce {
		return &n.PlanResult{RejectedNodes: r.RejectedNodes, RefreshIndex: r.RefreshIndex}
	}
	return r
}

func take(dst, src map[n.NodeID][]*n.Allocation, id n.NodeID) {
	if len(src[id]) > 0 {
		dst[id] = src[id]
	}
}

// checkNode returns in words why a node can not take its part of the plan, or
// "" if it can. The texts are those of the scheduling reference, 2.3.
func checkNode(v View, p *n.Plan, id n.NodeID, fit Fit) string {
	placed := slices.DeleteFunc(slices.Clone(p.NodeAllocation[id]), func(a *n.Allocation) bool {
		old := v.Alloc(a.ID)
		return old != nil && old.ClientStatus.Terminal() // nothing of it runs: only its record changes
	})
	if len(placed) == 0 {
		return "" // only stops
	}
	node := v.Node(id)
	switch {
	case node == nil:
		return "node does not exist"
	case node.Status == n.NodeDisconnected:
		if all(placed, isUnknown) {
			return ""
		}
		return "node is disconnected and contains invalid updates"
	case node.Status == n.NodeDown:
		if all(placed, func(a *n.Allocation) bool { return a.ClientStatus == n.ClientLost || isUnknown(a) && awaited(p.Job, a) }) {
			return ""
		}
		return "node is down and contains invalid updates"
	case node.Status != n.NodeReady:
		return "node is not ready for placements"
	case all(placed, func(a *n.Allocation) bool {
		old := v.Alloc(a.ID)
		return old != nil && !old.Terminal() && old.NodeID == id
	}):
		return "" // nothing new
	case !node.Ready():
		return "node is not eligible"
	}
	if roomy(v.Fleet(), node, p.NodeAllocation[id]) {
		return ""
	}
	if ok, lacking := fit(node, proposed(v, p, id)); !ok {
		return lacking
	}
	return ""
}

// awaited reports an allocation that is not replaced while its node is down.
func awaited(job *n.Job, a *n.Allocation) bool {
	if job == nil || job.Group(a.TaskGroup) == nil {
		return false
	}
	return !job.Group(a.TaskGroup).ReplacesUnknown()
}

func isUnknown(a *n.Allocation) bool { return a.ClientStatus == n.ClientUnknown }

// roomy reports a node that has room for allocations beside all that is there, if
// they ask for nothing but amounts. Then it does not matter what each of those there
// has, nor which of them goes, and looking at all of them is spared.
func roomy(f *fleet.Fleet, node *n.Node, placed []*n.Allocation) bool {
	if f == nil {
		return false
	}
	at, ok := f.Position(node.ID)
	if !ok || f.At(at).Node == nil {
		return false
	}
	used, allocs := f.At(at).Usage, f.At(at).Allocs
	var last *n.AllocatedResources
	var each rank.Usage
	for _, a := range placed {
		if r := a.AllocatedResources; r != last {
			if !rank.Countable(r) {
				return false
			}
			last, each = r, rank.Used(r)
		}
		used = used.Plus(each)
	}
	return rank.Room(node, used, allocs+len(placed)-1) == ""
}

// proposed lists what would run on the node.
func proposed(v View, p *n.Plan, id n.NodeID) []*n.Allocation {
	gone := map[n.AllocID]bool{}
	for _, list := range [][]*n.Allocation{p.NodeUpdate[id], p.NodePreemptions[id], p.NodeAllocation[id]} {
		for _, a := range list {
			gone[a.ID] = true
		}
	}
	var out []*n.Allocation
	for _, a := range v.NodeAllocs(id) {
		if !gone[a.ID] {
			out = append(out, a)
		}
	}
	for _, a := range p.NodeAllocation[id] {
		if !a.ClientStatus.Terminal() {
			out = append(out, a)
		}
	}
	return out
}

func all(list []*n.Allocation, ok func(*n.Allocation) bool) bool {
	return !slices.ContainsFunc(list, func(a *n.Allocation) bool { return !ok(a) })
}

// planNodes lists the nodes of a plan in order.
func planNodes(p *n.Plan) []n.NodeID {
	ids := slices.Collect(maps.Keys(p.NodeAllocation))
	ids = slices.AppendSeq(ids, maps.Keys(p.NodeUpdate))
	ids = slices.AppendSeq(ids, maps.Keys(p.NodePreemptions))
	slices.Sort(ids)
	return slices.Compact(ids)
}

func sortedNodes(m map[n.NodeID][]*n.Allocation) []n.NodeID { return slices.Sorted(maps.Keys(m)) }
