// Package gc decides what of the state nobody needs any more, and forgets it now
// and then while a server leads. See the scheduling reference, 7.2.
package gc

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// A collection looks at a state.
type collection struct {
	*state.View
	now  time.Time
	jobs map[n.JobKey]bool // that are forgotten whole
	reap *state.Reap
}

func (c *collection) old(ns int64, age time.Duration) bool {
	return c.now.Sub(time.Unix(0, ns)) >= age
}

// All lists what nobody needs.
func All(v *state.View, ages Config, now time.Time) *state.Reap {
	c := newCollection(v, now)
	c.deadJobs(ages.JobAge)
	c.others(ages)
	return c.reap
}

// Jobs lists the jobs that nobody needs, with their evaluations.
func Jobs(v *state.View, ages Config, now time.Time) *state.Reap {
	c := newCollection(v, now)
	c.deadJobs(ages.JobAge)
	return c.reap
}

// Others lists what nobody needs besides jobs.
func Others(v *state.View, ages Config, now time.Time) *state.Reap {
	c := newCollection(v, now)
	c.others(ages)
	return c.reap
}

func (c *collection) others(ages Config) {
	c.evals(ages)
	c.deployments(ages.DeploymentAge)
	c.nodes(ages.NodeAge)
}

func newCollection(v *state.View, now time.Time) *collection {
	return &collection{View: v, now: now, jobs: map[n.JobKey]bool{}, reap: &state.Reap{}}
}

// deadJobs finds jobs that are over with all that belongs to them.
func (c *collection) deadJobs(age time.Duration) {
	for j := range c.Jobs(nil, n.AllNamespaces, "") {
		if !over(j) || !c.old(j.SubmitTime, age) || c.tagged(j.Key()) {
			continue
		}
		evals, allocs, ok := c.whole(j, age)
		if !ok {
			continue
		}
		c.jobs[j.Key()] = true
		c.reap.Jobs = append(c.reap.Jobs, j.Key())
		c.reap.Evals, c.reap.Allocs = append(c.reap.Evals, evals...), append(c.reap.Allocs, allocs...)
	}
}

// over reports a job that nothing more comes of. What is launched by others is
// over when it was stopped; what ends by itself, when it has ended.
func over(j *n.Job) bool {
	if j.IsParameterized() || j.IsPeriodic() && j.Periodic.Enabled {
		return j.Stop
	}
	return j.Status == n.JobDead && (j.Stop || j.RunsToCompletion())
}

func (c *collection) tagged(k n.JobKey) bool {
	for v := range c.JobVersions(nil, k) {
		if v.VersionTag != nil {
			return true
		}
	}
	return false
}

// whole returns all evaluations and allocations of a job if all of them may go.
func (c *collection) whole(j *n.Job, age time.Duration) (evals []n.EvalID, allocs []n.AllocID, ok bool) {
	for e := range c.JobEvals(nil, j.Key()) {
		if !e.Status.Terminal() || !c.old(e.ModifyTime, age) {
			return nil, nil, false
		}
		evals = append(evals, e.ID)
	}
	for a := range c.JobAllocs(nil, j.Key()) {
		if !c.needless(a, j, age) {
			return nil, nil, false
		}
		allocs = append(allocs, a.ID)
	}
	return evals, allocs, true
}

// evals finds evaluations that have ended with all of their allocations, and
// allocations of others that have.
func (c *collection) evals(ages Config) {
	for e := range c.Evals(nil, "") {
		job := c.Job(e.JobKey())
		completes := e.Type == n.JobTypeBatch || e.Type == n.JobTypeSysBatch || job != nil && job.RunsToCompletion()
		age := ages.EvalAge
		if completes {
			age = ages.BatchEvalAge
		}
		if !e.Status.Terminal() || !c.old(e.ModifyTime, age) || c.jobs[e.JobKey()] {
			continue
		}
		all := true
		for a := range c.EvalAllocs(nil, e.ID) {
			may := c.needless(a, job, age)
			if completes && mayRunAgain(job) {
				may = a.Terminal() && c.old(a.ModifyTime, age) && a.CreateIndex < job.JobModifyIndex
			}
			if may {
				c.reap.Allocs = append(c.reap.Allocs, a.ID)
			}
			all = all && may
		}
		if all {
			c.reap.Evals = append(c.reap.Evals, e.ID)
		}
	}
}

// mayRunAgain reports a job whose allocations say what has been done already:
// without them, an evaluation would do it once more.
func mayRunAgain(job *n.Job) bool {
	return job != nil && (job.Status != n.JobDead || !job.Stop)
}

// needless reports an allocation that has ended and that no rescheduling needs.
func (c *collection) needless(a *n.Allocation, job *n.Job, age time.Duration) bool {
	if !a.Terminal() || a.ClientStatus == n.ClientRunning || !c.old(a.ModifyTime, age) {
		return false
	}
	if job == nil || job.Stop || job.Status == n.JobDead || a.ServerTerminal() || a.ClientStatus != n.ClientFailed || a.NextAllocation != "" {
		return true
	}
	g := job.Group(a.TaskGroup)
	if g == nil || !g.ReschedulePolicy.Enabled() {
		return true
	}
	p := g.ReschedulePolicy
	if p.Unlimited || a.RescheduleTracker == nil || len(a.RescheduleTracker.Events) == 0 {
		return false
	}
	last := a.RescheduleTracker.Events[len(a.RescheduleTracker.Events)-1]
	return c.old(last.RescheduleTime, p.Interval)
}

func (c *collection) deployments(age time.Duration) {
	for d := range c.Deployments(nil, "") {
		if !d.Status.Active() && c.old(d.ModifyTime, age) && !c.deploys(d) {
			c.reap.Deployments = append(c.reap.Deployments, d.ID)
		}
	}
}

// deploys reports a deployment with allocations that have not ended.
func (c *collection) deploys(d *n.Deployment) bool {
	for a := range c.DeploymentAllocs(nil, d.ID) {
		if !a.Terminal() {
			return true
		}
	}
	return false
}

func (c *collection) nodes(age time.Duration) {
	for node := range c.AllNodes(nil, "") {
		if node.Status == n.NodeDown && c.old(node.StatusUpdatedAt*int64(time.Second), age) && len(c.NodeAllocs(node.ID)) == 0 {
			c.reap.Nodes = append(c.reap.Nodes, node.ID)
		}
	}
}
