package server

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
)

// schedule asks the scheduler what to do about an evaluation.
func (s *Server) schedule(v scheduler.View, e *n.Evaluation, o scheduler.Options) (*scheduler.Decision, error) {
	return scheduler.Process(v, e, o)
}

// mayReschedule says whether a job's policy allows an allocation to be replaced
// once more.
func mayReschedule(job *n.Job, a *n.Allocation) bool {
	g := job.Group(a.TaskGroup)
	if g == nil || !g.ReschedulePolicy.Enabled() {
		return false
	}
	p := g.ReschedulePolicy
	if p.Unlimited || a.RescheduleTracker == nil {
		return true
	}
	recent, since := 0, time.Unix(0, a.ModifyTime).Add(-p.Interval).UnixNano()
	for _, e := range a.RescheduleTracker.Events {
		if e.RescheduleTime > since {
			recent++
		}
	}
	return recent < p.Attempts
}
