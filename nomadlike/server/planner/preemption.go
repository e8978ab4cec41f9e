package planner

import (
	"cmp"
	"maps"
	"slices"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// Jobs is what there is of jobs and their allocations.
type Jobs interface {
	Alloc(n.AllocID) *n.Allocation
	Job(n.JobKey) *n.Job
}

// preempted returns what leaves for the sake of others in what was accepted of a
// plan, and an evaluation for each job that it is of, so that it is placed again.
// What ends by itself meanwhile is left to it, and nothing leaves for a job that
// was stopped meanwhile: nothing of it will be placed.
func preempted(view Jobs, p *n.Plan, r *n.PlanResult) (stops []state.StoppedAlloc, evals []*n.Evaluation) {
	if len(r.NodePreemptions) == 0 || view.Job(p.Job.Key()).Stopped() {
		return nil, nil
	}
	jobs := map[n.JobKey]bool{}
	for _, id := range sortedNodes(r.NodePreemptions) {
		for _, a := range r.NodePreemptions[id] {
			if now := view.Alloc(a.ID); now != nil && !now.Terminal() {
				stops = append(stops, stopped(a))
				jobs[a.JobKey()] = true
			}
		}
	}
	for _, k := range sortedJobs(jobs) {
		if job := view.Job(k); job != nil {
			evals = append(evals, &n.Evaluation{
				ID: n.EvalID(uuid.NewString()), Namespace: k.Namespace, JobID: k.ID, Type: job.Type, Priority: job.Priority,
				TriggeredBy: n.TriggerPreemption, JobModifyIndex: job.JobModifyIndex, Status: n.EvalPending,
			})
		}
	}
	return stops, evals
}

func sortedJobs(m map[n.JobKey]bool) []n.JobKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b n.JobKey) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID))
	})
}
