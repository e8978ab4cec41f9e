// Package rollout decides what becomes of a deployment: whether it is to fail,
// to be rolled back, promoted or looked at again. It is pure: deployment,
// allocations, job and time in, a decision with its reason out. The rules are
// those of the scheduling reference, 1.4.
package rollout

import (
	"fmt"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Input is what a decision is made from.
type Input struct {
	Deployment *n.Deployment
	Allocs     []*n.Allocation // of the deployment
	Job        *n.Job          // as it is now
	Stable     *n.Job          // the newest stable version, or nil
	// LastEval is the index of the job's newest evaluation: health that was
	// found out since has not been acted upon.
	LastEval uint64
	// MayReschedule says whether the job's policy allows a replacement of an
	// unhealthy allocation.
	MayReschedule func(*n.Allocation) bool
	// SameSpec compares two versions of a job.
	SameSpec func(a, b *n.Job) bool
}

// A Decision is what to do. The zero value is: nothing, until Wake.
type Decision struct {
	// Update changes the deployment's status.
	Update *n.DeploymentStatusUpdate
	// Rollback is the version to go back to, with Update.
	Rollback *n.Job
	// Promote lets the canaries take over, in all groups.
	Promote bool
	// Reschedule lists unhealthy allocations that may be replaced.
	Reschedule []n.AllocID
	// Evaluate asks for the job to be looked at again.
	Evaluate bool
	// Wake is when to decide again at the latest; nil is on the next change.
	Wake *time.Time
	Why  string
}

// Decide says what to do about a deployment now.
func Decide(in Input, now time.Time) Decision {
	d := in.Deployment
	if !d.Status.Active() {
		return Decision{Why: "the deployment is over"}
	}
	if dec, ok := unhealthy(in); ok {
		return dec
	}
	if autoPromotes(in) {
		return Decision{Promote: true, Evaluate: true, Why: "all canaries are healthy"}
	}
	dec := Decision{}
	if g, by := overdue(d, now); g != "" && d.Status != n.DeploymentPaused {
		dec = Fail(in, n.DescDeploymentFailedProgress, d.TaskGroups[g].AutoRevert)
		dec.Why = fmt.Sprintf("group %q made no progress until %s", g, by.Format(time.RFC3339))
		return dec
	}
	dec.Wake = nextDeadline(d, now)
	if newlyHealthy(in) {
		dec.Evaluate, dec.Why = true, "an allocation became healthy"
	}
	return dec
}

// unhealthy fails a deployment for an allocation that may not be replaced, and
// has the others replaced.
func unhealthy(in Input) (Decision, bool) {
	var again []n.AllocID
	fail, revert := false, false
	for _, a := range in.Allocs {
		g := in.Deployment.TaskGroups[a.TaskGroup]
		if g == nil || a.Healthy() == nil || *a.Healthy() {
			continue
		}
		switch {
		case g.ProgressDeadline == 0, !in.MayReschedule(a):
			fail = true
			revert = revert || g.AutoRevert
		case a.DesiredTransition.Reschedule == nil && a.NextAllocation == "":
			again = append(again, a.ID)
		}
	}
	if fail {
		d := Fail(in, n.DescDeploymentFailedAllocs, revert)
		d.Why = "an allocation is unhealthy and may not be replaced"
		return d, true
	}
	if len(again) > 0 {
		slices.Sort(again)
		return Decision{Reschedule: again, Evaluate: true, Why: "unhealthy allocations are replaced"}, true
	}
	return Decision{}, false
}

// Fail ends a deployment, going back to the stable version when revert asks for
// it and there is one that differs.
func Fail(in Input, description string, revert bool) Decision {
	d := Decision{Evaluate: true}
	if revert {
		switch {
		case in.Stable == nil:
			description += " - no stable job version to auto revert to"
		case in.same():
			description += fmt.Sprintf(" - not rolling back to stable job version %d as current job has same specification", in.Stable.Version)
		default:
			d.Rollback = in.Stable
			description += fmt.Sprintf(" - rolling back to job version %d", in.Stable.Version)
		}
	}
	d.Update = &n.DeploymentStatusUpdate{DeploymentID: in.Deployment.ID, Status: n.DeploymentFailed, StatusDescription: description}
	return d
}

// same reports that going back would change nothing. A tag is no reason to: the
// version gone back to would be without it, and might fail like this one.
func (in Input) same() bool {
	stable, job := *in.Stable, *in.Job
	stable.VersionTag, job.VersionTag = nil, nil
	return in.SameSpec(&stable, &job)
}

// autoPromotes reports canaries that are all healthy, in groups that all want to
// be promoted by that.
func autoPromotes(in Input) bool {
	d := in.Deployment
	if d.Status != n.DeploymentRunning || !d.RequiresPromotion() {
		return false
	}
	healthy := map[string]int{}
	for _, a := range in.Allocs {
		if a.IsCanary() && !a.Terminal() && a.Healthy() != nil && *a.Healthy() {
			healthy[a.TaskGroup]++
		}
	}
	for name, g := range d.TaskGroups {
		if g.DesiredCanaries == 0 {
			continue
		}
		if !g.AutoPromote || len(g.PlacedCanaries) < g.DesiredCanaries || healthy[name] < g.DesiredCanaries {
			return false
		}
	}
	return true
}

// done reports a group that needs no more progress for now.
func done(g *n.DeploymentGroup) bool {
	if g.DesiredCanaries > 0 && !g.Promoted {
		return g.HealthyAllocs >= g.DesiredCanaries
	}
	return g.HealthyAllocs >= g.DesiredTotal
}

// overdue names a group whose deadline has passed.
func overdue(d *n.Deployment, now time.Time) (string, time.Time) {
	for _, name := range groupNames(d) {
		g := d.TaskGroups[name]
		if g.RequireProgressBy != nil && !done(g) && !now.Before(*g.RequireProgressBy) {
			return name, *g.RequireProgressBy
		}
	}
	return "", time.Time{}
}

// nextDeadline is the next deadline of a group that is not done.
func nextDeadline(d *n.Deployment, now time.Time) *time.Time {
	var next *time.Time
	for _, g := range d.TaskGroups {
		by := g.RequireProgressBy
		if by == nil || done(g) || !by.After(now) {
			continue
		}
		if next == nil || by.Before(*next) {
			next = by
		}
	}
	return next
}

// newlyHealthy reports health that was found out since the last evaluation.
func newlyHealthy(in Input) bool {
	for _, a := range in.Allocs {
		if s := a.DeploymentStatus; s != nil && s.Healthy != nil && *s.Healthy && s.ModifyIndex > in.LastEval {
			return true
		}
	}
	return false
}

func groupNames(d *n.Deployment) []string {
	var names []string
	for name := range d.TaskGroups {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
