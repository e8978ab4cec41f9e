package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// start prepares the task and has it started. It returns true once it runs, and
// else why it does not.
func (r *Runner) start(ctx context.Context) (tasklife.End, []n.TaskEvent, bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // an order to end it ends its preparation, too
		select {
		case <-r.stop.now:
			cancel()
		case <-ctx.Done():
		}
	}()
	s := r.Spec()
	d, ok := r.host.Driver(s.Task.Driver)
	if !ok {
		return r.unstarted(n.EventDriverFailure, tasklife.KeyDriverError, fmt.Errorf("driver %q is not on this node", s.Task.Driver))
	}
	if r.rec.get().Hooks == nil && r.State().Restarts == 0 {
		r.Emit(n.EventTaskSetup, tasklife.KeyMessage, "Building Task Directory")
	}
	tc, err := r.configure(ctx, s, d)
	switch {
	case errors.Is(err, errInvalid):
		return r.unstarted(n.EventFailedValidation, tasklife.KeyValidation, err)
	case err != nil:
		return r.unstarted(n.EventHookFailed, tasklife.KeyMessage, err)
	}
	// From here on the driver may know the id, so a later agent has to.
	r.rec.change(tasklife.Change{}, func(t *journal.Task) {
		t.Phase, t.Handle = journal.Starting, &drivers.TaskHandle{Config: tc, State: drivers.TaskUnknown}
	})
	if err := r.host.Journal.Sync(); err != nil {
		r.idle()
		return r.unstarted(n.EventDriverFailure, tasklife.KeyDriverError, drivers.Recoverable(err))
	}
	if ctx.Err() != nil {
		r.idle()
		return tasklife.End{Killed: true}, nil, false
	}
	h, _, err := d.StartTask(ctx, tc)
	if err != nil {
		switch {
		case r.Killed(): // a plugin may have got further than we know
			if err := d.DestroyTask(context.WithoutCancel(ctx), tc.ID, true); err != nil && !isNotFound(err) {
				r.log.Warn("a start that was called off may have left something behind", "error", err)
			}
			r.idle()
		case ctx.Err() == nil:
			r.idle()
		}
		return r.unstarted(n.EventDriverFailure, tasklife.KeyDriverError, err)
	}
	h.Config = tc
	r.started(h, time.Now())
	r.poststart(ctx, tc)
	return tasklife.End{}, nil, true
}

// started notes that the task runs.
func (r *Runner) started(h *drivers.TaskHandle, at time.Time) {
	e := tasklife.Event(at, n.EventStarted)
	r.rec.change(tasklife.Change{State: n.TaskRunning, Events: []n.TaskEvent{e}}, func(t *journal.Task) {
		t.Phase, t.Handle, t.RestartAt = journal.Started, h, time.Time{}
	})
}

// idle notes that the driver knows nothing of the run.
func (r *Runner) idle() {
	r.rec.change(tasklife.Change{}, func(t *journal.Task) { t.Phase, t.Handle = journal.Idle, nil })
}

// unstarted is the end of a run that did not begin.
func (r *Runner) unstarted(kind, key string, err error) (tasklife.End, []n.TaskEvent, bool) {
	if r.Killed() {
		return tasklife.End{Killed: true}, nil, false
	}
	e := tasklife.Event(time.Now(), kind, key, err.Error())
	return tasklife.End{StartFailed: true, Recoverable: drivers.IsRecoverable(err)}, []n.TaskEvent{e}, false
}
