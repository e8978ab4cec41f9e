// Package task owns the run of one task on this node: its preparation, its
// process or container by way of a driver, its restarts and its end. It does not
// own when the task may start or must end for the sake of others; package alloc
// decides that, by the rules of package tasklife.
//
// # The hard part
//
// The agent may die at any instant. Before a driver is asked to start the task,
// the journal durably says under which id; before it is asked to stop it, why.
// So a later agent finds out from the driver what became of the id, starts
// nothing twice and takes no stop for a failure. An exit stays with the driver
// until the journal has it.
package task

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A Journal remembers tasks; see package journal.
type Journal interface {
	PutTask(id n.AllocID, task string, t *journal.Task) error
	Sync() error
}

// A Host is what tasks of one client have in common.
type Host struct {
	Node           func() *n.Node // as last fingerprinted
	Region         string
	AllocDir       string // above the allocations' directories
	Environ        map[string]string
	MaxKillTimeout time.Duration
	Driver         func(name string) (drivers.Driver, bool)
	Hooks          []Hook
	Journal        Journal
	Contact        <-chan struct{} // closed once a server has been heard of
	Logger         hclog.Logger
}

// A Spec is what a task is to be.
type Spec struct {
	Alloc *n.Allocation
	Job   *n.Job
	Group *n.Group
	Task  *n.Task
}

// A Runner runs one task. Its methods may be called at any time.
type Runner struct {
	host   *Host
	log    hclog.Logger
	rec    *record
	gate   gate
	stop   stopper
	asks   chan ask
	finish chan struct{} // closed: nothing will be asked of it any more
	once   sync.Once
	usage  meter

	mu   sync.Mutex
	spec Spec
}

// New makes a runner; was is what the journal remembers of the task, or nil.
// changed is called after every change of the state, and must not block.
func New(host *Host, spec Spec, was *journal.Task, changed func()) *Runner {
	r := &Runner{
		host: host, spec: spec,
		log:    host.Logger.With("alloc_id", spec.Alloc.ID, "task", spec.Task.Name),
		asks:   make(chan ask, 1),
		finish: make(chan struct{}),
	}
	r.gate.closed()
	r.stop.now, r.stop.hurry = make(chan struct{}), make(chan struct{})
	r.rec = newRecord(host.Journal, spec, was, r.log, changed)
	return r
}

// Spec returns what the task is to be now.
func (r *Runner) Spec() Spec {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spec
}

// Update changes what can be changed while the task runs.
func (r *Runner) Update(s Spec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spec = s
}

// Name is the task's.
func (r *Runner) Name() string { return r.rec.name }

// State returns the task's state, which is never changed.
func (r *Runner) State() *n.TaskState { return r.rec.state() }

// Begun reports a task that has run at some time, or may have: its start was
// asked for, and an earlier agent died before the answer.
func (r *Runner) Begun() bool {
	now := r.rec.get()
	return now.State.StartedAt != nil || now.Phase != journal.Idle
}

// Open opens or closes the gate before a start.
func (r *Runner) Open(open bool) { r.gate.set(open) }

// Finish lets Run return once the task is dead.
func (r *Runner) Finish() { r.once.Do(func() { close(r.finish) }) }

// Emit adds an event.
func (r *Runner) Emit(kind string, details ...string) {
	r.rec.change(tasklife.Change{Events: []n.TaskEvent{tasklife.Event(time.Now(), kind, details...)}}, nil)
}

// Fail ends a task that waits for its start, before Run is called; others stay as
// they are.
func (r *Runner) Fail(kind string, details ...string) {
	if was := r.rec.get(); was.Phase != journal.Idle || was.State.State != n.TaskPending {
		return
	}
	e := tasklife.Event(time.Now(), kind, details...)
	r.rec.change(tasklife.Change{State: n.TaskDead, Failed: true, Events: []n.TaskEvent{e}}, nil)
}

