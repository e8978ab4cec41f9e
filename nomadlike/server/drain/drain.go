// Package drain decides what leaves a node that is drained, and when the drain is
// over. It is pure: the node, its allocations, their jobs and the time in, a
// decision with its reason out. The rules are those of the scheduling reference,
// 6.2.
package drain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Input is what a decision is made from.
type Input struct {
	Node   *n.Node         // with a DrainStrategy
	Allocs []*n.Allocation // on the node, all of them
	// Job returns a job as it is now, or nil.
	Job func(n.JobKey) *n.Job
	// JobAllocs lists a job's allocations on all nodes.
	JobAllocs func(n.JobKey) []*n.Allocation
}

// A Decision is what to do. The zero value is: nothing, until Wake.
type Decision struct {
	// Move lists allocations that leave; others are placed in their stead.
	Move []n.AllocID
	// End lists allocations that leave, and in whose stead nothing is placed.
	End []n.AllocID
	// Done says that nothing is left on the node that had to leave, and Forced that
	// there was no more time to wait.
	Done, Forced bool
	// Wake is when to decide again at the latest; nil is on the next change.
	Wake *time.Time
	Why  string
}

// Decide says what to do about a node now.
func Decide(in Input, now time.Time) Decision {
	s := in.Node.DrainStrategy
	left := in.left()
	forced := overdue(s, now)
	if len(left.all()) == 0 {
		return Decision{Done: true, Forced: forced, Why: "nothing is left on the node"}
	}
	if forced {
		d := left.leave()
		d.Forced, d.Why = true, "there is no more time"
		return d
	}
	d := Decision{Wake: s.ForceDeadline}
	for _, g := range left.services {
		d.Move = append(d.Move, in.wave(g)...)
	}
	switch {
	case len(d.Move) > 0:
		d.Why = "others run in their stead, or few enough are missing"
	case len(left.services)+len(left.batch)+len(left.sysbatch) == 0:
		d.Move, d.Why = marked(left.system), "only system jobs are left"
	}
	return d
}

// overdue reports a drain that waits for nothing any more.
func overdue(s *n.DrainStrategy, now time.Time) bool {
	return s.Deadline < 0 || s.ForceDeadline != nil && !s.ForceDeadline.After(now)
}

// remains are what is on a node and has to leave it, by how it leaves.
type remains struct {
	services                []group
	batch, sysbatch, system []*n.Allocation
}

// A group's allocations on a node.
type group struct {
	job    *n.Job
	name   string
	allocs []*n.Allocation
}

// left sorts what has to leave and has not ended. What already ends is among it.
func (in Input) left() (r remains) {
	index := map[string]int{}
	for _, a := range in.Allocs {
		if a.ClientStatus.Terminal() {
			continue
		}
		job := in.Job(a.JobKey())
		switch {
		case job == nil: // it ends, as its job has
			r.services = append(r.services, group{name: a.TaskGroup, allocs: []*n.Allocation{a}})
		case job.Type == n.JobTypeSystem:
			if !in.Node.DrainStrategy.IgnoreSystemJobs {
				r.system = append(r.system, a)
			}
		case job.Type == n.JobTypeSysBatch:
			r.sysbatch = append(r.sysbatch, a)
		case job.Type == n.JobTypeBatch:
			r.batch = append(r.batch, a)
		default:
			k := fmt.Sprintf("%s\x00%s\x00%s", a.Namespace, a.JobID, a.TaskGroup)
			i, known := index[k]
			if !known {
				i = len(r.services)
				index[k] = i
				r.services = append(r.services, group{job: job, name: a.TaskGroup})
			}
			r.services[i].allocs = append(r.services[i].allocs, a)
		}
	}
	return r
}

func (r remains) all() []*n.Allocation {
	out := slices.Concat(r.batch, r.sysbatch, r.system)
	for _, g := range r.services {
		out = append(out, g.allocs...)
	}
	return out
}

// leave has everything leave.
func (r remains) leave() (d Decision) {
	for _, g := range r.services {
		d.Move = append(d.Move, marked(g.allocs)...)
	}
	d.Move = append(d.Move, marked(r.sysbatch)...)
	d.Move = append(d.Move, marked(r.system)...)
	d.End = marked(r.batch)
	return d
}

// leaving reports an allocation that was told to go, or ends anyhow.
func leaving(a *n.Allocation) bool { return a.Terminal() || n.Asked(a.DesiredTransition.Migrate) }

// marked lists those that were not told to go yet.
func marked(allocs []*n.Allocation) (out []n.AllocID) {
	for _, a := range allocs {
		if !leaving(a) {
			out = append(out, a.ID)
		}
	}
	return out
}

// wave lists those of a service's group that may go now: so many that of the
// group's count no more than max_parallel are without known health. Those whose
// health nobody knows go first, as they are missing already.
func (in Input) wave(g group) []n.AllocID {
	stay := slices.DeleteFunc(slices.Clone(g.allocs), leaving)
	if len(stay) == 0 {
		return nil
	}
	count, parallel := 0, 1
	if tg := g.job.Group(g.name); tg != nil {
		count = tg.Count
		if tg.Migrate != nil {
			parallel = tg.Migrate.MaxParallel
		}
	}
	known := 0
	for _, a := range in.JobAllocs(g.job.Key()) {
		if a.TaskGroup == g.name && !leaving(a) && a.ClientStatus != n.ClientUnknown && a.Healthy() != nil {
			known++
		}
	}
	room := known - (count - parallel)
	slices.SortFunc(stay, func(a, b *n.Allocation) int {
		return cmp.Or(cmp.Compare(worth(a), worth(b)), cmp.Compare(a.Index(), b.Index()), cmp.Compare(a.ID, b.ID))
	})
	return marked(stay[:min(max(room, 0), len(stay))])
}

// worth is how much is missing without an allocation.
func worth(a *n.Allocation) int {
	switch h := a.Healthy(); {
	case h == nil:
		return 0
	case !*h:
		return 1
	}
	return 2
}
