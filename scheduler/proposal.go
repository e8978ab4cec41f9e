package scheduler

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// proposal is the state as it would be if the plan so far were carried out.
type proposal struct {
	view   View
	key    n.JobKey
	plan   *n.Plan
	gone   map[n.AllocID]bool
	counts map[countKey]map[string]int
	allocs []*n.Allocation // of the job, as the state has them
	byID   map[n.AllocID]*n.Allocation

	change  map[n.NodeID]change // what the plan makes of the nodes' usage
	mates   map[mateKey]mates
	room    *room
	touched []func(n.NodeID) // to be called for a node on which something changes
}

type countKey struct{ group, attribute string }

// A change is what a plan adds to a node's usage, or takes away from it.
type change struct {
	usage  rank.Usage
	allocs int
}

// A mateKey is a node and a group of the job, or all of it if the group is "".
type mateKey struct {
	node  n.NodeID
	group string
}

// mates are the job's allocations on a node.
type mates struct {
	there int // that use the node
	live  int // and are not meant to end
}

func newProposal(v View, e *n.Evaluation, job *n.Job) *proposal {
	p := &proposal{
		view: v, key: e.JobKey(), gone: map[n.AllocID]bool{}, counts: map[countKey]map[string]int{},
		change: map[n.NodeID]change{}, mates: map[mateKey]mates{},
		plan: &n.Plan{
			EvalID: e.ID, Priority: e.Priority, Job: job, SnapshotIndex: v.Index(),
			NodeUpdate: map[n.NodeID][]*n.Allocation{}, NodeAllocation: map[n.NodeID][]*n.Allocation{},
		},
	}
	if job != nil {
		p.plan.AllAtOnce = job.AllAtOnce
	}
	for a := range v.JobAllocs(nil, p.key) {
		p.allocs = append(p.allocs, a)
		p.meet(a, 1)
	}
	return p
}

// meet counts an allocation of the job on its node.
func (p *proposal) meet(a *n.Allocation, by int) {
	if a.ClientStatus.Terminal() {
		return
	}
	for _, group := range []string{"", a.TaskGroup} {
		k := mateKey{a.NodeID, group}
		m := p.mates[k]
		m.there += by
		if !a.Terminal() {
			m.live += by
		}
		p.mates[k] = m
	}
}

// Live counts the job's allocations on a node that are not meant to end.
func (p *proposal) Live(node n.NodeID, group string) int { return p.mates[mateKey{node, group}].live }

// usage is what a node's allocations would use together.
func (p *proposal) usage(m *fleet.Member) (rank.Usage, int) {
	c, ok := p.change[m.Node.ID]
	if !ok {
		return m.Usage, m.Allocs
	}
	return m.Usage.Plus(c.usage), m.Allocs + c.allocs
}

// use adds an allocation of the job to what its node is used for, or takes it away.
func (p *proposal) use(a *n.Allocation, by int) {
	if a.ClientStatus.Terminal() {
		return
	}
	p.count(a, by)
	p.meet(a, by)
	p.touch(a.NodeID)
}

// count adds any allocation to what its node is used for, or takes it away.
func (p *proposal) count(a *n.Allocation, by int) {
	c, u := p.change[a.NodeID], rank.Used(a.AllocatedResources)
	if by < 0 {
		c.usage = c.usage.Minus(u)
	} else {
		c.usage = c.usage.Plus(u)
	}
	c.allocs += by
	p.change[a.NodeID] = c
}

func (p *proposal) touch(id n.NodeID) {
	for _, fn := range p.touched {
		fn(id)
	}
}

// original is an allocation as the state has it.
func (p *proposal) original(a *n.Allocation) *n.Allocation {
	if p.byID == nil {
		p.byID = make(map[n.AllocID]*n.Allocation, len(p.allocs))
		for _, o := range p.allocs {
			p.byID[o.ID] = o
		}
	}
	if o := p.byID[a.ID]; o != nil {
		return o
	}
	return a
}

// OnNode lists what would use the node: also what was told to stop and has not.
func (p *proposal) OnNode(id n.NodeID) []*n.Allocation {
	var out []*n.Allocation
	replaced := map[n.AllocID]bool{}
	for _, a := range p.plan.NodeAllocation[id] {
		replaced[a.ID] = true
	}
	for a := range p.view.NodeAllAllocs(nil, id) {
		if !a.ClientStatus.Terminal() && !p.gone[a.ID] && !replaced[a.ID] {
			out = append(out, a)
		}
	}
	for _, a := range p.plan.NodeAllocation[id] {
		if !a.ClientStatus.Terminal() {
			out = append(out, a)
		}
	}
	return out
}

// Count counts the job's allocations by an attribute of their nodes.
func (p *proposal) Count(group, attribute string) map[string]int {
	k := countKey{group, attribute}
	if c := p.counts[k]; c != nil {
		return c
	}
	c := map[string]int{}
	p.counts[k] = c
	for _, a := range p.allocs {
		if !a.Terminal() && !p.gone[a.ID] {
			p.add(k, c, a, 1)
		}
	}
	for _, list := range p.plan.NodeAllocation {
		for _, a := range list {
			if p.isNew(a) {
				p.add(k, c, a, 1)
			}
		}
	}
	return c
}

func (p *proposal) isNew(a *n.Allocation) bool { return a.CreateIndex == 0 }

func (p *proposal) add(k countKey, c map[string]int, a *n.Allocation, by int) {
	node := p.view.Node(a.NodeID)
	if node == nil || k.group != "" && a.TaskGroup != k.group {
		return
	}
	if v, ok := feasible.Resolve(node, k.attribute); ok {
		c[v] += by
	}
}

func (p *proposal) recount(a *n.Allocation, by int) {
	for k, c := range p.counts {
		p.add(k, c, a, by)
	}
}

// stop adds an allocation's end to the plan. What it is stopped as is the copy's.
func (p *proposal) stop(a *n.Allocation) {
	p.plan.NodeUpdate[a.NodeID] = append(p.plan.NodeUpdate[a.NodeID], a)
	if !p.gone[a.ID] {
		p.gone[a.ID] = true
		p.recount(a, -1)
		p.use(p.original(a), -1)
	}
}

// unstop takes the newest stop of a node back.
func (p *proposal) unstop(a *n.Allocation) {
	list := p.plan.NodeUpdate[a.NodeID]
	if list = list[:len(list)-1]; len(list) == 0 {
		delete(p.plan.NodeUpdate, a.NodeID)
	} else {
		p.plan.NodeUpdate[a.NodeID] = list
	}
	delete(p.gone, a.ID)
	p.recount(a, 1)
	p.use(p.original(a), 1)
}

// place adds an allocation, new or changed, to the plan.
func (p *proposal) place(a *n.Allocation) {
	p.plan.NodeAllocation[a.NodeID] = append(p.plan.NodeAllocation[a.NodeID], a)
	if p.isNew(a) {
		p.recount(a, 1)
		p.use(a, 1)
	}
}
