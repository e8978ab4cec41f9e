package planner

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// view is a state of some nodes and allocations.
type view struct {
	nodes  map[n.NodeID]*n.Node
	allocs map[n.AllocID]*n.Allocation
	fleet  *fleet.Fleet
}

func (v view) Fleet() *fleet.Fleet { return v.fleet }

func (v view) Index() uint64                    { return 77 }
func (v view) Node(id n.NodeID) *n.Node         { return v.nodes[id] }
func (v view) Alloc(id n.AllocID) *n.Allocation { return v.allocs[id] }
func (v view) NodeAllocs(id n.NodeID) (out []*n.Allocation) {
	for _, a := range v.allocs {
		if a.NodeID == id && !a.Terminal() {
			out = append(out, a)
		}
	}
	return out
}

// two is a Fit of nodes that hold two allocations each.
func two(_ *n.Node, allocs []*n.Allocation) (bool, string) { return len(allocs) <= 2, "cpu" }

func TestCheck(t *testing.T) {
	alloc := func(id n.AllocID, node n.NodeID) *n.Allocation {
		return &n.Allocation{ID: id, NodeID: node, DesiredStatus: n.DesiredRun, ClientStatus: n.ClientRunning}
	}
	unknown := func(a *n.Allocation) *n.Allocation {
		a.ClientStatus, a.TaskGroup = n.ClientUnknown, "g"
		return a
	}
	waits := func(replace bool) *n.Job {
		return &n.Job{TaskGroups: []n.Group{{Name: "g", Disconnect: &n.Disconnect{Replace: replace}}}}
	}
	lost := func(a *n.Allocation) *n.Allocation { a.ClientStatus = n.ClientLost; return a }
	nodes := func() map[n.NodeID]*n.Node {
		ready := func(id n.NodeID) *n.Node {
			return &n.Node{ID: id, Status: n.NodeReady, SchedulingEligibility: n.NodeEligible}
		}
		out := map[n.NodeID]*n.Node{"a": ready("a"), "b": ready("b"), "down": ready("down"), "ineligible": ready("ineligible"), "drain": ready("drain"), "new": ready("new"), "silent": ready("silent")}
		out["down"].Status, out["new"].Status, out["silent"].Status = n.NodeDown, n.NodeInitializing, n.NodeDisconnected
		out["ineligible"].SchedulingEligibility = n.NodeIneligible
		out["drain"].DrainStrategy = &n.DrainStrategy{}
		return out
	}
	type byNode = map[n.NodeID][]*n.Allocation
	for _, c := range []struct {
		name     string
		there    []*n.Allocation
		plan     n.Plan
		rejected map[n.NodeID]string
	}{
		{name: "it fits", plan: n.Plan{NodeAllocation: byNode{"a": {alloc("1", "a"), alloc("2", "a")}}}},
		{
			name: "another plan was faster", there: []*n.Allocation{alloc("x", "a"), alloc("y", "a")},
			plan: n.Plan{NodeAllocation: byNode{"a": {alloc("1", "a")}, "b": {alloc("2", "b")}}}, rejected: map[n.NodeID]string{"a": "cpu"},
		},
		{
			name: "room is made by the same plan", there: []*n.Allocation{alloc("x", "a"), alloc("y", "a")},
			plan: n.Plan{NodeUpdate: byNode{"a": {alloc("x", "a")}}, NodeAllocation: byNode{"a": {alloc("1", "a")}}},
		},
		{
			name: "room is made by preemption", there: []*n.Allocation{alloc("x", "a"), alloc("y", "a")},
			plan: n.Plan{NodePreemptions: byNode{"a": {alloc("x", "a")}}, NodeAllocation: byNode{"a": {alloc("1", "a")}}},
		},
		{name: "stops are always possible", there: []*n.Allocation{alloc("x", "down")}, plan: n.Plan{NodeUpdate: byNode{"down": {alloc("x", "down")}}}},
		{name: "no such node", plan: n.Plan{NodeAllocation: byNode{"gone": {alloc("1", "gone")}}}, rejected: map[n.NodeID]string{"gone": "node does not exist"}},
		{name: "a node that is down", plan: n.Plan{NodeAllocation: byNode{"down": {alloc("1", "down")}}}, rejected: map[n.NodeID]string{"down": "node is down and contains invalid updates"}},
		{name: "what is lost there", there: []*n.Allocation{alloc("x", "down")}, plan: n.Plan{NodeAllocation: byNode{"down": {lost(alloc("x", "down"))}}}},
		{name: "what is unknown there, and waited for", there: []*n.Allocation{alloc("x", "down")}, plan: n.Plan{Job: waits(false), NodeAllocation: byNode{"down": {unknown(alloc("x", "down"))}}}},
		{name: "what is unknown there, and replaced", there: []*n.Allocation{alloc("x", "down")}, plan: n.Plan{Job: waits(true), NodeAllocation: byNode{"down": {unknown(alloc("x", "down"))}}}, rejected: map[n.NodeID]string{"down": "node is down and contains invalid updates"}},
		{name: "what is unknown on a silent node", there: []*n.Allocation{alloc("x", "silent")}, plan: n.Plan{Job: waits(true), NodeAllocation: byNode{"silent": {unknown(alloc("x", "silent"))}}}},
		{name: "something new on a silent node", plan: n.Plan{NodeAllocation: byNode{"silent": {alloc("1", "silent")}}}, rejected: map[n.NodeID]string{"silent": "node is disconnected and contains invalid updates"}},
		{name: "a node that was never ready", plan: n.Plan{NodeAllocation: byNode{"new": {alloc("1", "new")}}}, rejected: map[n.NodeID]string{"new": "node is not ready for placements"}},
		{name: "a node that takes nothing new", plan: n.Plan{NodeAllocation: byNode{"ineligible": {alloc("1", "ineligible")}}}, rejected: map[n.NodeID]string{"ineligible": "node is not eligible"}},
		{name: "a node that drains", plan: n.Plan{NodeAllocation: byNode{"drain": {alloc("1", "drain")}}}, rejected: map[n.NodeID]string{"drain": "node is not eligible"}},
		{
			name: "changes in place go on there", there: []*n.Allocation{alloc("x", "ineligible")},
			plan: n.Plan{NodeAllocation: byNode{"ineligible": {alloc("x", "ineligible")}}},
		},
		{
			name: "all or nothing", plan: n.Plan{AllAtOnce: true, NodeAllocation: byNode{"a": {alloc("1", "a")}, "down": {alloc("2", "down")}}},
			rejected: map[n.NodeID]string{"down": "node is down and contains invalid updates"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view{nodes: nodes(), allocs: map[n.AllocID]*n.Allocation{}}
			for _, a := range c.there {
				v.allocs[a.ID] = a
			}
			r := Check(v, &c.plan, two)
			for id := range nodes() {
				if r.RejectedNodes[id] != c.rejected[id] {
					t.Errorf("%s: rejected for %q; want %q", id, r.RejectedNodes[id], c.rejected[id])
				}
			}
			if len(r.RejectedNodes) != len(c.rejected) {
				t.Errorf("rejected: %v; want %v", r.RejectedNodes, c.rejected)
			}
			if refresh := r.RefreshIndex != 0; refresh != (len(c.rejected) > 0) {
				t.Errorf("RefreshIndex %d", r.RefreshIndex)
			}
			for id, list := range c.plan.NodeAllocation {
				want := len(list)
				if c.rejected[id] != "" || c.plan.AllAtOnce && len(c.rejected) > 0 {
					want = 0
				}
				if len(r.NodeAllocation[id]) != want {
					t.Errorf("%d of %d are taken on %s; want %d", len(r.NodeAllocation[id]), len(list), id, want)
				}
			}
		})
	}
}

