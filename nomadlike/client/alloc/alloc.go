// Package alloc owns the run of one allocation on this node: its directory, the
// order in which its tasks start and end, what the end of one does to the
// others, its health, and what is left of it. How a single task runs is package
// task's business; the rules are those of package tasklife.
//
// # The hard part
//
// Everything is decided again from the tasks' states whenever one of them
// changes, so it makes no difference whether an agent saw a change happen or
// found it when it took the allocation up again.
package alloc

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
)

// A Journal remembers allocations; see package journal.
type Journal interface {
	PutAlloc(a *journal.Alloc, job *n.Job) error
	Forget(id n.AllocID, tasks []string)
}

// A Hook does something before the tasks of an allocation and after them; it
// implements one or both of the interfaces below. Hooks are shared by all
// allocations of a client. They run again when an allocation is taken up again,
// and have to bear that.
type Hook interface{ Name() string }

// Prerun prepares an allocation. An error fails its tasks. ctx ends when the
// allocation is to end, too.
type Prerun interface {
	Prerun(ctx context.Context, job *n.Job, g *n.Group, a *n.Allocation) error
}

// Destroy removes what Prerun made; they are called in reverse order.
type Destroy interface {
	Destroy(ctx context.Context, a *n.Allocation) error
}

// A Host is what allocations of one client have in common.
type Host struct {
	Tasks   task.Host
	Journal Journal
	Hooks   []Hook
	// Changed is called after every change of what is observed. It must not block.
	Changed func(n.AllocID)
	Logger  hclog.Logger
}

// A Runner runs one allocation. Its methods may be called at any time, those
// that wait for its end only once Run has been.
type Runner struct {
	host  *Host
	id    n.AllocID
	log   hclog.Logger
	tasks []*task.Runner
	wake  chan struct{} // holds one token while there is something to look at
	done  chan struct{} // closed when Run has returned
	halt  chan struct{} // closed once it is to end

	mu        sync.Mutex // held while tasks' states are read, but not while they are told something
	job       *n.Job
	group     *n.Group
	rec       journal.Alloc // with the allocation as the servers last sent it
	phase     tasklife.Phase
	stopped   bool // halt is closed
	moot      bool // it was to end before it began
	over      bool // nothing of it runs, nor will
	destroyed bool
}

// New makes a runner; was is what is remembered of the allocation, or nil.
func New(h *Host, a *n.Allocation, job *n.Job, was *journal.Restored) *Runner {
	r := &Runner{
		host: h, id: a.ID, job: job, group: job.Group(a.TaskGroup), log: h.Logger.With("alloc_id", a.ID),
		wake: make(chan struct{}, 1), done: make(chan struct{}), halt: make(chan struct{}),
	}
	if was != nil {
		r.rec = was.Alloc
	}
	r.rec.Alloc, r.over = a, r.rec.Done
	if r.group == nil {
		r.group = &n.Group{Name: a.TaskGroup}
		r.rec.Setup = fmt.Sprintf("its job has no group %q", a.TaskGroup)
	}
	for i := range r.group.Tasks {
		t := &r.group.Tasks[i]
		var remembered *journal.Task
		if was != nil {
			remembered = was.Tasks[t.Name]
		}
		r.tasks = append(r.tasks, task.New(&h.Tasks, task.Spec{Alloc: a, Job: job, Group: r.group, Task: t}, remembered, r.changed))
	}
	return r
}

// changed is called by tasks after each change of their state.
func (r *Runner) changed() {
	r.poke()
	r.host.Changed(r.id)
}

func (r *Runner) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Dir is the allocation's directory.
func (r *Runner) Dir() string { return filepath.Join(r.host.Tasks.AllocDir, string(r.id)) }

// Spec is what the servers want.
func (r *Runner) Spec() (*n.Allocation, *n.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rec.Alloc, r.job
}

// Run runs the allocation until nothing of it runs nor will, or until ctx ends:
// then its tasks go on by themselves, for a later agent to find.
func (r *Runner) Run(ctx context.Context) error {
	defer close(r.done)
	if r.isOver() {
		return nil
	}
	if err := r.began(); err != nil {
		return err
	}
	r.prerun(ctx)
	work, stop := context.WithCancel(ctx)
	defer stop()
	var tasks sync.WaitGroup
	for _, t := range r.tasks {
		tasks.Go(func() { t.Run(work) })
	}
	r.watch(ctx)
	if ctx.Err() == nil {
		for _, t := range r.tasks {
			t.Kill(task.Order{Quiet: true}) // one that was asked to run once more a moment ago
			t.Finish()
		}
	}
	tasks.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.remember(func(rec *journal.Alloc) { rec.Done = true })
}

// prerun prepares the allocation; what fails, fails the tasks.
func (r *Runner) prerun(ctx context.Context) {
	r.mu.Lock()
	a, job, group, moot := r.rec.Alloc, r.job, r.group, r.moot
	r.mu.Unlock()
	if moot {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.halt:
			cancel()
		case <-ctx.Done():
		}
	}()
	for _, h := range r.host.Hooks {
		p, ok := h.(Prerun)
		if !ok {
			continue
		}
		err := p.Prerun(ctx, job, group, a)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.log.Error("an allocation can not be set up", "hook", h.Name(), "error", err)
			r.fail(fmt.Sprintf("failed to setup alloc: pre-run hook %q failed: %v", h.Name(), err))
			return
		}
	}
}

// fail fails the tasks that do not run. Those that do, and were taken up again,
// may go on.
func (r *Runner) fail(why string) {
	for _, t := range r.tasks {
		t.Fail(n.EventSetupFailure, tasklife.KeySetupError, why, tasklife.KeyFailsTask, "true")
	}
}

// Destroy ends what runs, removes all that is left of the allocation, and
// forgets it. After an error it may be called again.
func (r *Runner) Destroy() error {
	if err := r.remember(func(rec *journal.Alloc) { rec.Forgotten = true }); err != nil {
		return err
	}
	r.poke()
	<-r.done
	if !r.isOver() { // what runs must find its directory later
		return fmt.Errorf("allocation %s has not ended: the client stops first", r.id)
	}
	a, _ := r.Spec()
	var failed error
	for i := len(r.host.Hooks) - 1; i >= 0; i-- {
		if d, ok := r.host.Hooks[i].(Destroy); ok {
			failed = errors.Join(failed, d.Destroy(context.Background(), a))
		}
	}
	if failed != nil {
		return failed
	}
	names := make([]string, len(r.tasks))
	for i, t := range r.tasks {
		names[i] = t.Name()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.destroyed = true
	r.host.Journal.Forget(r.id, names)
	return nil
}

// remember changes the record and writes it down.
func (r *Runner) remember(change func(*journal.Alloc)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.put(change)
}

// put is remember for those who hold mu.
func (r *Runner) put(change func(*journal.Alloc)) error {
	if r.destroyed {
		return nil
	}
	change(&r.rec)
	if !r.stopped && (r.rec.Forgotten || r.rec.Alone || r.rec.Alloc.ServerTerminal()) {
		r.stopped = true
		close(r.halt)
	}
	rec := r.rec
	return r.host.Journal.PutAlloc(&rec, r.job) // under the lock, to keep their order
}

func (r *Runner) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// states are those of the tasks, by name.
func (r *Runner) states() tasklife.States {
	s := make(tasklife.States, len(r.tasks))
	for _, t := range r.tasks {
		s[t.Name()] = t.State()
	}
	return s
}
