package task

import (
	"context"
	"fmt"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// An ask is what a user, or a check, wants of a task that runs.
type ask struct {
	reason  string
	failure bool // counts against the restart policy
	revive  bool // also when dead
}

// A run is a task that runs.
type run struct {
	driver drivers.Driver
	tc     *drivers.TaskConfig
	exit   <-chan drivers.ExitResult
}

// watch waits for the end of a run, and brings it about when asked to.
func (r *Runner) watch(ctx context.Context) (tasklife.End, []n.TaskEvent) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, ok := r.host.Driver(r.Spec().Task.Driver)
	if !ok {
		return tasklife.End{Failed: true}, nil
	}
	tc := r.rec.handle().Config
	w := &run{driver: d, tc: tc, exit: wait(ctx, d, tc.ID)}
	r.usage.use(d, tc.ID)
	defer r.usage.use(nil, "")
	was := r.rec.get()
	killing, restarting := !was.Killing.IsZero(), was.Restarting
	if restarting != "" && !killing { // taken up from an earlier agent
		return r.restart(ctx, w, ask{reason: restarting})
	}
	select {
	case res := <-w.exit:
		if killing {
			return tasklife.End{Killed: true}, told(res)
		}
		return tasklife.End{Failed: !res.Successful()}, told(res)
	case <-r.stop.now:
		return r.kill(ctx, w)
	case a := <-r.asks:
		return r.restart(ctx, w, a)
	case <-ctx.Done():
		return tasklife.End{}, nil
	}
}

// wait waits for the task in the background. Nothing comes when ctx ends first.
func wait(ctx context.Context, d drivers.Driver, id string) <-chan drivers.ExitResult {
	exit := make(chan drivers.ExitResult, 1)
	go func() {
		res, err := d.WaitTask(ctx, id)
		if ctx.Err() != nil && err != nil {
			return
		}
		if err != nil {
			res = drivers.ExitResult{ExitCode: -1, Err: fmt.Errorf("the driver lost the task: %w", err)}
		}
		exit <- res
	}()
	return exit
}

func told(res drivers.ExitResult) []n.TaskEvent {
	message := ""
	if res.Err != nil {
		message = res.Err.Error()
	} else if res.OOMKilled {
		message = "OOM Killed"
	}
	return []n.TaskEvent{tasklife.Exited(time.Now(), res.ExitCode, res.Signal, res.OOMKilled, message)}
}

// kill ends the run for good, or goes on with what an earlier agent began of that.
func (r *Runner) kill(ctx context.Context, w *run) (tasklife.End, []n.TaskEvent) {
	order := r.stop.why()
	since := r.rec.get().Killing
	began := !since.IsZero()
	if !began {
		since = time.Now()
		e := tasklife.Event(since, n.EventKilling, tasklife.KeyKillTimeout, tasklife.Nanoseconds(r.killTimeout()), tasklife.KeyKillReason, order.Reason)
		r.rec.change(tasklife.Change{Events: []n.TaskEvent{e}}, func(t *journal.Task) { t.Killing = since })
	}
	r.prekill(ctx, w.tc)
	if delay := r.Spec().Task.ShutdownDelay; delay > 0 {
		if !began {
			r.delays(delay, order.NoDelay)
		}
		if res, ended := r.linger(ctx, w, time.Until(since.Add(delay))); ended {
			return tasklife.End{Killed: true}, told(res)
		}
	}
	res, ok := r.halt(ctx, w)
	if !ok {
		return tasklife.End{}, nil
	}
	return tasklife.End{Killed: true}, told(res)
}

// delays tells of the task's shutdown delay.
func (r *Runner) delays(d time.Duration, skip bool) {
	if skip {
		r.Emit(n.EventSkipDelay, tasklife.KeyMessage, fmt.Sprintf("Skipping shutdown_delay of %v before killing the task.", d))
		return
	}
	r.Emit(n.EventShutdownDelay, tasklife.KeyMessage, fmt.Sprintf("Waiting for shutdown_delay of %v before killing the task.", d))
}

// linger waits for the shutdown delay, which the task's own end cuts short.
func (r *Runner) linger(ctx context.Context, w *run, d time.Duration) (drivers.ExitResult, bool) {
	select {
	case res := <-w.exit:
		return res, true
	case <-r.stop.hurry:
	case <-time.After(d):
	case <-ctx.Done():
	}
	return drivers.ExitResult{}, false
}

// restart ends the run so that another may follow, or goes on with what an earlier
// agent began of that.
func (r *Runner) restart(ctx context.Context, w *run, a ask) (tasklife.End, []n.TaskEvent) {
	if r.rec.get().Restarting == "" {
		e := tasklife.Event(time.Now(), n.EventRestartSignaled, tasklife.KeyRestartReason, a.reason)
		r.rec.change(tasklife.Change{Events: []n.TaskEvent{e}}, func(t *journal.Task) {
			if t.Restarting = a.reason; a.reason == "" {
				t.Restarting = "Task signaled to restart"
			}
		})
	}
	r.prekill(ctx, w.tc)
	res, ok := r.halt(ctx, w)
	if !ok {
		return tasklife.End{}, nil
	}
	if r.Killed() {
		return tasklife.End{Killed: true}, told(res)
	}
	return tasklife.End{Asked: true, Failed: a.failure, Reason: a.reason}, told(res)
}

// stopAttempts is how often a driver is asked to stop a task.
const stopAttempts = 5

// halt has the driver stop the task and waits for its end. It gives up only when
// ctx ends, which leaves the rest to a later agent.
func (r *Runner) halt(ctx context.Context, w *run) (drivers.ExitResult, bool) {
	if ctx.Err() != nil {
		return drivers.ExitResult{}, false
	}
	// Why it ends must be known before it does.
	if err := r.host.Journal.Sync(); err != nil {
		r.log.Error("a task is stopped without that being written down", "error", err)
	}
	gone, stopped := make(chan struct{}), make(chan error, 1)
	go func() { stopped <- r.stopTask(ctx, w, gone) }()
	select {
	case res := <-w.exit:
		close(gone)
		_ = <-stopped // the driver may still be busy with the rest of its processes
		return res, ctx.Err() == nil
	case err := <-stopped:
		if ctx.Err() != nil {
			return drivers.ExitResult{}, false
		}
		if err != nil {
			r.stop.failed(err)
			r.log.Error("a task can not be stopped", "error", err)
			return drivers.ExitResult{ExitCode: -1, Err: fmt.Errorf("it could not be stopped: %w", err)}, true
		}
	}
	select {
	case res := <-w.exit:
		return res, true
	case <-ctx.Done():
		return drivers.ExitResult{}, false
	}
}

// stopTask asks the driver until it obeys, or until the task is gone.
func (r *Runner) stopTask(ctx context.Context, w *run, gone <-chan struct{}) error {
	pause := 5 * time.Second
	for i := 1; ; i++ {
		err := w.driver.StopTask(ctx, w.tc.ID, r.killTimeout(), r.Spec().Task.KillSignal)
		if err == nil || isNotFound(err) || i == stopAttempts || ctx.Err() != nil {
			return err
		}
		r.log.Warn("a task did not stop; trying again", "error", err, "after", pause)
		select {
		case <-time.After(pause):
		case <-gone:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(4*pause, 2*time.Minute)
	}
}
