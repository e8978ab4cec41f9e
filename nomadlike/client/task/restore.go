package task

import (
	"context"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// patience is how long a driver may fail to say what became of a task.
const patience = 30 * time.Second

// restore takes up what an earlier agent left, and reports whether a run goes on.
func (r *Runner) restore(ctx context.Context) bool {
	was := r.rec.get()
	if was.Handle == nil || was.Handle.Config == nil {
		return false
	}
	h := *was.Handle
	switch was.Phase {
	case journal.Starting:
		h.State, h.DriverState = drivers.TaskUnknown, nil
		return r.undecided(ctx, &h, r.recover(ctx, &h))
	case journal.Started:
		h.State = drivers.TaskRunning
		return r.resumed(ctx, &h, r.recover(ctx, &h))
	case journal.Ended:
		_ = r.recover(ctx, &h)
		if ctx.Err() == nil {
			r.forget(ctx, &h)
		}
	}
	return false
}

// undecided is a start of which the earlier agent never learned the outcome.
func (r *Runner) undecided(ctx context.Context, h *drivers.TaskHandle, err error) bool {
	switch {
	case err == nil:
		r.started(h, r.startedAt(ctx, h))
		return true
	case ctx.Err() != nil:
	case isNotFound(err):
		r.idle() // it never began, so it begins now
	default:
		r.lost(ctx, h, err)
	}
	return false
}

// resumed is a run that the earlier agent knew.
func (r *Runner) resumed(ctx context.Context, h *drivers.TaskHandle, err error) bool {
	if err == nil {
		r.rec.change(tasklife.Change{}, func(t *journal.Task) { t.Handle = h })
		return true
	}
	if ctx.Err() == nil {
		r.lost(ctx, h, err)
	}
	return false
}

// lost is a run that the driver does not know any more. Another follows when a
// server has been heard of, which may know better.
func (r *Runner) lost(ctx context.Context, h *drivers.TaskHandle, cause error) {
	was := r.rec.get()
	c := tasklife.Change{State: n.TaskPending, Restart: true, Events: []n.TaskEvent{
		tasklife.Event(time.Now(), n.EventRestoreFailed, tasklife.KeyMessage, "failed to restore task; will not run until server is contacted: "+cause.Error()),
	}}
	if !was.Killing.IsZero() {
		c = tasklife.Change{State: n.TaskDead, Events: []n.TaskEvent{tasklife.Event(time.Now(), n.EventKilled)}}
	}
	r.rec.change(c, func(t *journal.Task) { t.Phase, t.Killing, t.Restarting = journal.Ended, time.Time{}, "" })
	r.log.Warn("a task can not be taken up again", "error", cause)
	r.forget(ctx, h)
	if r.Spec().Job.RunsEverywhere() || r.State().State == n.TaskDead {
		return
	}
	select {
	case <-r.host.Contact:
	case <-r.stop.now:
	case <-ctx.Done():
	}
}

// recover asks the driver to take up a run. An error other than that the task is
// not found may pass, for example when a daemon is still starting.
func (r *Runner) recover(ctx context.Context, h *drivers.TaskHandle) error {
	until := time.Now().Add(patience)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		d, ok := r.host.Driver(r.Spec().Task.Driver)
		if !ok {
			return drivers.ErrTaskNotFound
		}
		err := d.RecoverTask(ctx, h)
		if err == nil || isNotFound(err) || !time.Now().Before(until) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// startedAt asks the driver since when the task runs.
func (r *Runner) startedAt(ctx context.Context, h *drivers.TaskHandle) time.Time {
	if d, ok := r.host.Driver(r.Spec().Task.Driver); ok {
		if st, err := d.InspectTask(ctx, h.Config.ID); err == nil && !st.StartedAt.IsZero() {
			return st.StartedAt
		}
	}
	return time.Now()
}
