package command

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// reasons says in one sentence each why there was no place.
func (e *env) reasons(m *n.AllocMetric, indent string) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, indent+"* "+fmt.Sprintf(format, args...)) }
	if m.NodesEvaluated == 0 {
		add("No nodes were eligible for evaluation")
	}
	for _, dc := range sorted(m.NodesAvailable) {
		if m.NodesAvailable[dc] == 0 {
			add("No nodes are available in datacenter %q", dc)
		}
	}
	for _, c := range sorted(m.ClassFiltered) {
		add("Class %q: %d nodes excluded by filter", c, m.ClassFiltered[c])
	}
	for _, c := range sorted(m.ConstraintFiltered) {
		line := fmt.Sprintf("Constraint %q: %d nodes excluded by filter", c, m.ConstraintFiltered[c])
		if strings.Contains(c, "missing drivers") {
			line = e.red(line)
		}
		add("%s", line)
	}
	if m.NodesExhausted > 0 {
		add("Resources exhausted on %d nodes", m.NodesExhausted)
	}
	for _, c := range sorted(m.ClassExhausted) {
		add("Class %q exhausted on %d nodes", c, m.ClassExhausted[c])
	}
	for _, d := range sorted(m.DimensionExhausted) {
		add("Dimension %q exhausted on %d nodes", d, m.DimensionExhausted[d])
	}
	for _, q := range m.QuotaExhausted {
		add("Quota limit hit %q", q)
	}
	return out
}

// unplaced tells group by group what could not be placed and why.
func (e *env) unplaced(failed map[string]*n.AllocMetric, head, indent string) []string {
	var out []string
	for _, g := range sorted(failed) {
		m := failed[g]
		noun := "allocation"
		if m.CoalescedFailures > 0 {
			noun += "s"
		}
		out = append(out, fmt.Sprintf("%sTask Group %q (failed to place %d %s):", head, g, m.CoalescedFailures+1, noun))
		out = append(out, e.reasons(m, indent)...)
	}
	return out
}

// scores is the table of how nodes were rated; nil without ratings.
func scores(m *n.AllocMetric) *text.Table {
	if len(m.ScoreMetaData) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, s := range m.ScoreMetaData {
		for _, score := range s.Scores {
			names[score.Name] = true
		}
	}
	columns := sorted(names)
	t := text.NewTable(slices.Concat([]string{"Node"}, columns, []string{"final score"})...)
	for _, s := range m.ScoreMetaData {
		row := []string{string(s.NodeID)}
		for _, name := range columns {
			row = append(row, fmt.Sprintf("%.3g", s.Scores.Of(name)))
		}
		t.Row(append(row, fmt.Sprintf("%.3g", s.NormScore))...)
	}
	return t
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
