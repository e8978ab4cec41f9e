package feasible

import (
	"fmt"
	"slices"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Placed tells what would run if the plan so far were carried out.
type Placed interface {
	// Live counts the job's allocations on a node, those of group if it is not "",
	// but for those that are meant to end or have ended.
	Live(node n.NodeID, group string) int
	// Count counts the job's allocations, those of group if it is not "", by the
	// value that an attribute has on their nodes.
	Count(group, attribute string) map[string]int
}

// Distincts reports a constraint with one of the two operators that look at what
// else runs; for others Distinct has nothing to say.
func Distincts(job *n.Job, group *n.Group, operand string) bool {
	return slices.ContainsFunc(Constraints(job, group), func(c n.Constraint) bool { return c.Operand == operand })
}

// Distinct says why another allocation of a group may not go to a node because
// of those of its job that are there or share a property; "" says that it may.
func Distinct(job *n.Job, group *n.Group, node *n.Node, placed Placed) string {
	if why := distinct(job.Constraints, "", node, placed); why != "" {
		return why
	}
	if why := distinct(group.Constraints, group.Name, node, placed); why != "" {
		return why
	}
	for i := range group.Tasks {
		if why := distinct(group.Tasks[i].Constraints, group.Name, node, placed); why != "" {
			return why
		}
	}
	return ""
}

func distinct(list []n.Constraint, group string, node *n.Node, placed Placed) string {
	for _, c := range list {
		switch c.Operand {
		case n.OpDistinctHosts:
			if on, err := strconv.ParseBool(c.RTarget); err == nil && !on {
				continue
			}
			if placed.Live(node.ID, group) > 0 {
				return n.OpDistinctHosts
			}
		case n.OpDistinctProperty:
			if why := distinctProperty(c, group, node, placed); why != "" {
				return why
			}
		}
	}
	return ""
}

func distinctProperty(c n.Constraint, group string, node *n.Node, placed Placed) string {
	allowed := 1
	if c.RTarget != "" {
		v, err := strconv.Atoi(c.RTarget)
		if err != nil || v < 1 {
			return fmt.Sprintf("distinct_property: %q is no number of allocations", c.RTarget)
		}
		allowed = v
	}
	value, ok := Resolve(node, c.LTarget)
	if !ok {
		return fmt.Sprintf("missing property %q", c.LTarget)
	}
	if used := placed.Count(group, c.LTarget)[value]; used >= allowed {
		return fmt.Sprintf("distinct_property: %s=%s used by %d allocs", c.LTarget, value, used)
	}
	return ""
}
