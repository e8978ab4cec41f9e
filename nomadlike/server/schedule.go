package server

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	_ "github.com/nomadlike/nomadlike/scheduler/leastcost" // schedulers that jobs may ask for are listed here
	"github.com/nomadlike/nomadlike/scheduler/reconcile"
)

// schedule asks the scheduler what to do about an evaluation.
func (s *Server) schedule(v scheduler.View, e *n.Evaluation, o scheduler.Options) (*scheduler.Decision, error) {
	return scheduler.Process(v, e, o)
}

// mayReschedule says whether a job's policy allows an allocation to be replaced
// once more.
func mayReschedule(job *n.Job, a *n.Allocation) bool {
	return reconcile.MayReschedule(job.Group(a.TaskGroup), a)
}
