package admission

import (
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// imply adds the constraints that follow from what a job uses; see the job
// specification reference, 5.2. Those of features that are refused elsewhere
// come with the features.
func imply(job *n.Job) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		if signals := signals(g); len(signals) > 0 {
			demand(&g.Constraints, n.Constraint{LTarget: "${attr.os.signals}", Operand: n.OpSetContains, RTarget: strings.Join(signals, ",")})
		}
	}
}

func demand(list *[]n.Constraint, c n.Constraint) {
	if !slices.Contains(*list, c) {
		*list = append(*list, c)
	}
}

func signals(g *n.Group) (out []string) {
	for i := range g.Tasks {
		t := &g.Tasks[i]
		if t.KillSignal != "" {
			out = append(out, t.KillSignal)
		}
		for j := range t.Templates {
			if t.Templates[j].ChangeMode == "signal" {
				out = append(out, t.Templates[j].ChangeSignal)
			}
		}
		if t.Vault != nil && t.Vault.ChangeMode == "signal" {
			out = append(out, t.Vault.ChangeSignal)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
