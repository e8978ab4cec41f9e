package scheduler

import (
	"cmp"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/order"
	"github.com/nomadlike/nomadlike/scheduler/preempt"
)

// A contest keeps all nodes that can run a group in the order of their scores, so
// that the best of all of them is found for each placement, and not the best of
// some. A placement touches one node; what it changes for others, by spreads, it
// changes for all with one value of an attribute alike. See package order.
type contest struct {
	*trial
	entries  []entry
	at       []int32 // by position in the fleet, plus one
	order    order.Order
	parts    []part
	byValue  []int // the parts, in an order that does not depend on that of the nodes
	distinct bool  // the group has constraints on what else runs
	property bool  // among them, on how often a value of an attribute may be used
	looked   int   // so many of the entries were looked at; all, unless others have to leave

	evaluated           int
	filtered, exhausted int
	constraints         counts // why nodes are filtered
	dimensions          counts // what they have too little of
	classFiltered       counts // by the class that operators give
	classExhausted      counts
}

// An entry is a node that checks of its class and itself let through.
type entry struct {
	position int32 // in the fleet
	member   *fleet.Member
	part     int32
	tie      uint32
	why      string // it is not in the order
	filtered bool   // by constraints; else there is no room
	leaving  []preempt.Tenant
	score    *n.NodeScore // that placements show, if it is known
}

// A part is all nodes with the same values of the attributes that are spread over.
type part struct {
	key    string // of values and has
	values []string
	has    []bool
}

func newContest(s *chooser, g *n.Group, room *room) *contest {
	x := &contest{trial: s.trial(g, nil, room), at: make([]int32, s.fleet.Len()), property: feasible.Distincts(s.job, g, n.OpDistinctProperty)}
	x.distinct = x.property || feasible.Distincts(s.job, g, n.OpDistinctHosts)
	x.enter()
	for i := range x.parts {
		x.byValue = append(x.byValue, i)
	}
	slices.SortFunc(x.byValue, func(a, b int) int { return strings.Compare(x.parts[a].key, x.parts[b].key) })
	if room != nil { // chance decides which are looked at
		slices.SortFunc(x.entries, func(a, b entry) int { return cmp.Compare(a.tie, b.tie) })
	}
	for i := range x.entries {
		x.at[x.entries[i].position] = int32(i + 1)
	}
	x.order.Grow(len(x.entries))
	x.look()
	x.share()
	s.touched = append(s.touched, x.touch)
	return x
}

// preemptible is how many nodes are rated on which others have to leave: who that
// would be takes long to find out, and most nodes are as good as each other.
const preemptible = 64

// look rates nodes: all of them, or as many as it takes to have some where others
// can leave.
func (x *contest) look() {
	for x.looked < len(x.entries) && (x.room == nil || x.order.Len() < preemptible) {
		x.refresh(x.looked)
		x.looked++
	}
}

// enter finds the nodes that can run the group if they have room.
func (x *contest) enter() {
	alike := x.checks.Alike(x.group)
	classes := make([]*string, x.fleet.Classes())
	parts := newParting(x)
	x.entries = make([]entry, 0, len(x.ready))
	salt := x.chance.Uint64()
	for _, at := range x.ready {
		m := x.fleet.At(int(at))
		x.evaluated++
		why := classes[m.Class]
		if why == nil || m.Node.ComputedClass == "" {
			reason := x.checks.Class(m.Node, x.group)
			why, classes[m.Class] = &reason, &reason
		}
		reason := *why
		if reason == "" && !alike {
			reason = x.checks.Each(m.Node, x.group)
		}
		if reason != "" {
			x.tally(m.Node, reason, true, 1)
			continue
		}
		x.entries = append(x.entries, entry{position: at, member: m, part: parts.of(m), tie: scatter(salt, m.Hash)})
	}
}

// scatter gives each node another number for each evaluation, so that evaluations
// at the same time do not all choose the same of equal nodes.
func scatter(salt, i uint64) uint32 {
	z := salt + i*0x9e3779b97f4a7c15 // the generator splitmix64
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return uint32(z >> 32)
}

