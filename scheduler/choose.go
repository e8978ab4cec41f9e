package scheduler

import (
	"math"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
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

	nodes     []*n.Node      // ready and wanted, shuffled for counted jobs
	inPool    int            // nodes of the job's pool
	available map[string]int // ready nodes by datacenter
	next      int            // where the last search ended
	limit     int            // of feasible nodes that are rated
	weight    int            // of the spreads of all groups
}

// nodesFor lists the nodes that a job wants and that are ready.
func nodesFor(v View, job *n.Job) (ready []*n.Node, available map[string]int, inPool int) {
	available = map[string]int{}
	for node := range v.AllNodes(nil, "") {
		if job.NodePool != n.AllNodePool && node.NodePool != job.NodePool {
			continue
		}
		inPool++
		if node.Ready() && inDatacenters(job, node.Datacenter) {
			ready = append(ready, node)
			available[node.Datacenter]++
		}
	}
	return ready, available, inPool
}

// suits reports a node that the job would want if it were ready.
func suits(job *n.Job, node *n.Node) bool {
	return (job.NodePool == n.AllNodePool || job.NodePool == node.NodePool) && inDatacenters(job, node.Datacenter)
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
	s := &chooser{proposal: p, job: job, config: p.view.SchedulerConfig(), chance: c, checks: feasible.For(job)}
	s.nodes, s.available, s.inPool = nodesFor(p.view, job)
	if !job.RunsEverywhere() {
		c.Shuffle(len(s.nodes), func(i, j int) { s.nodes[i], s.nodes[j] = s.nodes[j], s.nodes[i] })
	}
	s.limit = 2
	if log := int(math.Ceil(math.Log2(float64(len(s.nodes))))); job.Type == n.JobTypeService && log > s.limit {
		s.limit = log
	}
	for i := range job.TaskGroups {
		for _, sp := range slices.Concat(job.Spreads, job.TaskGroups[i].Spreads) {
			s.weight += int(sp.Weight)
		}
	}
	return s
}

// feasibleLimit is how many nodes are rated where preferences are to be weighed.
const feasibleLimit = 100

// A choice is a node for a group.
type choice struct {
	node      *n.Node
	resources *n.AllocatedResources
	score     n.NodeScore
	leaving   []preempt.Tenant // of the node, for its sake
}

// choose finds the best node for a group, or nil; the metric says why. penalty
// holds nodes to be avoided, only the one that is possible or "".
func (s *chooser) choose(g *n.Group, penalty map[n.NodeID]bool, only n.NodeID) (*choice, *n.AllocMetric) {
	return s.seek(g, penalty, only, nil)
}

// seek is choose; with room, others may be made to leave.
func (s *chooser) seek(g *n.Group, penalty map[n.NodeID]bool, only n.NodeID, room *room) (*choice, *n.AllocMetric) {
	began := time.Now() // for the metric alone; nothing is decided by it
	m := &n.AllocMetric{
		NodesInPool: s.inPool, NodePool: s.job.NodePool, NodesAvailable: s.available,
		ClassFiltered: map[string]int{}, ConstraintFiltered: map[string]int{}, ClassExhausted: map[string]int{}, DimensionExhausted: map[string]int{},
	}
	search := search{
		chooser: s, group: g, metric: m, room: room, ask: rank.Ask(g, s.config.MemoryOversubscriptionEnabled),
		rating: rank.For(&rank.Request{
			Job: s.job, Group: g, Algorithm: s.config.SchedulerAlgorithm, Penalty: penalty, Count: s.Count, Weight: s.weight, Preempts: room != nil,
			Resolve: feasible.Resolve, Prefers: feasible.Affinity,
		}),
	}
	search.run(only)
	m.AllocationTime = time.Since(began)
	return search.best(), m
}

// search is the search for a group's node.
type search struct {
	*chooser
	group  *n.Group
	ask    *n.AllocatedResources
	rating *rank.Rating
	metric *n.AllocMetric
	room   *room // nil where nobody is made to leave
	found  []choice
	poor   []choice // with no good score, in case there are no better ones
}

// poorKept is how many poor nodes are set aside while better ones are looked for.
const poorKept = 3

func (s *search) run(only n.NodeID) {
	if only != "" {
		if node := s.view.Node(only); node != nil {
			s.look(node)
		}
		return
	}
	if prefers(s.job, s.group) {
		s.limit = max(s.limit, feasibleLimit, s.group.Count)
	}
	limit := s.limit
	if s.job.RunsEverywhere() {
		limit = len(s.nodes)
	}
	for range s.nodes {
		if len(s.found) >= limit {
			return
		}
		s.look(s.nodes[s.next%len(s.nodes)])
		s.next++
	}
}

func prefers(j *n.Job, g *n.Group) bool {
	if len(j.Affinities)+len(g.Affinities)+len(j.Spreads)+len(g.Spreads) > 0 {
		return true
	}
	return slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return len(t.Affinities) > 0 })
}

func (s *search) best() *choice {
	if len(s.found) == 0 {
		s.found = s.poor
	}
	if len(s.found) == 0 {
		return nil
	}
	best := &s.found[0]
	for i := range s.found {
		if s.found[i].score.NormScore > best.score.NormScore {
			best = &s.found[i]
		}
	}
	return best
}

// look rates a node, or notes why it can not be used.
func (s *search) look(node *n.Node) {
	s.metric.NodesEvaluated++
	why := s.checks.Check(node, s.group)
	if why == "" {
		why = feasible.Distinct(s.job, s.group, node, s)
	}
	if why != "" {
		s.metric.NodesFiltered++
		s.metric.ConstraintFiltered[why]++
		if node.NodeClass != "" {
			s.metric.ClassFiltered[node.NodeClass]++
		}
		return
	}
	allocs := s.OnNode(node.ID)
	c, lacking := rank.Try(node, allocs, s.group, s.ask, s.chance.Rand)
	var leaving []preempt.Tenant
	if lacking != "" && s.room != nil {
		c, leaving, lacking = s.makeRoom(node, allocs, lacking)
	}
	if lacking != "" {
		s.metric.NodesExhausted++
		s.metric.DimensionExhausted[lacking]++
		if node.NodeClass != "" {
			s.metric.ClassExhausted[node.NodeClass]++
		}
		return
	}
	found := choice{node, c.Resources, s.rating.Rate(c), leaving}
	s.note(found.score)
	if found.score.NormScore <= 0 && len(s.poor) < poorKept && !s.job.RunsEverywhere() {
		s.poor = append(s.poor, found)
		return
	}
	s.found = append(s.found, found)
}

// scoresKept is how many nodes' scores a placement shows.
const scoresKept = 5

// note keeps the best scores for those who ask why.
func (s *search) note(score n.NodeScore) {
	list := slices.Concat(s.metric.ScoreMetaData, []n.NodeScore{score})
	slices.SortStableFunc(list, func(a, b n.NodeScore) int {
		switch {
		case a.NormScore > b.NormScore:
			return -1
		case a.NormScore < b.NormScore:
			return 1
		}
		return 0
	})
	s.metric.ScoreMetaData = list[:min(len(list), scoresKept)]
}
