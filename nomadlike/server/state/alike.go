package state

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// Alike are new allocations that a plan makes together, mostly those of one group.
// Of a large job's allocations nearly all is the same, and of what is not, nearly all
// is the same in many of them: here each of it stands once. That holds in the log,
// and it holds in memory, where the allocations that are made of it share it.
type Alike struct {
	Like      n.Allocation // what all of them have
	Nodes     []AlikeNode
	Resources []*n.AllocatedResources
	Metrics   []*n.AllocMetric // without the nodes' scores
	Scores    []*n.NodeScore

	// One for each allocation. Node, Resource and Metric say which of the lists
	// above it has.
	IDs      []byte // 16 for each
	Index    []int  // in its name
	Node     []int
	Resource []int
	Metric   []int
	Took     []time.Duration // of the metric
	Shown    []int           // how many scores its metric has
	Score    []int           // which these are, of all of them one after the other
	Previous []n.AllocID     `json:",omitempty"` // nil when none has any
}

// AlikeNode is a node on which allocations are placed.
type AlikeNode struct {
	ID   n.NodeID
	Name string
}

// leastAlike is how many allocations are worth being written as alike.
const leastAlike = 4

// Place adds allocations to what the plan makes, new ones in the form that is shared.
func (c *PlanApply) Place(list []*n.Allocation) {
	var packers []*packer
	for _, a := range list {
		if !packable(a) {
			c.Places = append(c.Places, a)
			continue
		}
		like := common(a)
		i := slices.IndexFunc(packers, func(p *packer) bool { return walk.Equal(&p.Like, &like) })
		if i < 0 {
			i = len(packers)
			packers = append(packers, newPacker(like))
		}
		packers[i].add(a)
	}
	for _, p := range packers {
		if len(p.list) < leastAlike {
			c.Places = append(c.Places, p.list...)
		} else {
			c.Alike = append(c.Alike, p.Alike)
		}
	}
}

// packable reports an allocation that can be made again from what Alike has of it.
func packable(a *n.Allocation) bool {
	id, err := uuid.Parse(string(a.ID))
	return err == nil && id.String() == string(a.ID) && a.Metrics != nil && a.AllocatedResources != nil &&
		a.Index() >= 0 && a.Name == n.AllocName(string(a.JobID), a.TaskGroup, a.Index())
}

// common is an allocation without what stands apart from others.
func common(a *n.Allocation) n.Allocation {
	like := *a
	like.ID, like.Name, like.NodeID, like.NodeName, like.PreviousAllocation = "", "", "", "", ""
	like.AllocatedResources, like.Metrics = nil, nil
	return like
}

// A packer makes allocations Alike.
type packer struct {
	Alike
	list      []*n.Allocation
	nodes     map[AlikeNode]int
	resources map[*n.AllocatedResources]int
	scores    map[*n.NodeScore]int
	metric    n.AllocMetric // the last of Metrics
}

func newPacker(like n.Allocation) *packer {
	return &packer{
		Alike: Alike{Like: like}, nodes: map[AlikeNode]int{}, resources: map[*n.AllocatedResources]int{}, scores: map[*n.NodeScore]int{},
	}
}

func (p *packer) add(a *n.Allocation) {
	id := uuid.MustParse(string(a.ID)) // packable has looked
	p.list = append(p.list, a)
	p.IDs = append(p.IDs, id[:]...)
	p.Index = append(p.Index, a.Index())
	p.Node = append(p.Node, number(p.nodes, &p.Nodes, AlikeNode{a.NodeID, a.NodeName}, AlikeNode{a.NodeID, a.NodeName}))
	p.Resource = append(p.Resource, number(p.resources, &p.Resources, a.AllocatedResources, a.AllocatedResources))
	p.addMetric(a.Metrics)
	if a.PreviousAllocation != "" && p.Previous == nil {
		p.Previous = make([]n.AllocID, len(p.list)-1, cap(p.list))
	}
	if p.Previous != nil {
		p.Previous = append(p.Previous, a.PreviousAllocation)
	}
}

