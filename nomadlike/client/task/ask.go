package task

import (
	"context"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/plugins/drivers"
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

// Exec runs a command beside the task, if its driver can; see drivers.Exec.
func (r *Runner) Exec(ctx context.Context, o drivers.ExecOptions) (drivers.ExitResult, error) {
	d, id, err := r.runs()
	if err != nil {
		return drivers.ExitResult{}, err
	}
	e, ok := d.(drivers.Exec)
	if !ok || !d.Capabilities().Exec {
		return drivers.ExitResult{}, errs.Newf(errs.Invalid, "driver %q can not run commands beside a task", r.Spec().Task.Driver)
	}
	return e.ExecTask(ctx, id, o)
}

// runs returns the driver of a task that runs, and how it knows the task.
func (r *Runner) runs() (drivers.Driver, string, error) {
	h := r.rec.handle()
	if h == nil || r.State().State != n.TaskRunning {
		return nil, "", errs.Newf(errs.Conflict, "Task %q is not running", r.Name())
	}
	d, ok := r.host.Driver(r.Spec().Task.Driver)
	if !ok {
		return nil, "", errs.Newf(errs.Unavailable, "driver %q is not on this node", r.Spec().Task.Driver)
	}
	return d, h.Config.ID, nil
}

// Signal sends the task a signal.
func (r *Runner) Signal(ctx context.Context, signal string) error {
	d, id, err := r.runs()
	if err != nil {
		return err
	}
	r.Emit(n.EventSignaling, tasklife.KeySignal, signal)
	if err := d.SignalTask(ctx, id, signal); err != nil {
		return errs.As(errs.Invalid, err)
	}
	return nil
}
