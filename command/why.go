package command

import (
	"fmt"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// mends are sentences on a failed placement: what was in the way, and what would have
// to change.
func mends(m *n.AllocMetric, indent string) []string {
	var out []string
	if m.NodesInPool == 0 && m.NodesEvaluated == 0 && m.NodePool != "" {
		out = append(out, fmt.Sprintf("%sthe node pool %q has no nodes; add some, or choose another pool with node_pool", indent, m.NodePool))
	}
	for i := range m.Obstacles {
		o := &m.Obstacles[i]
		elsewhere := o.Reason == n.AbsentPool || o.Reason == n.AbsentDatacenter && m.NodesEvaluated > 0
		if o.Kind == n.ObstacleAbsent && elsewhere && m.NodesInPool > 0 {
			continue // what was looked at says more
		}
		out = append(out, indent+mend(o))
	}
	return out
}

// explained is mends below what was said before, after an empty line.
func explained(m *n.AllocMetric, indent string) []string {
	if list := mends(m, indent); len(list) > 0 {
		return append([]string{""}, list...)
	}
	return nil
}

// mend is the sentence on one obstacle.
func mend(o *n.Obstacle) string {
	nodes := text.Count(o.Nodes, "node")
	switch o.Kind {
	case n.ObstacleAbsent:
		return absentMend(o, nodes)
	case n.ObstacleFiltered:
		return filteredMend(o, nodes)
	}
	return exhaustedMend(o, nodes)
}

func absentMend(o *n.Obstacle, nodes string) string {
	found := strings.Join(o.Found, ", ")
	switch o.Reason {
	case n.AbsentPool:
		return fmt.Sprintf("%s in another node pool (%s)", are(o, nodes), found)
	case n.AbsentDatacenter:
		return fmt.Sprintf("%s in another datacenter (%s); name it in datacenters, or add nodes", are(o, nodes), found)
	case n.AbsentNotReady:
		return fmt.Sprintf("%s not ready (%s); bring their agents back, or add nodes", are(o, nodes), found)
	case n.AbsentIneligible:
		return fmt.Sprintf("%s ineligible; see '%s node eligibility'", are(o, nodes), Name)
	}
	return are(o, nodes) + " " + o.Reason
}

func filteredMend(o *n.Obstacle, nodes string) string {
	found := strings.Join(o.Found, ", ")
	switch {
	case o.Reason == feasible.MissingDrivers:
		return fmt.Sprintf("%s %s; install it there, or use another driver", has(o, nodes, "no healthy driver"), found)
	case o.Reason == feasible.MissingDevices:
		return fmt.Sprintf("%s %s; ask for fewer or others, or add nodes that have them", has(o, nodes, "too few healthy devices of the kind"), found)
	case o.Reason == n.OpDistinctHosts:
		return fmt.Sprintf("%s an allocation already, and distinct_hosts allows one each; lower the count, or add nodes", has(o, nodes, ""))
	case strings.HasPrefix(o.Reason, n.OpDistinctProperty):
		return fmt.Sprintf("%s filtered by %s; lower the count, allow more, or add nodes with other values", are(o, nodes), o.Reason)
	case found != "":
		return fmt.Sprintf("%s filtered by %s, where it is %s; change the constraint, or add nodes that meet it", are(o, nodes), o.Reason, found)
	case strings.Contains(o.Reason, "${"):
		return fmt.Sprintf("%s filtered by %s, which is not set there; change the constraint, or add nodes that meet it", are(o, nodes), o.Reason)
	}
	return fmt.Sprintf("%s filtered by %s", are(o, nodes), o.Reason)
}

func exhaustedMend(o *n.Obstacle, nodes string) string {
	why, network := strings.CutPrefix(o.Reason, "network: ")
	switch {
	case o.Reason == rank.TooManyAllocs:
		return fmt.Sprintf("%s as many allocations as they may (at most %d); raise client.node_max_allocs, or add nodes", has(o, nodes, ""), o.Most)
	case o.Reason == rank.NoDevices:
		return fmt.Sprintf("%s %s; ask for fewer, or add nodes", has(o, nodes, "too few free devices of the kind"), strings.Join(o.Found, ", "))
	case strings.HasPrefix(why, "reserved port collision "):
		label, port, _ := strings.Cut(strings.TrimPrefix(why, "reserved port collision "), "=")
		return fmt.Sprintf("%s port %s (%s) in use; leave out static for any free port, or add nodes", has(o, nodes, ""), port, label)
	case network && strings.HasPrefix(why, "dynamic port"):
		return fmt.Sprintf("%s no dynamic port left; widen min_dynamic_port and max_dynamic_port there, or add nodes", has(o, nodes, ""))
	case o.Unit == "":
		return fmt.Sprintf("%s no room: %s", has(o, nodes, ""), o.Reason)
	}
	what := map[string]string{"cpu": "too little CPU", "cores": "too few free cores"}[o.Reason]
	if what == "" {
		what = "too little " + o.Reason
	}
	unit := " " + o.Unit
	if o.Unit == "cores" {
		unit = ""
	}
	if o.Asked > o.Most {
		return fmt.Sprintf("%s: %d%s asked, and the largest has %d%s when it is empty; ask for less, or add larger nodes", has(o, nodes, what), o.Asked, unit, o.Most, unit)
	}
	return fmt.Sprintf("%s: %d%s asked, at most %d%s free; ask for less, or add nodes", has(o, nodes, what), o.Asked, unit, o.Free, unit)
}

func are(o *n.Obstacle, nodes string) string {
	if o.Nodes == 1 {
		return nodes + " is"
	}
	return nodes + " are"
}

func has(o *n.Obstacle, nodes, what string) string {
	verb := " have "
	if o.Nodes == 1 {
		verb = " has "
	}
	return strings.TrimSpace(nodes + verb + what)
}

// decided is a sentence on why the first of rated nodes was chosen and not the next;
// "" where there was no other.
func decided(rated []*n.NodeScore, name func(n.NodeID) string) string {
	if len(rated) < 2 {
		return ""
	}
	best, next := rated[0], rated[1]
	if by := best.NormScore - next.NormScore; by > 0 {
		return fmt.Sprintf("%s is %.3g ahead of %s, by %s", name(best.NodeID), by, name(next.NodeID), decisive(best.Scores, next.Scores))
	}
	return fmt.Sprintf("%s and %s are rated alike; chance decided", name(best.NodeID), name(next.NodeID))
}

// decisive names the score that differs most in favour of the first.
func decisive(best, next n.Scores) string {
	name, most := "", 0.0
	for _, score := range best {
		if d := score.Value - next.Of(score.Name); d > most || d == most && d > 0 && score.Name < name {
			name, most = score.Name, d
		}
	}
	if name == "" {
		return "the mean of scores that do not apply to both"
	}
	return name
}
