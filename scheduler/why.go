package scheduler

import (
	"cmp"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// findings collects what keeps nodes from running a group, for people. It is made
// for placements that failed, and for those that somebody asks about: it looks at
// each node once more, which placements that succeed are spared.
type findings struct {
	*trial
	list  []n.Obstacle
	at    map[findingKey]int
	seen  map[findingKey]map[string]int // values found, and how often
	each  bool                          // the nodes are listed, too
	nodes []n.RuledOut
}

type findingKey struct{ kind, reason string }

func (t *trial) findings(each bool) *findings {
	return &findings{trial: t, at: map[findingKey]int{}, seen: map[findingKey]map[string]int{}, each: each}
}

// add counts a node, and returns the obstacle for amounts to be added. It is valid
// until the next call.
func (f *findings) add(node *n.Node, kind, reason string, found ...string) *n.Obstacle {
	k := findingKey{kind, reason}
	i, ok := f.at[k]
	if !ok {
		i = len(f.list)
		f.at[k] = i
		f.list = append(f.list, n.Obstacle{Kind: kind, Reason: reason})
		f.seen[k] = map[string]int{}
	}
	for _, v := range found {
		f.seen[k][v]++
	}
	f.list[i].Nodes++
	if f.each {
		f.nodes = append(f.nodes, n.RuledOut{NodeID: node.ID, NodeName: node.Name, Kind: kind, Reason: reason})
	}
	return &f.list[i]
}

// amount adds how much of something a node has.
func amount(o *n.Obstacle, asked, free, most int64, unit string) {
	o.Asked, o.Unit = max(o.Asked, asked), unit
	o.Free, o.Most = max(o.Free, free), max(o.Most, most)
}

// absent is for nodes that are not looked at.
func (f *findings) absent(node *n.Node) {
	switch {
	case !inPool(f.job, node):
		f.add(node, n.ObstacleAbsent, n.AbsentPool, node.NodePool)
	case !inDatacenters(f.job, node.Datacenter):
		f.add(node, n.ObstacleAbsent, n.AbsentDatacenter, node.Datacenter)
	case node.Status != n.NodeReady:
		f.add(node, n.ObstacleAbsent, n.AbsentNotReady, string(node.Status))
	case node.DrainStrategy != nil:
		f.add(node, n.ObstacleAbsent, n.AbsentDraining)
	case node.SchedulingEligibility == n.NodeIneligible:
		f.add(node, n.ObstacleAbsent, n.AbsentIneligible)
	}
}

// filtered is for nodes that a check refuses.
func (f *findings) filtered(node *n.Node, why string) {
	switch why {
	case feasible.MissingDrivers:
		f.add(node, n.ObstacleFiltered, why, feasible.LackingDrivers(node, f.group)...)
		return
	case feasible.MissingDevices:
		f.add(node, n.ObstacleFiltered, why, f.deviceNames()...)
		return
	}
	for _, c := range feasible.Constraints(f.job, f.group) {
		if c.String() != why {
			continue
		}
		if v, ok := feasible.Resolve(node, c.LTarget); ok {
			f.add(node, n.ObstacleFiltered, why, v)
			return
		}
	}
	f.add(node, n.ObstacleFiltered, why)
}

func (f *findings) deviceNames() (names []string) {
	for i := range f.group.Tasks {
		if r := f.group.Tasks[i].Resources; r != nil {
			for _, d := range r.Devices {
				names = append(names, d.Name)
			}
		}
	}
	return names
}

// exhausted is for nodes without room. A node with too little memory may have too
// little disk as well, which is worth to know before memory is added.
func (f *findings) exhausted(m *fleet.Member, why string) {
	used, _ := f.usage(m)
	need := f.need
	if f.cores > 0 {
		need = need.Plus(rank.CoresUsage(m.Node, f.cores))
	}
	total := rank.Capacity(m.Node)
	free, named := total.Minus(used), false
	for _, d := range []struct {
		name              string
		asked, free, most int64
		unit              string
	}{
		{"cpu", need.CPU, free.CPU, total.CPU, "MHz"},
		{"memory", need.MemoryMB, free.MemoryMB, total.MemoryMB, "MB"},
		{"disk", need.DiskMB, free.DiskMB, total.DiskMB, "MB"},
	} {
		if d.asked > d.free {
			amount(f.add(m.Node, n.ObstacleExhausted, d.name), d.asked, d.free, d.most, d.unit)
			named = named || d.name == why
		}
	}
	switch {
	case named:
	case why == "cores":
		left, most := rank.FreeCores(m.Node, f.OnNode(m.Node.ID))
		amount(f.add(m.Node, n.ObstacleExhausted, why), int64(f.cores), int64(left), int64(most), "cores")
	case why == rank.TooManyAllocs:
		amount(f.add(m.Node, n.ObstacleExhausted, why), 1, 0, int64(m.Node.NodeMaxAllocs), "allocations")
	case why == rank.NoDevices:
		f.add(m.Node, n.ObstacleExhausted, why, f.deviceNames()...)
	default:
		f.add(m.Node, n.ObstacleExhausted, why)
	}
}

// foundKept is how many values of nodes an obstacle shows.
const foundKept = 3

// done returns the obstacles: first what most nodes have in the way.
func (f *findings) done() []n.Obstacle {
	for k, i := range f.at {
		var values []string
		for v := range f.seen[k] {
			values = append(values, v)
		}
		slices.SortFunc(values, func(a, b string) int {
			return cmp.Or(-cmp.Compare(f.seen[k][a], f.seen[k][b]), cmp.Compare(a, b))
		})
		kept := min(len(values), foundKept)
		f.list[i].Found = values[:kept:kept]
	}
	sortObstacles(f.list)
	slices.SortFunc(f.nodes, func(a, b n.RuledOut) int {
		return cmp.Or(cmp.Compare(a.NodeName, b.NodeName), cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.Reason, b.Reason))
	})
	return f.list
}

