package command

import (
	"fmt"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// why shows by group which nodes were ruled out by what, and how the chosen ones were
// rated against the next best.
func (p *planned) why(verbose bool) {
	for _, g := range sorted(p.plan.Why) {
		w := p.plan.Why[g]
		p.print(p.bold(fmt.Sprintf("Why, for task group %q:", g)))
		if len(w.RuledOut) > 0 {
			p.print(ruledOut(w, verbose).String() + "\n")
		}
		if len(w.Placements) > 0 {
			p.print(chosen(w.Placements).String() + "\n")
		}
		if len(w.RuledOut)+len(w.Placements) == 0 {
			p.print("No node had to be chosen.\n")
		}
		if !verbose {
			continue
		}
		for i := range w.Placements {
			p.print(w.Placements[i].Name + "\n" + scoresOf(&w.Placements[i]).String() + "\n")
		}
	}
}

// namedNodes is how many nodes a line names, unless all are asked for.
const namedNodes = 4

// ruledOut is a line for each reason, those of most nodes first.
func ruledOut(w *n.GroupWhy, verbose bool) *text.Table {
	t := text.NewTable("Ruled Out By", "Nodes", "Asked", "Most Free", "Which")
	t.Plain = true
	for i := range w.Obstacles {
		o := &w.Obstacles[i]
		var names []string
		for _, r := range w.RuledOut {
			if r.Kind == o.Kind && r.Reason == o.Reason {
				names = append(names, r.NodeName)
			}
		}
		asked, free := "", ""
		if o.Unit != "" {
			asked, free = fmt.Sprintf("%d %s", o.Asked, o.Unit), fmt.Sprintf("%d %s", o.Free, o.Unit)
		}
		reason := o.Reason
		if len(o.Found) > 0 {
			reason += " (" + strings.Join(o.Found, ", ") + ")"
		}
		t.Row(reason, str(o.Nodes), asked, free, some(names, verbose))
	}
	return t
}

// some is a list that is cut short unless all of it is asked for.
func some(names []string, all bool) string {
	if more := len(names) - namedNodes; more > 0 && !all {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namedNodes], ", "), more)
	}
	return strings.Join(names, ", ")
}

// chosen is a line for each allocation.
func chosen(placements []n.PlacementWhy) *text.Table {
	t := text.NewTable("Allocation", "Node", "Score", "Next Best", "Its Score", "Decided By")
	t.Plain = true
	for i := range placements {
		p := &placements[i]
		if len(p.Rated) == 0 {
			t.Row(p.Name)
			continue
		}
		best := &p.Rated[0]
		row := []string{p.Name, best.NodeName, fmt.Sprintf("%.3g", best.Score)}
		if len(p.Rated) < 2 {
			t.Row(append(row, "", "", "no other node was possible")...)
			continue
		}
		next, by := &p.Rated[1], "chance"
		if best.Score > next.Score {
			by = decisive(best.Scores, next.Scores)
		}
		t.Row(append(row, next.NodeName, fmt.Sprintf("%.3g", next.Score), by)...)
	}
	return t
}

// scoresOf is the table of all scores of an allocation's best nodes.
func scoresOf(p *n.PlacementWhy) fmt.Stringer {
	m := &n.AllocMetric{}
	for _, r := range p.Rated {
		m.ScoreMetaData = append(m.ScoreMetaData, &n.NodeScore{NodeID: n.NodeID(r.NodeName), Scores: r.Scores, NormScore: r.Score})
	}
	if t := scores(m); t != nil {
		return t
	}
	return stringer("not rated")
}