// parting puts nodes into parts.
type parting struct {
	*contest
	ids     map[string]int32
	perNode bool    // the values may differ within a class
	classes []int32 // parts by class, plus one
}

func newParting(x *contest) *parting {
	p := &parting{contest: x, ids: map[string]int32{}, classes: make([]int32, x.fleet.Classes())}
	for _, s := range x.rating.Spreads {
		p.perNode = p.perNode || feasible.Escapes(s.Attribute)
	}
	return p
}

func (p *parting) of(m *fleet.Member) int32 {
	if !p.perNode && m.Node.ComputedClass != "" && p.classes[m.Class] > 0 {
		return p.classes[m.Class] - 1
	}
	var key strings.Builder
	var values part
	for _, s := range p.rating.Spreads {
		v, ok := feasible.Resolve(m.Node, s.Attribute)
		values.values, values.has = append(values.values, v), append(values.has, ok)
		key.WriteString(v)
		key.WriteByte(map[bool]byte{false: 0, true: 1}[ok])
	}
	id, ok := p.ids[key.String()]
	if !ok {
		id, values.key = int32(len(p.parts)), key.String()
		p.ids[key.String()] = id
		p.parts = append(p.parts, values)
	}
	p.classes[m.Class] = id + 1
	return id
}

// touch looks again at a node on which something has changed.
func (x *contest) touch(id n.NodeID) {
	i, ok := x.entry(id)
	if !ok {
		return
	}
	if x.property {
		for i := range x.looked { // a value may be free again, or taken
			x.refresh(i)
		}
	} else {
		x.refresh(i)
	}
	x.share()
}

// entry is that of a node, if it competes.
func (x *contest) entry(id n.NodeID) (int, bool) {
	at, ok := x.fleet.Position(id)
	if !ok || x.at[at] == 0 {
		return 0, false
	}
	i := int(x.at[at] - 1)
	return i, i < x.looked
}

// refresh rates a node anew, or notes why it can not be used.
func (x *contest) refresh(i int) {
	e := &x.entries[i]
	e.score = nil
	why, filtered := "", false
	if x.distinct {
		why = feasible.Distinct(x.job, x.group, e.member.Node, x)
		filtered = why != ""
	}
	if why == "" {
		e.leaving, why = x.fill(e.member)
	}
	x.explain(e, why, filtered)
	if why != "" {
		x.order.Drop(i)
		return
	}
	sum, count := x.rating.Rate(&x.candidate)
	x.order.Set(i, int(e.part), sum, count, e.tie)
}

// explain keeps count of why nodes are not in the order.
func (x *contest) explain(e *entry, why string, filtered bool) {
	if e.why == why && e.filtered == filtered {
		return
	}
	if e.why != "" {
		x.tally(e.member.Node, e.why, e.filtered, -1)
	}
	if e.why, e.filtered = why, filtered; why != "" {
		x.tally(e.member.Node, why, filtered, 1)
	}
}

func (x *contest) tally(node *n.Node, why string, filtered bool, by int) {
	if filtered {
		x.filtered += by
		x.constraints.add(why, by)
		x.classFiltered.add(node.NodeClass, by)
		return
	}
	x.exhausted += by
	x.dimensions.add(why, by)
	x.classExhausted.add(node.NodeClass, by)
}

// share says anew what spreads make of each part.
func (x *contest) share() {
	if len(x.rating.Spreads) == 0 {
		return
	}
	for _, s := range x.rating.Spreads {
		s.Begin(x.Count(x.group.Name, s.Attribute))
	}
	for _, i := range x.byValue { // what one spread says of a value may depend on what it said of others
		sum := x.spreadOf(i)
		x.order.Part(i, sum, sum != 0)
	}
}

func (x *contest) spreadOf(p int) (sum float64) {
	for k, s := range x.rating.Spreads {
		sum += s.Of(x.parts[p].values[k], x.parts[p].has[k])
	}
	return sum
}

