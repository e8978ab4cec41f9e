package scheduler

import (
	"maps"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/preempt"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// chooser finds nodes for the groups of one version of a job.
type chooser struct {
	*proposal
	job    *n.Job
	config *n.SchedulerConfiguration
	chance chance
	checks *feasible.Job

	fleet     *fleet.Fleet
	ready     []int32        // positions of the nodes that the job wants and that are ready
	inPool    int            // nodes of the job's pool
	available map[string]int // ready nodes by datacenter
	weight    int            // of the spreads of all groups
	contests  map[contestKey]*contest

	scorers []rank.Scorer // nil for the usual ones

	why  map[string]*n.GroupWhy // what ruled nodes out, by group; nil if nobody asks
	last bool                   // the choice is the last of its group
}

// suits reports a node that the job would want if it were ready.
func suits(job *n.Job, node *n.Node) bool {
	return inPool(job, node) && inDatacenters(job, node.Datacenter)
}

func inPool(job *n.Job, node *n.Node) bool {
	return job.NodePool == n.AllNodePool || job.NodePool == node.NodePool
}

func inDatacenters(job *n.Job, dc string) bool {
	return slices.ContainsFunc(job.Datacenters, func(pattern string) bool { return glob(pattern, dc) })
}

// glob matches a pattern in which * stands for any text.
func glob(pattern, s string) bool {
	for i := range len(pattern) {
		if pattern[i] != '*' {
			if i >= len(s) || pattern[i] != s[i] {
				return false
			}
			continue
		}
		for j := i; j <= len(s); j++ {
			if glob(pattern[i+1:], s[j:]) {
				return true
			}
		}
		return false
	}
	return len(pattern) == len(s)
}

func newChooser(p *proposal, job *n.Job, c chance) *chooser {
	s := &chooser{
		proposal: p, job: job, config: p.view.SchedulerConfig(), chance: c, checks: feasible.For(job),
		fleet: p.view.Fleet(), available: map[string]int{}, contests: map[contestKey]*contest{},
	}
	s.findReady()
	for i := range job.TaskGroups {
		for _, sp := range slices.Concat(job.Spreads, job.TaskGroups[i].Spreads) {
			s.weight += int(sp.Weight)
		}
	}
	return s
}

// findReady lists the nodes that the job wants and that are ready. Pool and
// datacenter are the same for all nodes of a class.
func (s *chooser) findReady() {
	type class struct {
		known, pool, wanted bool
		dc                  string
		count               int
	}
	classes := make([]class, s.fleet.Classes())
	s.ready = make([]int32, 0, s.fleet.Len())
	for i := range s.fleet.Len() {
		m := s.fleet.At(i)
		if m.Node == nil {
			continue
		}
		c := &classes[m.Class]
		if !c.known || m.Node.ComputedClass == "" {
			*c = class{true, inPool(s.job, m.Node), suits(s.job, m.Node), m.Node.Datacenter, c.count}
		}
		if c.pool {
			s.inPool++
		}
		if !c.wanted || !m.Node.Ready() {
			continue
		}
		s.ready = append(s.ready, int32(i))
		if m.Node.ComputedClass == "" {
			s.available[m.Node.Datacenter]++
		} else {
			c.count++
		}
	}
	for _, c := range classes {
		if c.count > 0 {
			s.available[c.dc] += c.count
		}
	}
}

// nodes are those that the job wants and that are ready.
func (s *chooser) nodes() []*n.Node {
	out := make([]*n.Node, len(s.ready))
	for i, at := range s.ready {
		out[i] = s.fleet.At(int(at)).Node
	}
	slices.SortFunc(out, func(a, b *n.Node) int { // positions are no part of the state
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

// A choice is a node for a group.
type choice struct {
	node      *n.Node
	resources *n.AllocatedResources
	leaving   []preempt.Tenant // of the node, for its sake
}

func (s *chooser) metric() *n.AllocMetric {
	return &n.AllocMetric{NodesInPool: s.inPool, NodePool: s.job.NodePool, NodesAvailable: s.available}
}

// choose finds the best node for a group, or nil; the metric says why. penalty
// holds nodes to be avoided, only the one that is possible or "".
func (s *chooser) choose(g *n.Group, penalty map[n.NodeID]bool, only n.NodeID) (*choice, *n.AllocMetric) {
	return s.seek(g, penalty, only, nil)
}

// seek is choose; with room, others may be made to leave.
func (s *chooser) seek(g *n.Group, penalty map[n.NodeID]bool, only n.NodeID, room *room) (*choice, *n.AllocMetric) {
	began := time.Now() // for the metric alone; nothing is decided by it
	var c *choice
	var m *n.AllocMetric
	if only != "" {
		c, m = s.alone(g, only, room)
	} else {
		c, m = s.contest(g, room).best(penalty)
	}
	m.AllocationTime = time.Since(began)
	return c, m
}

func (s *chooser) contest(g *n.Group, room *room) *contest {
	k := contestKey{g.Name, room != nil}
	x := s.contests[k]
	if x == nil {
		x = newContest(s, g, room)
		s.contests[k] = x
	}
	return x
}

// A contestKey is a group, and whether others may be made to leave for it.
type contestKey struct {
	group    string
	preempts bool
}

// alone tries the one node that is possible.
func (s *chooser) alone(g *n.Group, id n.NodeID, room *room) (*choice, *n.AllocMetric) {
	metric := s.metric()
	i, ok := s.fleet.Position(id)
	if !ok || s.fleet.At(i).Node == nil {
		return nil, metric
	}
	m := s.fleet.At(i)
	metric.NodesEvaluated = 1
	why := s.checks.Check(m.Node, g)
	if why == "" {
		why = feasible.Distinct(s.job, g, m.Node, s)
	}
	if why != "" {
		note(metric, m.Node, why, true)
		return nil, metric
	}
	t := s.trial(g, nil, room)
	leaving, why := t.fill(m)
	var given *n.AllocatedResources
	if why == "" {
		if given, why = t.give(m.Node, leaving); why != "" && room != nil && leaving == nil {
			if leaving, why = t.makeRoom(m, why); why == "" {
				given, why = t.give(m.Node, leaving)
			}
		}
	}
	if why != "" {
		note(metric, m.Node, why, false)
		return nil, metric
	}
	metric.ScoreMetaData = []*n.NodeScore{t.rating.Explain(&t.candidate, t.spread(m.Node))}
	return &choice{m.Node, given, leaving}, metric
}

// note adds why a node can not be used to a metric of its own.
func note(m *n.AllocMetric, node *n.Node, why string, filtered bool) {
	class := map[string]int{}
	if node.NodeClass != "" {
		class[node.NodeClass] = 1
	}
	if filtered {
		m.NodesFiltered, m.ConstraintFiltered, m.ClassFiltered = 1, map[string]int{why: 1}, class
	} else {
		m.NodesExhausted, m.DimensionExhausted, m.ClassExhausted = 1, map[string]int{why: 1}, class
	}
}

// A trial knows what a group asks for and how nodes are rated for it.
type trial struct {
	*chooser
	group  *n.Group
	ask    *n.AllocatedResources
	need   rank.Usage
	cores  int   // that it wants for itself, beside need
	room   *room // nil where nobody is made to leave
	rating *rank.Rating

	candidate rank.Candidate // that is looked at
}

func (s *chooser) trial(g *n.Group, penalty map[n.NodeID]bool, room *room) *trial {
	ask := rank.Ask(g, s.config.MemoryOversubscriptionEnabled)
	return &trial{
		chooser: s, group: g, ask: ask, need: rank.Used(ask), cores: rank.Cores(g), room: room, candidate: rank.Candidate{On: s.OnNode},
		rating: rank.For(&rank.Request{
			Job: s.job, Group: g, Algorithm: s.config.SchedulerAlgorithm, Penalty: penalty, Weight: s.weight, Preempts: room != nil, Prefers: feasible.Affinity, Scorers: s.scorers,
		}),
	}
}

// fill makes a node the candidate, or says what there is too little of. leaving are
// those who make room.
func (t *trial) fill(m *fleet.Member) (leaving []preempt.Tenant, lacking string) {
	allocs := t.set(m, nil)
	if lacking = rank.Room(m.Node, t.candidate.Used, allocs); lacking != "" && t.room != nil {
		return t.makeRoom(m, lacking)
	}
	return nil, lacking
}

// set makes a node the candidate that some leave, and returns how many allocations
// use it now.
func (t *trial) set(m *fleet.Member, leaving []preempt.Tenant) (allocs int) {
	used, allocs := t.usage(m)
	used = used.Plus(t.need)
	if t.cores > 0 {
		used = used.Plus(rank.CoresUsage(m.Node, t.cores))
	}
	c := &t.candidate
	c.Node, c.Mates, c.Leaving = m.Node, t.mates[mateKey{m.Node.ID, t.group.Name}].there, c.Leaving[:0]
	if c.Class = m.Class; m.Node.ComputedClass == "" {
		c.Class = -1
	}
	for i := range leaving {
		c.Leaving = append(c.Leaving, leaving[i].Job.Priority)
		used = used.Minus(rank.Used(leaving[i].Alloc.AllocatedResources))
	}
	c.Used = used
	return allocs
}

// give gives the group what it asks for on a node that has room for it, or says what
// there is none of.
func (t *trial) give(node *n.Node, leaving []preempt.Tenant) (*n.AllocatedResources, string) {
	on := t.OnNode
	if len(leaving) > 0 {
		gone := idsOf(leaving)
		on = func(id n.NodeID) []*n.Allocation { return without(t.OnNode(id), gone) }
	}
	return rank.Give(node, on, t.group, t.ask, t.chance.Rand)
}

// spread is what the group's spreads say of a node.
func (t *trial) spread(node *n.Node) (sum float64) {
	for _, s := range t.rating.Spreads {
		s.Begin(t.Count(t.group.Name, s.Attribute))
		value, ok := feasible.Resolve(node, s.Attribute)
		sum += s.Of(value, ok)
	}
	return sum
}

// counts is a set of counters of which old states are kept: placements show how it
// was for them.
type counts struct {
	now    map[string]int
	shared bool
}

func (c *counts) add(k string, by int) {
	if k == "" {
		return
	}
	if c.shared || c.now == nil {
		c.now, c.shared = maps.Clone(c.now), false
		if c.now == nil {
			c.now = map[string]int{}
		}
	}
	if c.now[k] += by; c.now[k] == 0 {
		delete(c.now, k)
	}
}

// show returns the counters as they are, which stay as they are.
func (c *counts) show() map[string]int {
	c.shared = true
	return c.now
}