func (p *packer) addMetric(m *n.AllocMetric) {
	base := *m
	base.ScoreMetaData, base.AllocationTime = nil, 0
	if len(p.Metrics) == 0 || !walk.Equal(&base, &p.metric) {
		p.metric = base
		p.Metrics = append(p.Metrics, &base)
	}
	p.Metric = append(p.Metric, len(p.Metrics)-1)
	p.Took = append(p.Took, m.AllocationTime)
	p.Shown = append(p.Shown, len(m.ScoreMetaData))
	for _, s := range m.ScoreMetaData {
		p.Score = append(p.Score, number(p.scores, &p.Scores, s, s)) // placements that show the same share it
	}
}

// number returns where a thing stands in a list, to which it is added when it is new.
func number[K comparable, T any](known map[K]int, list *[]T, key K, x T) int {
	i, ok := known[key]
	if !ok {
		i = len(*list)
		known[key] = i
		*list = append(*list, x)
	}
	return i
}

var errAlike = errors.New("allocations that are alike do not fit together: the entry is damaged")

// allocations makes the allocations again.
func (g *Alike) allocations() ([]*n.Allocation, error) {
	if !g.whole() {
		return nil, errAlike
	}
	out := make([]*n.Allocation, len(g.Index))
	scores := g.Score
	for i := range out {
		a := g.Like
		a.ID = n.AllocID(uuid.UUID(g.IDs[16*i : 16*i+16]).String())
		a.Name = n.AllocName(string(a.JobID), a.TaskGroup, g.Index[i])
		a.NodeID, a.NodeName = g.Nodes[g.Node[i]].ID, g.Nodes[g.Node[i]].Name
		a.AllocatedResources = g.Resources[g.Resource[i]]
		if g.Previous != nil {
			a.PreviousAllocation = g.Previous[i]
		}
		m := *g.Metrics[g.Metric[i]]
		m.AllocationTime = g.Took[i]
		if g.Shown[i] > 0 {
			m.ScoreMetaData = make([]*n.NodeScore, g.Shown[i])
		}
		for k := range m.ScoreMetaData {
			m.ScoreMetaData[k] = g.Scores[scores[k]]
		}
		scores = scores[g.Shown[i]:]
		a.Metrics = &m
		out[i] = &a
	}
	return out, nil
}

// share lets the names in what allocations are made of be those in memory already,
// the nodes' own among them.
func (b *batch) share(g *Alike) {
	known := map[n.NodeID]AlikeNode{}
	for i, x := range g.Nodes {
		if node := nodes.Get(b.tx, nil, table.K(x.ID)); node != nil && node.Name == x.Name {
			g.Nodes[i] = AlikeNode{node.ID, node.Name}
		}
		known[x.ID] = g.Nodes[i]
	}
	names := map[string]string{}
	for _, s := range g.Scores {
		if s == nil {
			continue // it is refused
		}
		node, ok := known[s.NodeID]
		if !ok {
			node.ID = s.NodeID
			if there := nodes.Get(b.tx, nil, table.K(s.NodeID)); there != nil {
				node.ID = there.ID
			}
			known[s.NodeID] = node
		}
		s.NodeID = node.ID
		for k := range s.Scores {
			name, ok := names[s.Scores[k].Name]
			if !ok {
				name = s.Scores[k].Name
				names[name] = name
			}
			s.Scores[k].Name = name
		}
	}
}

// whole reports that every allocation has all that it should.
func (g *Alike) whole() bool {
	count, shown := len(g.Index), 0
	for _, k := range g.Shown {
		if k < 0 || k > len(g.Score)-shown {
			return false
		}
		shown += k
	}
	return len(g.IDs) == 16*count && len(g.Took) == count && len(g.Shown) == count && shown == len(g.Score) &&
		(g.Previous == nil || len(g.Previous) == count) && !slices.Contains(g.Metrics, nil) && !slices.Contains(g.Scores, nil) &&
		within(g.Node, count, len(g.Nodes)) && within(g.Resource, count, len(g.Resources)) && within(g.Metric, count, len(g.Metrics)) &&
		within(g.Score, shown, len(g.Scores))
}

// within reports that there are count numbers, all below limit.
func within(numbers []int, count, limit int) bool {
	return len(numbers) == count && !slices.ContainsFunc(numbers, func(i int) bool { return i < 0 || i >= limit })
}