func sortObstacles(list []n.Obstacle) {
	slices.SortFunc(list, func(a, b n.Obstacle) int {
		return cmp.Or(-cmp.Compare(a.Nodes, b.Nodes), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
}

// mergeObstacles adds up what was found on different nodes.
func mergeObstacles(a, b []n.Obstacle) []n.Obstacle {
	for _, o := range b {
		i := slices.IndexFunc(a, func(x n.Obstacle) bool { return x.Kind == o.Kind && x.Reason == o.Reason })
		if i < 0 {
			a = append(a, o)
			continue
		}
		amount(&a[i], o.Asked, o.Free, o.Most, o.Unit)
		a[i].Nodes += o.Nodes
		for _, v := range o.Found {
			if len(a[i].Found) < foundKept && !slices.Contains(a[i].Found, v) {
				a[i].Found = append(a[i].Found, v)
			}
		}
	}
	sortObstacles(a)
	return a
}

// mergeShort adds up what tasks asked for on different nodes.
func mergeShort(a, b map[string]*n.Resources) map[string]*n.Resources {
	if a == nil {
		return b
	}
	for task, r := range b {
		if old := a[task]; old != nil {
			r = &n.Resources{CPU: max(old.CPU, r.CPU), Cores: max(old.Cores, r.Cores), MemoryMB: max(old.MemoryMB, r.MemoryMB)}
		}
		a[task] = r
	}
	return a
}

// short tells, task by task, what was asked of what there is too little of.
func (f *findings) short() map[string]*n.Resources {
	lacking := map[string]bool{}
	for _, o := range f.list {
		lacking[o.Reason] = lacking[o.Reason] || o.Kind == n.ObstacleExhausted
	}
	var out map[string]*n.Resources
	for i := range f.group.Tasks {
		t := &f.group.Tasks[i]
		if t.Resources == nil {
			continue
		}
		var r n.Resources
		if lacking["cpu"] {
			r.CPU = t.Resources.CPU
		}
		if lacking["cores"] {
			r.Cores = t.Resources.Cores
		}
		if lacking["memory"] {
			r.MemoryMB = t.Resources.MemoryMB
		}
		if r.CPU+r.Cores+r.MemoryMB == 0 {
			continue
		}
		if out == nil {
			out = map[string]*n.Resources{}
		}
		out[t.Name] = &r
	}
	return out
}

// tell adds to the metric of a failed placement what was in the way, and says of those
// that somebody asks about what ruled nodes out. only is the one node that was possible,
// or "".
func (s *chooser) tell(g *n.Group, only n.NodeID, c *choice, m *n.AllocMetric) {
	if c != nil && (s.why == nil || !s.last || only != "") {
		return
	}
	if only == "" {
		s.keep(g, s.contest(g, nil).find(s.why != nil), c, m)
		return
	}
	f := s.trial(g, nil, nil).findings(s.why != nil)
	if i, ok := s.fleet.Position(only); ok && s.fleet.At(i).Node != nil {
		for why := range m.ConstraintFiltered {
			f.filtered(s.fleet.At(i).Node, why)
		}
		for why := range m.DimensionExhausted {
			f.exhausted(s.fleet.At(i), why)
		}
	}
	s.keep(g, f, c, m)
}

// keep puts findings where they are looked for.
func (s *chooser) keep(g *n.Group, f *findings, c *choice, m *n.AllocMetric) {
	obstacles := f.done()
	if c == nil && m != nil {
		m.Obstacles, m.ResourcesExhausted = obstacles, f.short()
	}
	if s.why == nil {
		return
	}
	w := s.why[g.Name]
	if w == nil {
		w = &n.GroupWhy{}
		s.why[g.Name] = w
	}
	w.RuledOut, w.Obstacles = append(w.RuledOut, f.nodes...), mergeObstacles(w.Obstacles, obstacles)
}

// find looks at all nodes for what rules them out.
func (x *contest) find(each bool) *findings {
	f := x.findings(each)
	for i := range x.fleet.Len() {
		m := x.fleet.At(i)
		switch {
		case m.Node == nil:
		case x.at[i] > 0:
			switch e := &x.entries[x.at[i]-1]; {
			case e.why == "":
			case e.filtered:
				f.filtered(m.Node, e.why)
			default:
				f.exhausted(m, e.why)
			}
		case !suits(x.job, m.Node) || !m.Node.Ready():
			f.absent(m.Node)
		default:
			f.filtered(m.Node, x.checks.Check(m.Node, x.group))
		}
	}
	return f
}
