package scheduler

import (
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/preempt"
	"github.com/nomadlike/nomadlike/scheduler/rank"
	"github.com/nomadlike/nomadlike/scheduler/reconcile"
)

// find chooses a node for an allocation: one with room for it or else, where the
// configuration lets jobs of the type do so, one on which others make room.
func (w *work) find(p *reconcile.Placement) (*choice, *n.AllocMetric) {
	s := w.chooser(p.Job)
	c, metric := s.choose(p.Group, penalty(p), p.Node)
	if c == nil && metric.NodesExhausted > 0 && s.config.PreemptionConfig.Enabled(p.Job.Type) {
		c, metric = s.seek(p.Group, penalty(p), p.Node, w.roomFor())
	}
	s.tell(p.Group, p.Node, c, metric)
	return c, metric
}

// evict adds to the plan that others leave for the sake of an allocation.
func (w *work) evict(a *n.Allocation, leaving []preempt.Tenant) {
	for _, t := range leaving {
		a.PreemptedAllocations = append(a.PreemptedAllocations, t.Alloc.ID)
		w.leave(t.Alloc, a.ID)
	}
	if counts := w.result.Groups[a.TaskGroup]; counts != nil {
		counts.Preemptions += uint64(len(leaving))
	}
}

// leave adds to the plan that an allocation of another job leaves for one of
// this.
func (p *proposal) leave(a *n.Allocation, by n.AllocID) {
	e := *a
	e.DesiredStatus, e.DesiredDescription, e.PreemptedByAllocation = n.DesiredEvict, n.DescPreempted+string(by), by
	if p.plan.NodePreemptions == nil {
		p.plan.NodePreemptions = map[n.NodeID][]*n.Allocation{}
	}
	p.plan.NodePreemptions[a.NodeID] = append(p.plan.NodePreemptions[a.NodeID], &e)
	p.gone[a.ID] = true
	room := p.roomFor()
	room.before[jobGroup{a.JobKey(), a.TaskGroup}]++
	room.tenants[a.NodeID] = slices.DeleteFunc(room.tenants[a.NodeID], func(t preempt.Tenant) bool { return t.Alloc.ID == a.ID })
	p.count(a, -1) // whoever it leaves for is placed next, which makes it known
}

// roomFor is what is known of allocations that may have to leave.
func (p *proposal) roomFor() *room {
	if p.room == nil {
		p.room = &room{view: p.view, before: map[jobGroup]int{}, jobs: map[jobVersion]*n.Job{}, tenants: map[n.NodeID][]preempt.Tenant{}}
	}
	return p.room
}

// room is what has to be known of allocations to make room for another.
type room struct {
	view   View
	before map[jobGroup]int      // how many leave already
	jobs   map[jobVersion]*n.Job // that were looked for
	// tenants that may leave, by node. Priorities are those of jobs, so they are the
	// same for all versions of the job that asks with one priority.
	tenants map[n.NodeID][]preempt.Tenant
}

// A jobGroup is a group of a job, whichever its version.
type jobGroup struct {
	job   n.JobKey
	group string
}

// A jobVersion is a version of a job.
type jobVersion struct {
	job     n.JobKey
	version uint64
}

// job returns the version of a job that an allocation runs, or nil.
func (r *room) job(a *n.Allocation) *n.Job {
	k := jobVersion{a.JobKey(), a.JobVersion}
	job, known := r.jobs[k]
	if !known {
		job = r.view.JobVersion(k.job, k.version)
		r.jobs[k] = job
	}
	return job
}

// makeRoom asks who has to leave a node for the group, and makes the node the
// candidate without them. lacking, which it is given, stays what there is too little
// of if that is of no use.
func (t *trial) makeRoom(m *fleet.Member, lacking string) ([]preempt.Tenant, string) {
	leaving := preempt.Choose(t.request(m))
	if len(leaving) == 0 {
		return nil, lacking
	}
	t.set(m, leaving)
	return leaving, ""
}

// request asks who would have to leave a node.
func (t *trial) request(m *fleet.Member) *preempt.Request {
	need := t.need
	if t.cores > 0 {
		need = need.Plus(rank.CoresUsage(m.Node, t.cores))
	}
	used, count := t.usage(m)
	return &preempt.Request{
		Job: t.job, Asks: amounts(need), Free: amounts(rank.Capacity(m.Node).Minus(used)), Candidates: t.tenants(m.Node.ID),
		Before: func(a *n.Allocation) int { return t.room.before[jobGroup{a.JobKey(), a.TaskGroup}] },
		Fits: func(gone map[n.AllocID]bool) bool {
			if most := m.Node.NodeMaxAllocs; most > 0 && count-len(gone) >= most {
				return false
			}
			on := func(id n.NodeID) []*n.Allocation { return without(t.OnNode(id), gone) }
			_, lacking := rank.Give(m.Node, on, t.group, t.ask, t.chance.Rand)
			return lacking == ""
		},
	}
}

// tenants are those that may leave a node for the job, in the order of their
// importance.
func (t *trial) tenants(id n.NodeID) []preempt.Tenant {
	if known, ok := t.room.tenants[id]; ok {
		return known
	}
	all := []preempt.Tenant{}
	for _, a := range t.OnNode(id) {
		all = append(all, preempt.Tenant{Alloc: a, Job: t.room.job(a), Uses: amounts(rank.Used(a.AllocatedResources))})
	}
	all = preempt.Candidates(t.job, all)
	t.room.tenants[id] = all
	return all
}

func idsOf(tenants []preempt.Tenant) map[n.AllocID]bool {
	out := make(map[n.AllocID]bool, len(tenants))
	for i := range tenants {
		out[tenants[i].Alloc.ID] = true
	}
	return out
}

func amounts(u rank.Usage) preempt.Amounts { return preempt.Amounts{u.CPU, u.MemoryMB, u.DiskMB} }

func without(allocs []*n.Allocation, gone map[n.AllocID]bool) []*n.Allocation {
	out := make([]*n.Allocation, 0, len(allocs))
	for _, a := range allocs {
		if !gone[a.ID] {
			out = append(out, a)
		}
	}
	return out
}
