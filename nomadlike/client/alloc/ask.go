package alloc

import (
	"context"
	"errors"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// Update brings what the servers want now.
func (r *Runner) Update(a *n.Allocation, job *n.Job) {
	group := job.Group(a.TaskGroup)
	r.mu.Lock()
	returned := a.ClientStatus == n.ClientUnknown && r.rec.Alloc.ClientStatus != n.ClientUnknown
	if !r.fits(group) {
		r.log.Error("an update of an allocation does not name its tasks; they stay as they are", "job_version", a.JobVersion)
		job, group = r.job, r.group
	}
	r.job, r.group = job, group
	r.logged(r.put(func(rec *journal.Alloc) {
		if a.DeploymentID != rec.Alloc.DeploymentID { // health is found anew for each
			rec.Health, rec.Watching = nil, time.Now()
		}
		rec.Alloc = a
	}))
	r.mu.Unlock()
	for _, t := range r.tasks {
		t.Update(task.Spec{Alloc: a, Job: job, Group: group, Task: group.Task(t.Name())})
		if returned {
			t.Emit(n.EventReconnected)
		}
	}
	r.changed()
}

// fits reports a group of the same tasks.
func (r *Runner) fits(g *n.Group) bool {
	if g == nil || len(g.Tasks) != len(r.tasks) {
		return false
	}
	for _, t := range r.tasks {
		if g.Task(t.Name()) == nil {
			return false
		}
	}
	return true
}

// Observed is what is to be told the servers.
func (r *Runner) Observed() n.AllocUpdate {
	r.mu.Lock()
	defer r.mu.Unlock()
	states := r.states()
	u := n.AllocUpdate{ID: r.id, TaskStates: states, NetworkStatus: r.rec.Network, ModifyTime: time.Now().UnixNano()}
	u.ClientStatus, u.ClientDescription = tasklife.Status(r.group, states)
	switch {
	case r.rec.Setup != "":
		u.ClientStatus, u.ClientDescription = n.ClientFailed, r.rec.Setup
	case r.rec.Alone && u.ClientStatus == n.ClientFailed:
		u.ClientDescription = tasklife.DescAlone
	case r.rec.Expired && u.ClientStatus == n.ClientComplete:
		u.ClientDescription = tasklife.DescMaxRun
	}
	if h := r.rec.Health; h != nil {
		u.DeploymentHealth, u.HealthTime = h.Healthy, h.Timestamp
	}
	return u
}

const restartReason = "User requested task to restart"

// EndAlone ends the allocation as a failure, because no server was heard of for as
// long as its job allows: by now they may have placed another in its stead.
func (r *Runner) EndAlone() {
	r.mu.Lock()
	if !r.over && !r.rec.Alone {
		r.logged(r.put(func(rec *journal.Alloc) { rec.Alone = true }))
	}
	r.mu.Unlock()
	r.poke()
}

// Restart restarts a task, or all tasks that run if name is "". With all, every
// task runs again from the beginning, also those that have ended. It is an error
// when nothing is there to restart, or the allocation ends.
func (r *Runner) Restart(name string, all bool) error {
	switch {
	case name != "" && all:
		return errs.New(errs.Invalid, "either a task is restarted or all tasks, not both")
	case name != "":
		t, err := r.task(name)
		if err != nil {
			return err
		}
		return t.Restart(restartReason, false, false)
	case all:
		r.mu.Lock()
		if r.over || r.stopped || !r.rec.Ending.IsZero() {
			r.mu.Unlock()
			return errs.Newf(errs.Conflict, "allocation %s ends or has ended", r.id)
		}
		err := r.put(func(rec *journal.Alloc) { rec.Again = true })
		r.mu.Unlock()
		r.restartAll()
		r.poke()
		return err
	}
	return r.each(func(t *task.Runner) error { return t.Restart(restartReason, false, false) })
}

// restartAll brings all tasks back to where they wait for their first start.
func (r *Runner) restartAll() {
	r.mu.Lock()
	group := r.group
	r.mu.Unlock()
	for _, t := range r.tasks {
		t.Open(false)
	}
	for _, t := range r.tasks {
		if tasklife.RoleOf(group.Task(t.Name())) != tasklife.Poststop {
			r.logged(t.Restart(restartReason, false, true))
		}
	}
}

// Signal sends a signal to a task, or to all that run if name is "".
func (r *Runner) Signal(name, signal string) error {
	send := func(t *task.Runner) error { return t.Signal(context.Background(), signal) }
	if name == "" {
		return r.each(send)
	}
	t, err := r.task(name)
	if err != nil {
		return err
	}
	return send(t)
}

// Exec runs a command beside a task; see drivers.Exec.
func (r *Runner) Exec(ctx context.Context, name string, o drivers.ExecOptions) (drivers.ExitResult, error) {
	t, err := r.task(name)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	return t.Exec(ctx, o)
}

// each does something with the tasks that run.
func (r *Runner) each(do func(*task.Runner) error) error {
	var failed error
	some := false
	for _, t := range r.tasks {
		if t.State().State == n.TaskRunning {
			some = true
			failed = errors.Join(failed, do(t))
		}
	}
	if !some {
		return errs.Newf(errs.Conflict, "no task of allocation %s is running", r.id)
	}
	return failed
}

func (r *Runner) task(name string) (*task.Runner, error) {
	for _, t := range r.tasks {
		if t.Name() == name {
			return t, nil
		}
	}
	return nil, errs.Newf(errs.NotFound, "allocation %s has no task %q", r.id, name)
}

// Stats tells what the tasks use, and together. The first time it takes as long
// as drivers take to measure, at most a few seconds.
func (r *Runner) Stats() (*n.AllocUsage, error) {
	used := make([]*n.TaskUsage, len(r.tasks))
	var all sync.WaitGroup
	for i, t := range r.tasks {
		all.Go(func() { used[i] = t.Usage(context.Background()) })
	}
	all.Wait()
	out := &n.AllocUsage{Tasks: map[string]*n.TaskUsage{}, Timestamp: time.Now().UnixNano()}
	for i, t := range r.tasks {
		if u := used[i]; u != nil {
			out.Tasks[t.Name()] = u
			out.ResourceUsage.Add(&u.ResourceUsage)
		}
	}
	return out, nil
}
