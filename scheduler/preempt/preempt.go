// Package preempt decides which allocations have to leave a node so that a more
// important job fits on it. It is pure, and it neither knows how much a node has
// nor how ports are given: it is told what is free, and asks whether the rest
// would fit. The rules are those of the scheduling reference, 4.7.
package preempt

import (
	"cmp"
	"math"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Delta is how much more important a job has to be than those that make room for
// it.
const Delta = 10

// Amounts are what is measured of a node: CPU in MHz, memory and disk in MB.
type Amounts [3]int64

func (a Amounts) plus(o Amounts) Amounts {
	for i := range a {
		a[i] += o[i]
	}
	return a
}

func (a Amounts) minus(o Amounts) Amounts {
	for i := range a {
		a[i] -= o[i]
	}
	return a
}

func (a Amounts) covers(o Amounts) bool {
	for i := range a {
		if a[i] < o[i] {
			return false
		}
	}
	return true
}

// A Tenant is an allocation that uses the node.
type Tenant struct {
	Alloc *n.Allocation
	Job   *n.Job // in the version that runs; nil if nobody knows it
	Uses  Amounts
	// Before is how many of its group the plan has leave already, here or on
	// other nodes.
	Before int

	index int // of the allocation in its job
}

// A Request is a node and what is to fit on it.
type Request struct {
	Job     *n.Job  // that asks
	Asks    Amounts // what it asks for
	Free    Amounts // what nobody uses; below zero where more is used than there is
	Tenants []Tenant
	// Candidates are those of the tenants that may leave, if they are known already;
	// see the function of this name.
	Candidates []Tenant
	// Before, if given, takes the place of the tenants' own.
	Before func(*n.Allocation) int
	// Fits says whether all that is no amount would fit if some were gone: static
	// ports above all. The more are gone, the more fits.
	Fits func(gone map[n.AllocID]bool) bool
}

// May reports whether a job may make an allocation leave. Those that end anyway
// are left to it.
func May(job *n.Job, t *Tenant) bool {
	return t.Job != nil && !t.Alloc.Terminal() && t.Alloc.JobKey() != job.Key() && t.Job.Priority <= job.Priority-Delta
}

// Choose returns the allocations that have to leave, the least important first.
// It is none if there is no way, or if nothing needs to leave.
//
// First come those without whose end there is no way at all, such as the holder
// of a static port. Then the least important leave, and among them those that
// are most like what is missing, until there is enough; last, those stay after
// all that the others made superfluous.
func Choose(r *Request) []Tenant {
	c := choice{Request: r, left: slices.Clone(r.Candidates), free: r.Free, gone: map[n.AllocID]bool{}}
	if r.Candidates == nil {
		c.left = Candidates(r.Job, r.Tenants)
	}
	if len(c.left) == 0 || !c.possible() {
		return nil
	}
	c.indispensable()
	held := len(c.chosen)
	c.nearest()
	c.widest(held)
	c.spare()
	slices.SortFunc(c.chosen, byImportance)
	return c.chosen
}

// Candidates lists those that may leave for a job, the least important first, and
// among them the youngest: the least work is lost with it. Of those that began
// together it is the last, as where a job's count goes down.
func Candidates(job *n.Job, tenants []Tenant) []Tenant {
	out := make([]Tenant, 0, len(tenants))
	for i := range tenants {
		if May(job, &tenants[i]) {
			out = append(out, tenants[i])
			out[len(out)-1].index = tenants[i].Alloc.Index()
		}
	}
	slices.SortFunc(out, byImportance)
	return out
}

func byImportance(a, b Tenant) int {
	switch {
	case a.Job.Priority != b.Job.Priority:
		return cmp.Compare(a.Job.Priority, b.Job.Priority)
	case a.Alloc.CreateIndex != b.Alloc.CreateIndex:
		return cmp.Compare(b.Alloc.CreateIndex, a.Alloc.CreateIndex)
	case a.index != b.index:
		return cmp.Compare(b.index, a.index)
	}
	return cmp.Compare(a.Alloc.ID, b.Alloc.ID)
}

// choice is a choice being made.
type choice struct {
	*Request
	left   []Tenant // that may leave and do not
	chosen []Tenant
	free   Amounts // with the chosen gone
	gone   map[n.AllocID]bool
	loose  bool // Fits says yes whoever leaves
}

func (c *choice) enough() bool { return c.free.covers(c.Asks) && (c.loose || c.Fits(c.gone)) }

// possible reports whether it would do if all left that may.
func (c *choice) possible() bool {
	free := c.free
	for i := range c.left {
		free = free.plus(c.left[i].Uses)
	}
	if !free.covers(c.Asks) {
		return false
	}
	if c.loose = c.Fits(c.gone); c.loose {
		return true
	}
	gone := make(map[n.AllocID]bool, len(c.left))
	for i := range c.left {
		gone[c.left[i].Alloc.ID] = true
	}
	return c.Fits(gone)
}

// take has one of those left leave.
func (c *choice) take(i int) {
	t := c.left[i]
	c.left = slices.Delete(c.left, i, i+1)
	c.chosen = append(c.chosen, t)
	c.free = c.free.plus(t.Uses)
	c.gone[t.Alloc.ID] = true
}

// stay has one of the chosen stay after all.
func (c *choice) stay(i int) {
	t := c.chosen[i]
	c.chosen = slices.Delete(c.chosen, i, i+1)
	c.free = c.free.minus(t.Uses)
	delete(c.gone, t.Alloc.ID)
}

// indispensable takes those that hold what is asked for by name.
func (c *choice) indispensable() {
	if c.loose {
		return
	}
	others := map[n.AllocID]bool{}
	for _, t := range c.left {
		others[t.Alloc.ID] = true
	}
	for i := 0; i < len(c.left); {
		id := c.left[i].Alloc.ID
		delete(others, id)
		if c.Fits(others) {
			i++
		} else {
			c.take(i)
		}
		others[id] = true
	}
}

// nearest takes the least important, the one nearest to what is missing first,
// until there is enough.
func (c *choice) nearest() {
	for missing := c.Asks; len(c.left) > 0 && !c.enough(); {
		best, least := 0, math.Inf(1)
		for i := range c.left {
			t := &c.left[i]
			if t.Job.Priority != c.left[0].Job.Priority {
				break
			}
			if i > 0 && t.like(&c.left[i-1]) { // it is as far away
				continue
			}
			if d := distance(missing, t.Uses) + c.penalty(t); d < least {
				best, least = i, d
			}
		}
		missing = missing.minus(c.left[best].Uses)
		c.take(best)
	}
}

// like reports that two are alike to whoever looks for room.
func (t *Tenant) like(o *Tenant) bool {
	return t.Uses == o.Uses && t.Job == o.Job && t.Alloc.TaskGroup == o.Alloc.TaskGroup && t.Before == o.Before
}

// widest keeps of the chosen, but for the first few, those that differ most from
// what is asked for, for these are the large ones if any are; the rest stays
// where they are enough.
func (c *choice) widest(held int) {
	picked := slices.Clone(c.chosen[held:])
	slices.SortStableFunc(picked, func(a, b Tenant) int {
		return cmp.Compare(distance(c.Asks, b.Uses), distance(c.Asks, a.Uses))
	})
	for len(c.chosen) > held {
		c.stay(len(c.chosen) - 1)
	}
	c.left = picked
	for len(c.left) > 0 && !c.enough() {
		c.take(0)
	}
}

// spare has those stay, the most important first, without whom the others are
// enough too.
func (c *choice) spare() {
	slices.SortFunc(c.chosen, byImportance)
	for i := len(c.chosen) - 1; i >= 0; i-- {
		t := c.chosen[i]
		c.stay(i)
		if !c.enough() {
			c.chosen = slices.Insert(c.chosen, i, t)
			c.free = c.free.plus(t.Uses)
			c.gone[t.Alloc.ID] = true
		}
	}
}

// distance says how far amounts are from those that are needed; what is not
// needed does not count.
func distance(needed, uses Amounts) float64 {
	sum := 0.0
	for i := range needed {
		if needed[i] > 0 {
			d := float64(needed[i]-uses[i]) / float64(needed[i])
			sum += d * d
		}
	}
	return math.Sqrt(sum)
}

// penalized is the distance that one more of a group is away, than its
// migrate.max_parallel lets leave at the same time.
const penalized = 50.0

// penalty spreads what leaves at the same time over the groups of jobs.
func (r *Request) penalty(t *Tenant) float64 {
	g := t.Job.Group(t.Alloc.TaskGroup)
	if g == nil || g.Migrate == nil {
		return 0
	}
	before := t.Before
	if r.Before != nil {
		before = r.Before(t.Alloc)
	}
	if most := g.Migrate.MaxParallel; most > 0 && before >= most {
		return penalized * float64(before+1-most)
	}
	return 0
}
