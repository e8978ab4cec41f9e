package scheduler

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
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
		return s.seek(p.Group, penalty(p), p.Node, newRoom(w.proposal))
	}
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
}

// room is what has to be known of allocations to make room for another.
type room struct {
	view   View
	before map[jobGroup]int      // how many leave already
	jobs   map[jobVersion]*n.Job // that were looked for
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

func newRoom(p *proposal) *room {
	r := &room{view: p.view, before: map[jobGroup]int{}, jobs: map[jobVersion]*n.Job{}}
	for _, list := range p.plan.NodePreemptions {
		for _, a := range list {
			r.before[jobGroup{a.JobKey(), a.TaskGroup}]++
		}
	}
	return r
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

// makeRoom tries the group on a node that others leave. lacking, which it is
// given, stays what there is too little of if that is of no use.
func (s *search) makeRoom(node *n.Node, allocs []*n.Allocation, lacking string) (*rank.Candidate, []preempt.Tenant, string) {
	leaving := preempt.Choose(s.request(node, allocs))
	if len(leaving) == 0 {
		return nil, nil, lacking
	}
	gone := map[n.AllocID]bool{}
	for _, t := range leaving {
		gone[t.Alloc.ID] = true
	}
	c, still := rank.Try(node, without(allocs, gone), s.group, s.ask, s.chance.Rand)
	if still != "" { // something that nobody can make room of
		return nil, nil, still
	}
	for _, t := range leaving {
		c.Leaving = append(c.Leaving, t.Job.Priority)
	}
	return c, leaving, ""
}

// request asks who would have to leave a node.
func (s *search) request(node *n.Node, allocs []*n.Allocation) *preempt.Request {
	r := &preempt.Request{
		Job: s.job, Asks: amounts(rank.Used(s.ask)), Free: amounts(rank.Capacity(node)),
		Fits: func(gone map[n.AllocID]bool) bool {
			return rank.FitsBesideAmounts(node, without(allocs, gone), s.group, s.ask, s.chance.Rand)
		},
	}
	for _, a := range allocs {
		t := preempt.Tenant{
			Alloc: a, Job: s.room.job(a), Uses: amounts(rank.Used(a.AllocatedResources)), Before: s.room.before[jobGroup{a.JobKey(), a.TaskGroup}],
		}
		for i := range r.Free {
			r.Free[i] -= t.Uses[i]
		}
		r.Tenants = append(r.Tenants, t)
	}
	return r
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
