package alloc

import (
	"context"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
)

// began notes that the allocation is run from now on.
func (r *Runner) began() error {
	r.mu.Lock()
	if r.rec.Alloc.ServerTerminal() && !slices.ContainsFunc(r.tasks, (*task.Runner).Begun) {
		r.moot = true
	}
	err := r.put(func(rec *journal.Alloc) {
		if rec.Watching.IsZero() {
			rec.Watching = time.Now()
		}
	})
	again := r.rec.Again
	r.mu.Unlock()
	if again { // an earlier agent had not come to an end with that
		r.restartAll()
	}
	r.host.Changed(r.id)
	return err
}

// watch looks at the tasks whenever something has changed, until nothing of them
// runs nor will, or until ctx ends.
func (r *Runner) watch(ctx context.Context) {
	for {
		step, wake := r.look(time.Now())
		if step.Ended {
			return
		}
		var due <-chan time.Time
		if !wake.IsZero() {
			due = time.After(time.Until(wake))
		}
		select {
		case <-r.wake:
		case <-due:
		case <-ctx.Done():
			return
		}
	}
}

// look carries out what follows from the tasks' states, and returns when to look
// again if nothing happens: zero is never.
func (r *Runner) look(now time.Time) (tasklife.Step, time.Time) {
	r.mu.Lock()
	states, a, group, alone := r.states(), r.rec.Alloc, r.group, r.rec.Alone
	step := tasklife.Next(r.situation(states), now)
	r.phase, r.over = step.Phase, step.Ended
	if !step.Ending.Equal(r.rec.Ending) || step.Again != r.rec.Again {
		r.logged(r.put(func(rec *journal.Alloc) {
			rec.Ending, rec.Expired, rec.Again = step.Ending, step.Expired, step.Again
		}))
	}
	r.mu.Unlock()
	if step.Tell.Event != "" {
		r.tell(step.Tell, group, states)
	}
	for _, t := range r.tasks {
		if slices.Contains(step.Kill, t.Name()) {
			o := task.Order{NoDelay: n.Asked(a.DesiredTransition.NoShutdownDelay), Quiet: !begun(states[t.Name()])}
			switch {
			case alone:
				o.Fails, o.NoDelay, o.Reason = true, true, tasklife.DescAlone
			case step.Expired:
				o.Reason = tasklife.DescMaxRun
			}
			t.Kill(o)
		}
	}
	for _, t := range r.tasks { // after the orders: what is to end must not begin
		t.Open(step.Phase.Open(tasklife.RoleOf(group.Task(t.Name()))))
	}
	wake := r.health(states, now)
	if wake.IsZero() || !step.Wake.IsZero() && step.Wake.Before(wake) {
		wake = step.Wake
	}
	return step, wake
}

// situation is how things are; the caller holds mu.
func (r *Runner) situation(states tasklife.States) tasklife.Situation {
	a := r.rec.Alloc
	s := tasklife.Situation{
		Group: r.group, States: states, Phase: r.phase,
		Stop: r.rec.Forgotten || r.rec.Alone || a.ServerTerminal(), All: r.rec.Forgotten || r.moot, Again: r.rec.Again,
		NoDelay: r.rec.Forgotten || r.rec.Alone || n.Asked(a.DesiredTransition.NoShutdownDelay),
		Expired: r.rec.Expired, Ending: r.rec.Ending,
	}
	if most := r.group.MaxRunDuration; most != nil && a.CreateTime > 0 {
		s.Expires = time.Unix(0, a.CreateTime).Add(*most)
	}
	return s
}

// begun reports a task that has run at some time.
func begun(s *n.TaskState) bool { return s != nil && s.StartedAt != nil }

// tell tells the tasks that live why they end.
func (r *Runner) tell(e tasklife.Effect, g *n.Group, states tasklife.States) {
	for _, t := range r.tasks {
		if tasklife.RoleOf(g.Task(t.Name())) != tasklife.Poststop && states[t.Name()].State != n.TaskDead {
			t.Emit(e.Event, tasklife.KeyFailedSibling, e.Sibling)
		}
	}
}

// health finds out whether the allocation is healthy, and returns when that is to
// be looked at again.
func (r *Runner) health(states tasklife.States, now time.Time) time.Time {
	r.mu.Lock()
	rec, job, group := r.rec, r.job, r.group
	r.mu.Unlock()
	if rec.Health != nil || rec.Forgotten || rec.Alloc.ServerTerminal() {
		return time.Time{}
	}
	rule, wanted := tasklife.HealthRuleOf(job, group, rec.Alloc, rec.Watching)
	if !wanted {
		return time.Time{}
	}
	found := tasklife.HealthOf(rule, group, states, now)
	if found.Healthy == nil {
		return found.Again
	}
	for _, t := range r.tasks {
		if why := found.Reasons[t.Name()]; why != "" && rec.Alloc.DeploymentID != "" {
			t.Emit(n.EventAllocUnhealthy, tasklife.KeyMessage, why)
		}
	}
	r.mu.Lock()
	if r.rec.Alloc.DeploymentID == rec.Alloc.DeploymentID { // else it is found anew
		r.logged(r.put(func(rec *journal.Alloc) {
			rec.Health = &n.AllocDeployment{Healthy: found.Healthy, Timestamp: &now}
		}))
	}
	r.mu.Unlock()
	r.host.Changed(r.id)
	return time.Time{}
}

func (r *Runner) logged(err error) {
	if err != nil {
		r.log.Error("what became of an allocation is not written down", "error", err)
	}
}
