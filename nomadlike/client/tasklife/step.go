package tasklife

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Situation is all that the next step of an allocation follows from.
type Situation struct {
	Group  *n.Group
	States States
	Phase  Phase // as the last step left it

	Stop    bool // it is to end
	NoDelay bool // without the group's shutdown delay
	All     bool // with Stop: tasks of poststop do not run either
	Again   bool // all tasks are to run again from the first phase

	Expires time.Time // when it has run long enough; zero: never
	Expired bool      // that was why it began to end
	Ending  time.Time // since when it ends; zero: it does not
}

// A Step is what follows.
type Step struct {
	Phase   Phase
	Again   bool      // still waiting for all tasks to come back to the beginning
	Ending  time.Time // see Situation
	Expired bool
	Tell    Effect    // to be told now to the tasks that live
	Kill    []string  // tasks to be killed now, if they have not been yet
	Wake    time.Time // look again at the latest; zero: at the next change
	Ended   bool      // no task runs, nor will
}

// Next takes one step. An allocation lives through its phases until it is told to
// end or one of its tasks brings that about; it then waits for the group's
// shutdown delay, kills its tasks in order, and runs those of poststop.
func Next(s Situation, now time.Time) Step {
	out := Step{Phase: s.Phase, Ending: s.Ending, Expired: s.Expired}
	if ended(s.Group, s.States) && !s.Again {
		out.Ended = true
		return out
	}
	if s.Ending.IsZero() {
		s.begin(now, &out)
	}
	if out.Ending.IsZero() {
		out.Phase, out.Again = s.proceed()
		out.Wake = s.Expires
		return out
	}
	if over := s.delayed(out.Ending); over.After(now) && !s.NoDelay {
		out.Wake = over
		return out
	}
	all := s.All || out.Expired
	out.Kill = killNext(s.Group, s.States, all)
	if !all && allDead(s.Group, s.States) {
		out.Phase = PhasePoststop
	}
	return out
}

// begin finds out whether the end begins now, and why.
func (s *Situation) begin(now time.Time, out *Step) {
	switch {
	case s.Stop:
		out.Ending = now
	case !s.Expires.IsZero() && !now.Before(s.Expires):
		out.Ending, out.Expired = now, true
	case !s.Again:
		out.Tell = effectOf(s.Group, s.States)
		if out.Tell.Event != "" {
			out.Ending = now
		}
	}
}

// proceed goes on with what is not to end.
func (s *Situation) proceed() (p Phase, again bool) {
	if !s.Again {
		return advance(s.Phase, s.Group, s.States), false
	}
	if every(s.Group, s.States, func(r Role, st string, _ bool) bool { return r == Poststop || st == n.TaskPending }) {
		return advance(PhaseInit, s.Group, s.States), false
	}
	return PhaseInit, true
}

// delayed returns until when tasks that are to end go on. Where none runs there
// is nothing to wait for.
func (s *Situation) delayed(since time.Time) time.Time {
	if s.Group.ShutdownDelay == nil || every(s.Group, s.States, func(r Role, st string, _ bool) bool { return r == Poststop || st != n.TaskRunning }) {
		return time.Time{}
	}
	return since.Add(*s.Group.ShutdownDelay)
}
