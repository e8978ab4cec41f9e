package rank

import (
	"math"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
)

// Names of the scores that every placement shows.
const (
	Binpack         = "binpack"
	Devices         = "devices"
	AntiAffinity    = "job-anti-affinity"
	Penalty         = "node-reschedule-penalty"
	NodeAffinity    = "node-affinity"
	AllocSpread     = "allocation-spread"
	NormalizedScore = "normalized-score"
)

// A Request is what nodes are rated for.
type Request struct {
	Job       *n.Job
	Group     *n.Group
	Algorithm string            // of n.SchedulerConfiguration
	Penalty   map[n.NodeID]bool // nodes where it failed before
	Weight    int               // sum of the weights of all spreads of the evaluation's groups
	Preempts  bool              // others may have to leave for it
	Resolve   func(node *n.Node, target string) (string, bool)
	Prefers   func(*n.Node, n.Affinity) bool
	Scorers   []Scorer // nil: all that are registered
}

// A Candidate is a node on which the group fits.
type Candidate struct {
	Node  *n.Node
	Class int                            // of the node, in the fleet; -1 for none
	Used  Usage                          // with the group
	Mates int                            // allocations of the group beside which it would run
	On    func(n.NodeID) []*n.Allocation // all of those that use a node

	Leaving []int // priorities of those that leave for it
}

// Score rates a candidate, usually within -1 to 1. It depends on nothing but the
// node and what runs there. Scores that do not apply are shown, but do not count in
// the mean.
type Score func(*Candidate) (score float64, applies bool)

// A Scorer makes the score of one request, or nil where it has nothing to say.
// Alone says that it counts for service and batch jobs only, whose nodes compete.
type Scorer struct {
	Name  string
	Alone bool
	Make  func(*Request) Score
}

var scorers = []Scorer{
	{Binpack, false, fitness},
	{Devices, false, deviceAffinity},
	{AntiAffinity, true, antiAffinity},
	{Penalty, true, penalty},
	{NodeAffinity, true, affinity},
	{Preempted, true, preemption},
}

// Register adds a scorer that counts for all jobs. It is called before any scheduling, and panics on a
// name that is taken.
func Register(s Scorer) {
	if slices.ContainsFunc(scorers, func(o Scorer) bool { return o.Name == s.Name }) {
		panic("rank: a scorer named " + s.Name + " exists")
	}
	scorers = append(scorers, s)
}

// Scorers lists all that are registered.
func Scorers() []Scorer { return slices.Clone(scorers) }

// A Rating rates candidates for one request.
type Rating struct {
	names   []string
	scores  []Score
	Spreads []*Spread // what nodes of one attribute's value share
}

// For prepares the scores of a request.
func For(r *Request) *Rating {
	out := &Rating{}
	list := r.Scorers
	if list == nil {
		list = scorers
	}
	for _, s := range list {
		if s.Alone && r.Job.RunsEverywhere() {
			continue
		}
		if score := s.Make(r); score != nil {
			out.names, out.scores = append(out.names, s.Name), append(out.scores, score)
		}
	}
	if !r.Job.RunsEverywhere() {
		out.Spreads = spreads(r)
	}
	return out
}

// Rate returns the sum of a candidate's own scores that apply, and how many these
// are.
func (r *Rating) Rate(c *Candidate) (sum float64, count int) {
	for _, score := range r.scores {
		if v, applies := score(c); applies {
			sum, count = sum+v, count+1
		}
	}
	return sum, count
}

// Explain returns a candidate's mean score, and what it is the mean of. spread is
// the sum of what its spreads say.
func (r *Rating) Explain(c *Candidate, spread float64) *n.NodeScore {
	out := &n.NodeScore{NodeID: c.Node.ID, Scores: make(n.Scores, 0, len(r.scores)+1)}
	sum, count := 0.0, 0
	for i, score := range r.scores {
		v, applies := score(c)
		out.Scores = append(out.Scores, n.Score{Name: r.names[i], Value: v})
		if applies {
			sum, count = sum+v, count+1
		}
	}
	if len(r.Spreads) > 0 {
		out.Scores = append(out.Scores, n.Score{Name: AllocSpread, Value: spread})
	}
	if spread != 0 {
		sum, count = sum+spread, count+1
	}
	if count > 0 {
		out.NormScore = sum / float64(count)
	}
	return out
}

// fitness prefers full nodes, or with the spread algorithm empty ones. The
// formula is that of Google's paper on best fit, with 18 as its range.
func fitness(r *Request) Score {
	return func(c *Candidate) (float64, bool) {
		has := Capacity(c.Node)
		t := pow10(free(c.Used.CPU, has.CPU)) + pow10(free(c.Used.MemoryMB, has.MemoryMB))
		v := 20 - t
		if r.Algorithm == n.AlgorithmSpread {
			v = t - 2
		}
		return min(max(v, 0), 18) / 18, true
	}
}

// pow10 is 10 to the x, in a third of the time that math.Pow takes.
func pow10(x float64) float64 { return math.Exp(x * math.Ln10) }

func free(used, total int64) float64 {
	if total <= 0 {
		return 0
	}
	return 1 - float64(used)/float64(total)
}

// antiAffinity keeps allocations of a group apart.
func antiAffinity(r *Request) Score {
	return func(c *Candidate) (float64, bool) {
		if c.Mates == 0 {
			return 0, false
		}
		return -float64(c.Mates+1) / float64(max(r.Group.Count, 1)), true
	}
}

// penalty avoids nodes on which the allocation failed before.
func penalty(r *Request) Score {
	return func(c *Candidate) (float64, bool) {
		if r.Penalty[c.Node.ID] {
			return -1, true
		}
		return 0, false
	}
}

// affinity is the matched part of the weights.
func affinity(r *Request) Score {
	all := slices.Concat(r.Job.Affinities, r.Group.Affinities)
	for i := range r.Group.Tasks {
		all = append(all, r.Group.Tasks[i].Affinities...)
	}
	total := 0.0
	for _, a := range all {
		total += math.Abs(float64(a.Weight))
	}
	if total == 0 {
		return nil
	}
	rate := func(c *Candidate) float64 {
		sum := 0.0
		for _, a := range all {
			if r.Prefers(c.Node, a) {
				sum += float64(a.Weight)
			}
		}
		return sum / total
	}
	if slices.ContainsFunc(all, func(a n.Affinity) bool { return feasible.Escapes(a.LTarget) || feasible.Escapes(a.RTarget) }) {
		return func(c *Candidate) (float64, bool) { return rate(c), true }
	}
	var known []float64 // by class, since all nodes of one have the same
	return func(c *Candidate) (float64, bool) {
		if c.Class < 0 {
			return rate(c), true
		}
		for len(known) <= c.Class {
			known = append(known, math.NaN())
		}
		if math.IsNaN(known[c.Class]) {
			known[c.Class] = rate(c)
		}
		return known[c.Class], true
	}
}
