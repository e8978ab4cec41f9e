package scheduler

import (
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/reconcile"
)

// generic handles service and batch jobs.
func generic(v View, e *n.Evaluation, o Options) (*Decision, error) {
	w := newWork(v, e, o)
	in := w.input()
	w.result = reconcile.Generic(in)
	w.stops()
	deployment := n.DeploymentID("")
	if w.job != nil {
		deployment = w.deployment(in)
	}
	all := slices.Concat(w.result.Replace, w.result.Place)
	last := map[string]int{} // placement of each group
	for i, p := range all {
		last[p.Group.Name] = i
	}
	for i, p := range all {
		w.ask(p.Job, i == last[p.Group.Name])
		why := w.failed[p.Group.Name]
		if why != nil { // the others of the group fail alike
			why.CoalescedFailures++
		} else if why = w.try(&p, deployment); why != nil {
			w.failed[p.Group.Name] = why
		}
		if why != nil {
			w.queued[p.Group.Name]++
			w.unplaced(&p)
		}
	}
	if w.job != nil {
		w.changes(deployment)
	}
	d := w.decide()
	if len(w.failed) > 0 {
		w.block(d, "")
	}
	return d, nil
}
