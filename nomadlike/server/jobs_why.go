package server

import (
	"cmp"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/scheduler"
)

// whyPlanned tells by group how a decision has chosen nodes: what the scheduler said
// of those that it ruled out, and the scores of new allocations.
func whyPlanned(view *state.View, d *scheduler.Decision) map[string]*n.GroupWhy {
	out := map[string]*n.GroupWhy{}
	for g, why := range d.Why {
		out[g] = why
	}
	if d.Plan == nil {
		return out
	}
	var placed []*n.Allocation
	for _, list := range d.Plan.NodeAllocation {
		for _, a := range list {
			if a.CreateIndex == 0 && a.Metrics != nil {
				placed = append(placed, a)
			}
		}
	}
	slices.SortFunc(placed, func(a, b *n.Allocation) int {
		return cmp.Or(cmp.Compare(a.TaskGroup, b.TaskGroup), cmp.Compare(a.Index(), b.Index()), cmp.Compare(a.NodeName, b.NodeName))
	})
	for _, a := range placed {
		if out[a.TaskGroup] == nil {
			out[a.TaskGroup] = &n.GroupWhy{}
		}
		p := n.PlacementWhy{Name: a.Name}
		for _, s := range a.Metrics.ScoreMetaData {
			rated := n.RatedNode{NodeID: s.NodeID, Score: s.NormScore, Scores: s.Scores}
			if node := view.Node(s.NodeID); node != nil {
				rated.NodeName = node.Name
			}
			p.Rated = append(p.Rated, rated)
		}
		w := out[a.TaskGroup]
		w.Placements = append(w.Placements, p)
	}
	return out
}
