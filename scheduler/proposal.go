package scheduler

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
)

// proposal is the state as it would be if the plan so far were carried out.
type proposal struct {
	view   View
	key    n.JobKey
	plan   *n.Plan
	gone   map[n.AllocID]bool
	counts map[countKey]map[string]int
	allocs []*n.Allocation // of the job, as the state has them
}

type countKey struct{ group, attribute string }

func newProposal(v View, e *n.Evaluation, job *n.Job) *proposal {
	p := &proposal{
		view: v, key: e.JobKey(), gone: map[n.AllocID]bool{}, counts: map[countKey]map[string]int{},
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
	}
	return p
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
}

// place adds an allocation, new or changed, to the plan.
func (p *proposal) place(a *n.Allocation) {
	p.plan.NodeAllocation[a.NodeID] = append(p.plan.NodeAllocation[a.NodeID], a)
	if p.isNew(a) {
		p.recount(a, 1)
	}
}