// Run runs the task until it is dead and Finish was called, or until ctx ends:
// then the task goes on by itself, for a later agent to find.
func (r *Runner) Run(ctx context.Context) {
	defer r.usage.close()
	if len(r.State().Events) == 0 {
		r.Emit(n.EventReceived)
	}
	running := r.restore(ctx)
	for ctx.Err() == nil {
		var end tasklife.End
		var events []n.TaskEvent
		switch {
		case running:
			end, events = r.watch(ctx)
			running = false
		case r.State().State == n.TaskDead:
			if !r.rest(ctx) {
				return
			}
			continue
		case !r.await(ctx):
			end = tasklife.End{Killed: true}
		default:
			if end, events, running = r.start(ctx); running {
				continue
			}
		}
		if ctx.Err() == nil {
			r.ended(ctx, end, events)
		}
	}
}

// await waits until the task may start; false means that it must not.
func (r *Runner) await(ctx context.Context) bool {
	if until := time.Until(r.rec.restartAt()); until > 0 {
		select {
		case <-time.After(until):
		case a := <-r.asks: // sooner is what the user wants
			r.asked(a)
		case <-r.stop.now:
			return false
		case <-ctx.Done():
			return false
		}
	}
	if r.Killed() {
		return false
	}
	select {
	case <-r.gate.opened():
	case <-r.stop.now:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case a := <-r.asks: // which is about to happen anyway
		r.asked(a)
	default:
	}
	return true
}

// ended decides what follows the end of a run and writes it down; only then the
// driver may forget the run.
func (r *Runner) ended(ctx context.Context, end tasklife.End, events []n.TaskEvent) {
	now := time.Now()
	tracker := r.rec.tracker()
	tracker.Policy = tasklife.NewTracker(r.Spec().Job.Type, r.Spec().Group, r.Spec().Task).Policy // it may have been updated
	tracker, d := tracker.Next(end, now, rand.Float64())
	c := tasklife.Change{State: n.TaskDead, Failed: d.Verdict == tasklife.Fail, Events: events}
	if d.Verdict == tasklife.Restart {
		c = tasklife.Change{State: n.TaskPending, Restart: true, Events: events}
	}
	if end.Killed {
		order := r.stop.why()
		if c.Failed = order.Fails; !order.Quiet {
			c.Events = append(c.Events, tasklife.Event(now, n.EventKilled, tasklife.KeyKillError, order.err()))
		}
	} else if e, ok := tasklife.Told(now, d); ok {
		c.Events = append(c.Events, e)
	}
	had := r.rec.handle()
	r.rec.change(c, func(t *journal.Task) {
		t.Tracker, t.Killing, t.Restarting = tracker, time.Time{}, ""
		t.RestartAt = time.Time{}
		if d.Verdict == tasklife.Restart {
			t.RestartAt = now.Add(d.Delay)
		}
		t.Phase = journal.Idle
		if had != nil {
			t.Phase = journal.Ended
		}
	})
	if had != nil {
		r.forget(ctx, had)
	}
}

// forget lets the driver forget a run whose end is written down.
func (r *Runner) forget(ctx context.Context, h *drivers.TaskHandle) {
	if err := r.host.Journal.Sync(); err != nil {
		r.log.Error("a task's end is not written down; the driver keeps it for now", "error", err)
		return
	}
	if d, ok := r.host.Driver(r.Spec().Task.Driver); ok {
		if err := d.DestroyTask(context.WithoutCancel(ctx), h.Config.ID, true); err != nil && !isNotFound(err) {
			r.log.Warn("the driver could not clean up after a task", "error", err)
		}
	}
	exited(context.WithoutCancel(ctx), r.host.Hooks, h.Config, r.log)
	r.rec.change(tasklife.Change{}, func(t *journal.Task) { t.Phase, t.Handle = journal.Idle, nil })
}

// rest waits while the task is dead. True means that it is to live again.
func (r *Runner) rest(ctx context.Context) bool {
	select {
	case a := <-r.asks:
		if !a.revive {
			return true
		}
		e := tasklife.Event(time.Now(), n.EventRestartSignaled, tasklife.KeyRestartReason, a.reason)
		r.rec.change(tasklife.Change{State: n.TaskPending, Restart: true, Events: []n.TaskEvent{e}}, func(t *journal.Task) {
			t.RestartAt = time.Time{}
		})
		return true
	case <-r.finish:
	case <-ctx.Done():
	}
	return false
}
