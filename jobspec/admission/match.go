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
		c.in(called("constraint", described(x.LTarget, x.String()), i), element("Constraints", i), func() {
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
					c.add("RTarget", "value %q must be a whole number of at least 1: how many allocations may share the property", x.RTarget)
				}
			case n.OpIsSet, n.OpIsNotSet:
				if x.RTarget != "" {
					c.add("RTarget", "%s takes no value: remove it", x.Operand)
				}
			default:
				c.comparison(x.Operand, x.RTarget, n.OpIsSet, n.OpIsNotSet, n.OpDistinctHosts, n.OpDistinctProperty)
			}
			c.target(x.LTarget)
		})
	}
}

// described is how a constraint is called: not at all without its attribute.
func described(attribute, text string) string {
	if attribute == "" {
		return ""
	}
	return text
}

func (c *checks) affinities(list []n.Affinity) {
	if c.job.Type == n.JobTypeSystem && len(list) > 0 {
		c.add("Affinities", "a system job runs on each node and has no affinities: remove the block")
	}
	for i, a := range list {
		c.in(called("affinity", described(a.LTarget, a.String()), i), element("Affinities", i), func() {
			if a.LTarget == "" {
				c.add("LTarget", "attribute is missing")
			}
			if a.Weight == 0 || a.Weight < -100 || a.Weight > 100 {
				c.add("Weight", "weight is %d and must be between -100 and 100, but not 0", a.Weight)
			}
			c.comparison(a.Operand, a.RTarget)
		})
	}
}

// comparison checks an operator and its value. more are operators that are good
// and checked elsewhere.
func (c *checks) comparison(operand, value string, more ...string) {
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
	case n.OpVersion:
		if _, err := version.NewConstraint(value); err != nil {
			c.add("RTarget", "value %q is no version constraint, such as \">= 1.2, < 2.0\"", value)
		}
	case n.OpSemver:
		if !isSemver(value) {
			c.add("RTarget", "value %q is no list of =, !=, <, <=, >, >= and versions, such as \">= 1.2.0, < 2.0.0\"", value)
		}
	default:
		known := []string{
			n.OpEqual, n.OpNotEqual, n.OpLess, n.OpLessEqual, n.OpGreater, n.OpGreaterEqual, n.OpRegexp,
			n.OpVersion, n.OpSemver, n.OpSetContains, n.OpSetContainsAny,
		}
		c.add("Operand", "operator %q is none of %s", operand, strings.Join(append(known, more...), ", "))
	}
}

// isSemver reports a value that nodes can compare by semver, as package feasible
// does.
func isSemver(value string) bool {
	for term := range strings.SplitSeq(value, ",") {
		term = strings.TrimSpace(term)
		bare := strings.TrimLeft(term, "=<>!")
		if !slices.Contains([]string{"", "=", "!=", "<", "<=", ">", ">="}, term[:len(term)-len(bare)]) {
			return false
		}
		if _, err := version.NewSemver(strings.TrimSpace(bare)); err != nil {
			return false
		}
	}
	return true
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
	known := strings.Join(whole, ", ") + ", ${attr.<name>}, ${meta.<name>}"
	if strings.Contains(c.path, ".Devices[") {
		known += ", ${device.<name>}"
	}
	c.add("LTarget", "attribute %q is not known before the job is placed: it must be one of %s", t, known)
}

func (c *checks) spreads(list []n.Spread) {
	if c.job.Type == n.JobTypeSystem && len(list) > 0 {
		c.add("Spreads", "a system job runs on each node and has no spread: remove the block")
	}
	for i, s := range list {
		c.in(called("spread", s.Attribute, i), element("Spreads", i), func() {
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
			if sum > 100 && !slices.ContainsFunc(s.SpreadTarget, func(t n.SpreadTarget) bool { return t.Percent > 100 }) {
				c.add("SpreadTarget", "the targets' percentages add up to %d, and may add up to 100", sum)
			}
		})
	}
}
