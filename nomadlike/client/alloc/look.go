package alloc

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
)

// idle is when to look again if nothing happens: there is no need to.
const idle = time.Hour

// look carries out what follows from the tasks' states: gates open, tasks are
// ended, health is found. again is how long until the next look; ended says that
// no task will run any more.
func (r *Runner) look(now time.Time) (again time.Duration, ended bool) {
	states := r.states()
	if tasklife.Ended(r.group, states) {
		r.health(states, now)
		return 0, true
	}
	r.advance(states)
	r.end(states)
	return r.health(states, now), false
}

// advance opens the gates of the tasks whose time has come.
func (r *Runner) advance(states tasklife.States) {
	r.mu.Lock()
	r.phase = tasklife.Advance(r.phase, r.group, states)
	phase := r.phase
	r.mu.Unlock()
	for i, t := range r.tasks {
		t.Open(phase.Open(tasklife.RoleOf(&r.group.Tasks[i])))
	}
}

// end ends tasks because of an order, or of what others of them did.
func (r *Runner) end(states tasklife.States) {
	r.mu.Lock()
	ordered := r.ended || r.rec.Alloc.ServerTerminal()
	noDelay := n.Asked(r.rec.Alloc.DesiredTransition.NoShutdownDelay)
	r.mu.Unlock()
	effect := tasklife.EffectOf(r.group, states)
	if !ordered && effect.Event == "" {
		return
	}
	if !ordered {
		r.tell(effect, states)
	}
	never := !slices.ContainsFunc(r.tasks, func(t *task.Runner) bool { return begun(t.State()) })
	for _, name := range tasklife.KillNext(r.group, states) {
		r.kill(name, task.Order{NoDelay: noDelay, Quiet: !begun(states[name])})
	}
	if never { // what never began needs nothing done after it
		for _, t := range r.tasks {
			t.Kill(task.Order{Quiet: true})
		}
	}
}

func begun(s *n.TaskState) bool { return s != nil && s.StartedAt != nil }

func (r *Runner) kill(name string, o task.Order) {
	for _, t := range r.tasks {
		if t.Name() == name {
			t.Kill(o)
		}
	}
}

// tell tells the tasks that live why they end, once.
func (r *Runner) tell(e tasklife.Effect, states tasklife.States) {
	r.mu.Lock()
	told := r.touched
	r.touched = true
	r.mu.Unlock()
	if told {
		return
	}
	for i, t := range r.tasks {
		if tasklife.RoleOf(&r.group.Tasks[i]) != tasklife.Poststop && states[t.Name()].State != n.TaskDead {
			t.Emit(e.Event, tasklife.KeyFailedSibling, e.Sibling)
		}
	}
}

// health finds out whether the allocation is healthy, and returns how long until
// that is to be looked at again.
func (r *Runner) health(states tasklife.States, now time.Time) time.Duration {
	r.mu.Lock()
	rec, job := r.rec, r.job
	r.mu.Unlock()
	if rec.Health != nil || rec.Alloc.ServerTerminal() {
		return idle
	}
	rule, wanted := tasklife.HealthRuleOf(job, r.group, rec.Alloc, rec.Watching)
	if !wanted {
		return idle
	}
	found := tasklife.HealthOf(rule, r.group, states, now)
	if found.Healthy == nil {
		return max(found.Again.Sub(now), time.Millisecond)
	}
	for name, why := range found.Reasons {
		for _, t := range r.tasks {
			if t.Name() == name {
				t.Emit(n.EventAllocUnhealthy, tasklife.KeyMessage, why)
			}
		}
	}
	if err := r.remember(func(rec *journal.Alloc) {
		rec.Health = &n.AllocDeployment{Healthy: found.Healthy, Timestamp: &now}
	}); err != nil {
		r.log.Error("the health of an allocation is not written down", "error", err)
	}
	return idle
}
