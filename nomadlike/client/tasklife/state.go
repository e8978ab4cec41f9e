package tasklife

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Change is one step of a task.
type Change struct {
	State   string // empty: as it is
	Failed  bool   // with TaskDead
	Restart bool   // with TaskPending: a run has ended and another follows
	Events  []n.TaskEvent
}

// Apply returns the task's state after a change; the old one stays as it was.
// A dead task stays dead unless it is restarted.
func Apply(s *n.TaskState, c Change, now time.Time) *n.TaskState {
	out := n.TaskState{State: n.TaskPending}
	if s != nil {
		out = *s
	}
	switch {
	case c.State == "" || out.State == n.TaskDead && !c.Restart:
	case c.State == n.TaskRunning && out.State != n.TaskRunning:
		out.State, out.StartedAt = c.State, &now
	case c.State == n.TaskDead:
		out.State, out.Failed, out.FinishedAt = c.State, c.Failed, &now
	default:
		out.State = c.State
	}
	if c.Restart {
		out.Restarts, out.LastRestart = out.Restarts+1, &now
		out.Failed, out.FinishedAt = false, nil
	}
	out.Events = appended(out.Events, c.Events)
	return &out
}

// appended never writes into what it was given.
func appended(old, more []n.TaskEvent) []n.TaskEvent {
	all := make([]n.TaskEvent, 0, len(old)+len(more))
	all = append(append(all, old...), more...)
	if over := len(all) - n.TaskEventsKept; over > 0 {
		all = append([]n.TaskEvent(nil), all[over:]...)
	}
	return all
}
