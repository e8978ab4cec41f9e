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
	"fmt"
	"path/filepath"
	"sync"
	"time"

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
	Sync() error
}

// A Hook does something before the tasks of an allocation and after them; it
// implements one or both of the interfaces below. Hooks are shared by all
// allocations of a client. They run again when an allocation is taken up again,
// and have to bear that.
type Hook interface{ Name() string }

// Prerun prepares an allocation. An error fails its tasks.
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

// A Runner runs one allocation. Its methods may be called at any time.
type Runner struct {
	host  *Host
	id    n.AllocID
	log   hclog.Logger
	group *n.Group
	tasks []*task.Runner
	wake  chan struct{} // holds one token while there is something to look at
	done  chan struct{} // closed when Run has returned, or never will be called

	mu      sync.Mutex
	job     *n.Job
	rec     journal.Alloc // with the allocation as the servers last sent it
	phase   tasklife.Phase
	ended   bool // it is to end, whatever the servers say
	touched bool // tasks were told of what ends them
}

// New makes a runner; was is what is remembered of the allocation, or nil.
func New(h *Host, a *n.Allocation, job *n.Job, was *journal.Restored) *Runner {
	r := &Runner{
		host: h, id: a.ID, job: job, log: h.Logger.With("alloc_id", a.ID), wake: make(chan struct{}, 1), done: make(chan struct{}),
		group: job.Group(a.TaskGroup),
	}
	if was != nil {
		r.rec = was.Alloc
	}
	r.rec.Alloc = a
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

// Run runs the allocation until nothing of it runs nor will, or until ctx ends:
// then its tasks go on by themselves, for a later agent to find.
func (r *Runner) Run(ctx context.Context) error {
	defer close(r.done)
	if r.isDone() {
		return nil
	}
	if err := r.remember(func(rec *journal.Alloc) {
		if rec.Watching.IsZero() {
			rec.Watching = time.Now()
		}
	}); err != nil {
		return err
	}
	r.prerun(ctx)

	work, stop := context.WithCancel(ctx)
	defer stop()
	var tasks sync.WaitGroup
	for _, t := range r.tasks {
		tasks.Go(func() { t.Run(work) })
	}
	defer tasks.Wait()
	for {
		again, ended := r.look(time.Now())
		if ended {
			break
		}
		timer := time.NewTimer(again)
		select {
		case <-r.wake:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
	for _, t := range r.tasks {
		t.Finish()
	}
	tasks.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.remember(func(rec *journal.Alloc) { rec.Done = true })
}

// prerun prepares the allocation; what fails, fails the tasks.
func (r *Runner) prerun(ctx context.Context) {
	a, job := r.spec()
	for _, h := range r.host.Hooks {
		p, ok := h.(Prerun)
		if !ok {
			continue
		}
		if err := p.Prerun(ctx, job, r.group, a); err != nil && ctx.Err() == nil {
			r.log.Error("an allocation can not be set up", "hook", h.Name(), "error", err)
			for _, t := range r.tasks {
				if t.State().State == n.TaskPending {
					t.Fail(n.EventSetupFailure, tasklife.KeySetupError, fmt.Sprintf("failed to set up the allocation: %s: %v", h.Name(), err))
				}
			}
			return
		}
	}
}

// remember changes the record and writes it down.
func (r *Runner) remember(change func(*journal.Alloc)) error {
	r.mu.Lock()
	change(&r.rec)
	rec, job := r.rec, r.job
	err := r.host.Journal.PutAlloc(&rec, job) // under the lock, to keep their order
	r.mu.Unlock()
	r.host.Changed(r.id)
	return err
}

func (r *Runner) isDone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rec.Done
}

func (r *Runner) spec() (*n.Allocation, *n.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rec.Alloc, r.job
}

// states are those of the tasks, by name.
func (r *Runner) states() tasklife.States {
	s := make(tasklife.States, len(r.tasks))
	for _, t := range r.tasks {
		s[t.Name()] = t.State()
	}
	return s
}
