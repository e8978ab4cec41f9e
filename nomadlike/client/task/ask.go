package task

import (
	"context"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Restart ends the task and starts it again. With failure it counts against the
// restart policy. A task that does not run is an error, unless revive is set.
func (r *Runner) Restart(reason string, failure, revive bool) error {
	if r.State().State != n.TaskRunning && !revive {
		return errs.Newf(errs.Conflict, "Task %q is not running", r.Name())
	}
	if r.Killed() {
		return errs.Newf(errs.Conflict, "Task %q is being stopped", r.Name())
	}
	select {
	case r.asks <- ask{reason, failure, revive}:
	default: // asked already
	}
	return nil
}

// asked notes a restart of a task that waits for one anyway.
func (r *Runner) asked(a ask) { r.Emit(n.EventRestartSignaled, tasklife.KeyRestartReason, a.reason) }

// Signal sends the task a signal.
func (r *Runner) Signal(ctx context.Context, signal string) error {
	h := r.rec.handle()
	if h == nil || r.State().State != n.TaskRunning {
		return errs.Newf(errs.Conflict, "Task %q is not running", r.Name())
	}
	d, ok := r.host.Driver(r.Spec().Task.Driver)
	if !ok {
		return errs.Newf(errs.Unavailable, "driver %q is not on this node", r.Spec().Task.Driver)
	}
	r.Emit(n.EventSignaling, tasklife.KeySignal, signal)
	if err := d.SignalTask(ctx, h.Config.ID, signal); err != nil {
		return errs.As(errs.Invalid, err)
	}
	return nil
}