// TestRoomy checks random plans with what is known of nodes and without: it makes no
// difference.
func TestRoomy(t *testing.T) {
	accepted, rejected := 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		alloc := func(node n.NodeID) *n.Allocation {
			task := &n.AllocatedTask{Memory: n.AllocatedMemory{MemoryMB: int64(r.IntN(40))}, Cpu: n.AllocatedCPU{CpuShares: int64(r.IntN(40))}}
			a := &n.Allocation{
				ID: n.AllocID(fmt.Sprint(r.Uint64())), NodeID: node, DesiredStatus: []n.DesiredStatus{n.DesiredRun, n.DesiredStop}[r.IntN(5)/4],
				ClientStatus:       []n.ClientStatus{n.ClientRunning, n.ClientComplete}[r.IntN(5)/4],
				AllocatedResources: &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{"t": task}},
			}
			if r.IntN(8) == 0 {
				task.Cpu.ReservedCores = []uint16{uint16(r.IntN(2000))}
			}
			return a
		}
		v := view{nodes: map[n.NodeID]*n.Node{}, allocs: map[n.AllocID]*n.Allocation{}}
		plan := &n.Plan{NodeAllocation: map[n.NodeID][]*n.Allocation{}, NodeUpdate: map[n.NodeID][]*n.Allocation{}}
		for i := range 20 {
			id := n.NodeID(fmt.Sprint("n", i))
			v.nodes[id] = &n.Node{ID: id, Status: n.NodeReady, SchedulingEligibility: n.NodeEligible, NodeMaxAllocs: r.IntN(2) * 6, NodeResources: n.NodeResources{Cpu: n.NodeCPU{CpuShares: 150}, Memory: n.NodeMemory{MemoryMB: 150}}}
			for range r.IntN(7) {
				a := alloc(id)
				v.allocs[a.ID] = a
				if r.IntN(4) == 0 {
					plan.NodeUpdate[id] = append(plan.NodeUpdate[id], a)
				}
			}
			for range r.IntN(4) {
				a := alloc(id)
				a.DesiredStatus, a.ClientStatus = n.DesiredRun, n.ClientPending
				plan.NodeAllocation[id] = append(plan.NodeAllocation[id], a)
			}
		}
		slow := Check(v, plan, rank.Fits)
		v.fleet = fleet.Of(maps.Values(v.nodes), maps.Values(v.allocs))
		fast := Check(v, plan, rank.Fits)
		if !maps.Equal(slow.RejectedNodes, fast.RejectedNodes) {
			t.Errorf("seed %d: rejected %v; want %v", seed, fast.RejectedNodes, slow.RejectedNodes)
		}
		rejected += len(fast.RejectedNodes)
		accepted += len(fast.NodeAllocation)
	}
	if accepted < 100 || rejected < 100 {
		t.Errorf("%d accepted, %d rejected", accepted, rejected)
	}
}
