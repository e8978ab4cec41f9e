package admission

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-version"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// constraints checks the constraints of a job, group or, if wide is false, task.
func (c *checks) constraints(list []n.Constraint, wide bool) {
	for i, x := range list {
		c.in("constraint "+quote(x.String()), element("Constraints", i), func() {
			if x.Operand == n.OpDistinctHosts || x.Operand == n.OpDistinctProperty {
				if !wide {
					c.add("Operand", "%s is about nodes of the whole group: write it at group or job level", x.Operand)
				}
			}
			switch x.Operand {
			case n.OpDistinctHosts:
				return
			case n.OpDistinctProperty:
				if v, err := strconv.Atoi(x.RTarget); x.RTarget != "" && (err != nil || v < 1) {
					c.add("RTarget", "value %q is no number of allocations", x.RTarget)
				}
			case n.OpIsSet, n.OpIsNotSet:
				if x.RTarget != "" {
					c.add("RTarget", "%s takes no value", x.Operand)
				}
			default:
				c.comparison(x.Operand, x.RTarget)
			}
			c.target(x.LTarget)
		})
	}
}

func (c *checks) affinities(list []n.Affinity) {
	if c.job.Type == n.JobTypeSystem && len(list) > 0 {
		c.add("Affinities", "a system job runs on each node and has no affinities")
	}
	for i, a := range list {
		c.in("affinity "+quote(a.String()), element("Affinities", i), func() {
			if a.LTarget == "" {
				c.add("LTarget", "attribute is missing")
			}
			if a.Weight == 0 || a.Weight < -100 || a.Weight > 100 {
				c.add("Weight", "weight is %d and must be between -100 and 100, and not 0", a.Weight)
			}
			c.comparison(a.Operand, a.RTarget)
		})
	}
}

func (c *checks) comparison(operand, value string) {
	switch operand {
	case n.OpEqual, "==", "is", n.OpNotEqual, "not", n.OpLess, n.OpLessEqual, n.OpGreater, n.OpGreaterEqual,
		n.OpSetContains, n.OpSetContainsAll, n.OpSetContainsAny:
		if value == "" {
			c.add("RTarget", "value is missing")
		}
	case n.OpRegexp:
		if _, err := regexp.Compile(value); err != nil {
			c.add("RTarget", "value is no regular expression: %v", err)
		}
	case n.OpVersion, n.OpSemver:
		if _, err := version.NewConstraint(value); err != nil {
			c.add("RTarget", "value %q is no version constraint, such as \">= 1.2, < 2.0\"", value)
		}
	default:
		c.add("Operand", "operator %q is unknown", operand)
	}
}

// target checks the attribute of a constraint.
func (c *checks) target(t string) {
	if t == "" {
		c.add("LTarget", "attribute is missing")
		return
	}
	if !strings.HasPrefix(t, "$") {
		return
	}
	whole := []string{"${node.unique.id}", "${node.unique.name}", "${node.datacenter}", "${node.class}", "${node.pool}"}
	open := []string{"${attr.", "${meta.", "${device."}
	if slices.Contains(whole, t) {
		return
	}
	if strings.Count(t, "}") == 1 && strings.HasSuffix(t, "}") && slices.ContainsFunc(open, func(p string) bool { return strings.HasPrefix(t, p) }) {
		return
	}
	c.add("LTarget", "attribute %q is not one of the node's: use %s, ${attr.…} or ${meta.…}", t, strings.Join(whole, ", "))
}

func (c *checks) spreads(list []n.Spread) {
	if c.job.Type == n.JobTypeSystem && len(list) > 0 {
		c.add("Spreads", "a system job runs on each node and has no spread")
	}
	for i, s := range list {
		c.in("spread "+quote(s.Attribute), element("Spreads", i), func() {
			if s.Attribute == "" {
				c.add("Attribute", "attribute is missing")
			}
			if s.Weight < 1 || s.Weight > 100 {
				c.add("Weight", "weight is %d and must be between 1 and 100", s.Weight)
			}
			sum, seen := 0, map[string]bool{}
			for k, t := range s.SpreadTarget {
				if sum += int(t.Percent); seen[t.Value] {
					c.add(element("SpreadTarget", k), "target %q is there twice", t.Value)
				}
				if t.Percent > 100 {
					c.add(element("SpreadTarget", k)+".Percent", "target %q: percent is %d and must be between 0 and 100", t.Value, t.Percent)
				}
				seen[t.Value] = true
			}
			if sum > 100 {
				c.add("SpreadTarget", "the targets' percentages add up to %d, and may add up to 100", sum)
			}
		})
	}
}
