package feasible

import (
	"fmt"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Placed tells what would run if the plan so far were carried out.
type Placed interface {
	// OnNode lists the allocations that use a node.
	OnNode(n.NodeID) []*n.Allocation
	// Count counts the job's allocations, those of group if it is not "", by the
	// value that an attribute has on their nodes.
	Count(group, attribute string) map[string]int
}

// Distinct says why another allocation of a group may not go to a node because
// of those of its job that are there or share a property; "" says that it may.
func Distinct(job *n.Job, group *n.Group, node *n.Node, placed Placed) string {
	if why := distinct(job.Constraints, job, "", node, placed); why != "" {
		return why
	}
	if why := distinct(group.Constraints, job, group.Name, node, placed); why != "" {
		return why
	}
	for i := range group.Tasks {
		if why := distinct(group.Tasks[i].Constraints, job, group.Name, node, placed); why != "" {
			return why
		}
	}
	return ""
}

func distinct(list []n.Constraint, job *n.Job, group string, node *n.Node, placed Placed) string {
	for _, c := range list {
		switch c.Operand {
		case n.OpDistinctHosts:
			if on, err := strconv.ParseBool(c.RTarget); err == nil && !on {
				continue
			}
			for _, a := range placed.OnNode(node.ID) {
				if a.JobKey() == job.Key() && (group == "" || a.TaskGroup == group) && !a.Terminal() {
					return n.OpDistinctHosts
				}
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