// best returns the best node, or nil; the metric says why. On those of penalty the
// allocation has failed before.
func (x *contest) best(penalty map[n.NodeID]bool) (*choice, *n.AllocMetric) {
	for {
		x.look()
		i, found := x.first(penalty)
		if !found {
			return nil, x.shown(nil, nil)
		}
		e := &x.entries[i]
		given, lacking := x.give(e.member.Node, e.leaving)
		if lacking != "" && x.room != nil && len(e.leaving) == 0 && x.leaveFor(i, lacking) {
			continue
		}
		if lacking == "" {
			return &choice{e.member.Node, given, e.leaving}, x.shown(e, penalty)
		}
		x.explain(&x.entries[i], lacking, false) // until something changes there
		x.order.Drop(i)
	}
}

// leaveFor has others leave a node that has room, but lacks something else, such as
// a port. It reports whether that is of use.
func (x *contest) leaveFor(i int, lacking string) bool {
	e := &x.entries[i]
	leaving, still := x.makeRoom(e.member, lacking)
	if still != "" {
		return false
	}
	e.leaving, e.score = leaving, nil
	sum, count := x.rating.Rate(&x.candidate)
	x.order.Set(i, int(e.part), sum, count, e.tie)
	return true
}

// first is the best candidate, with the penalty.
func (x *contest) first(penalty map[n.NodeID]bool) (int, bool) {
	if len(penalty) == 0 {
		for i := range x.order.Best() {
			return i, true
		}
		return 0, false
	}
	best, top, found := 0, 0.0, false
	for i, score := range x.order.Best() {
		if penalty[x.entries[i].member.Node.ID] {
			continue
		}
		best, top, found = i, score, true
		break
	}
	punished := x.chooser.trial(x.group, penalty, x.room)
	for id := range penalty {
		i, ok := x.entry(id)
		if !ok || !x.order.Has(i) {
			continue
		}
		if s := x.scoreOf(punished, &x.entries[i]).NormScore; !found || s > top || s == top && x.entries[i].tie < x.entries[best].tie {
			best, top, found = i, s, true
		}
	}
	return best, found
}

func (x *contest) scoreOf(t *trial, e *entry) *n.NodeScore {
	t.set(e.member, e.leaving)
	return t.rating.Explain(&t.candidate, x.spreadOf(int(e.part)))
}

// shownOf is scoreOf, which placements share for as long as it is the same: one
// changes the scores of one node, and shows those of four others.
func (x *contest) shownOf(t *trial, e *entry) *n.NodeScore {
	if t != x.trial || len(x.rating.Spreads) > 0 {
		return x.scoreOf(t, e)
	}
	if e.score == nil {
		e.score = x.scoreOf(t, e)
	}
	return e.score
}

// scoresKept is how many nodes' scores a placement shows.
const scoresKept = 5

// shown is what a placement shows of how it was decided: the scores of the chosen
// node, and of the best of the others.
func (x *contest) shown(chosen *entry, penalty map[n.NodeID]bool) *n.AllocMetric {
	m := x.metric()
	m.NodesEvaluated, m.NodesFiltered, m.NodesExhausted = x.evaluated, x.filtered, x.exhausted
	m.ConstraintFiltered, m.ClassFiltered = x.constraints.show(), x.classFiltered.show()
	m.DimensionExhausted, m.ClassExhausted = x.dimensions.show(), x.classExhausted.show()
	if chosen == nil {
		return m
	}
	t := x.trial
	if len(penalty) > 0 {
		t = x.chooser.trial(x.group, penalty, x.room)
	}
	m.ScoreMetaData = make([]*n.NodeScore, 0, scoresKept)
	m.ScoreMetaData = append(m.ScoreMetaData, x.shownOf(t, chosen))
	for i := range x.order.Best() {
		if len(m.ScoreMetaData) == scoresKept {
			break
		}
		if e := &x.entries[i]; e != chosen {
			m.ScoreMetaData = append(m.ScoreMetaData, x.shownOf(t, e))
		}
	}
	return m
}
