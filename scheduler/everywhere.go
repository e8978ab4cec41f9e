package scheduler

import (
	"maps"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/reconcile"
)

// everywhere handles system and sysbatch jobs.
func everywhere(v View, e *n.Evaluation, o Options) (*Decision, error) {
	w := newWork(v, e, o)
	in := w.input()
	if w.job.Stopped() {
		w.result = reconcile.Everywhere(in, nil)
		w.stops()
		return w.decide(), nil
	}
	w.result = reconcile.Everywhere(in, w.chooser(w.job).nodes())
	w.stops()
	deployment := w.deployment(in)
	full := map[n.NodeID]bool{} // nodes that could run it, if there were room
	running, unfit := map[string]bool{}, map[string]*n.AllocMetric{}
	for i := range w.allocs {
		running[w.allocs[i].TaskGroup] = running[w.allocs[i].TaskGroup] || !w.allocs[i].Terminal()
	}
	w.ask(w.job, false)
	for _, p := range append(w.result.Replace, w.result.Place...) {
		group := p.Group.Name
		m := w.try(&p, deployment)
		if m == nil {
			running[group] = true
			continue
		}
		if d := w.result.Deployment; d != nil && d.TaskGroups[group] != nil {
			d.TaskGroups[group].DesiredTotal--
		}
		if m.NodesFiltered > 0 { // it is not meant for that node
			unfit[group] = merge(unfit[group], m)
			continue
		}
		w.failed[group] = merge(w.failed[group], m)
		full[p.Node] = true
		w.queued[group]++
	}
	for group, m := range unfit {
		if !running[group] && w.failed[group] == nil {
			w.failed[group] = m
		}
	}
	w.changes(deployment)
	w.whyNotElsewhere()
	d := w.decide()
	for _, node := range slices.Sorted(maps.Keys(full)) {
		w.block(d, node)
	}
	return d, nil
}

// whyNotElsewhere tells of the nodes that were no candidates of any group.
func (w *work) whyNotElsewhere() {
	if !w.options.Why {
		return
	}
	for i := range w.job.TaskGroups {
		g, c := &w.job.TaskGroups[i], w.chooser(w.job)
		f := c.trial(g, nil, nil).findings(true)
		for at := range c.fleet.Len() {
			if m := c.fleet.At(at); m.Node != nil {
				f.absent(m.Node)
			}
		}
		c.keep(g, f, nil, nil)
	}
}

// merge adds up what was found on single nodes.
func merge(a, b *n.AllocMetric) *n.AllocMetric {
	if a == nil {
		return b
	}
	a.NodesEvaluated += b.NodesEvaluated
	a.NodesFiltered += b.NodesFiltered
	a.NodesExhausted += b.NodesExhausted
	for _, m := range []struct{ to, from map[string]int }{
		{a.ConstraintFiltered, b.ConstraintFiltered}, {a.ClassFiltered, b.ClassFiltered},
		{a.DimensionExhausted, b.DimensionExhausted}, {a.ClassExhausted, b.ClassExhausted},
	} {
		for k, v := range m.from {
			m.to[k] += v
		}
	}
	a.Obstacles = mergeObstacles(a.Obstacles, b.Obstacles)
	a.ResourcesExhausted = mergeShort(a.ResourcesExhausted, b.ResourcesExhausted)
	return a
}
