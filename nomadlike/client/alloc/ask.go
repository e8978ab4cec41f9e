package alloc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Update brings what the servers want now.
func (r *Runner) Update(a *n.Allocation, job *n.Job) {
	err := r.remember(func(rec *journal.Alloc) {
		if a.DeploymentID != rec.Alloc.DeploymentID { // health is found anew for each
			rec.Health, rec.Watching = nil, time.Now()
		}
		rec.Alloc, r.job = a, job
	})
	if err != nil {
		r.log.Error("what the servers want of an allocation is not written down", "error", err)
	}
	if g := job.Group(a.TaskGroup); g != nil {
		for _, t := range r.tasks {
			if changed := g.Task(t.Name()); changed != nil {
				t.Update(task.Spec{Alloc: a, Job: job, Group: g, Task: changed})
			}
		}
	}
	r.poke()
}

// Observed is what is to be told the servers.
func (r *Runner) Observed() n.AllocUpdate {
	states := r.states()
	r.mu.Lock()
	defer r.mu.Unlock()
	u := n.AllocUpdate{ID: r.id, TaskStates: states, NetworkStatus: r.rec.Network, ModifyTime: time.Now().UnixNano()}
	u.ClientStatus, u.ClientDescription = tasklife.Status(r.group, states)
	if r.rec.Setup != "" {
		u.ClientStatus, u.ClientDescription = n.ClientFailed, r.rec.Setup
	}
	if h := r.rec.Health; h != nil {
		u.DeploymentHealth, u.HealthTime = h.Healthy, h.Timestamp
	}
	return u
}

// Restart restarts a task, all tasks that run if name is "", or with all also
// those that have ended.
func (r *Runner) Restart(name string, all bool) error {
	if r.isDone() {
		return errs.Newf(errs.Conflict, "allocation %s has ended", r.id)
	}
	const reason = "User requested task to restart"
	var failed error
	asked := false
	for _, t := range r.tasks {
		if name != "" && t.Name() != name || name == "" && !all && t.State().State != n.TaskRunning {
			continue
		}
		asked = true
		failed = errors.Join(failed, t.Restart(reason, false, all))
	}
	if !asked {
		return errs.Newf(errs.Conflict, "no task of allocation %s is running", r.id)
	}
	return failed
}

// Signal sends a signal to a task, or to all that run if name is "".
func (r *Runner) Signal(name, signal string) error {
	var failed error
	sent := false
	for _, t := range r.tasks {
		if name != "" && t.Name() != name || name == "" && t.State().State != n.TaskRunning {
			continue
		}
		sent = true
		failed = errors.Join(failed, t.Signal(context.Background(), signal))
	}
	if !sent {
		return errs.Newf(errs.Conflict, "no task of allocation %s is running", r.id)
	}
	return failed
}

// Stats tells what the tasks use, and together.
func (r *Runner) Stats() (*n.AllocUsage, error) {
	out := &n.AllocUsage{Tasks: map[string]*n.TaskUsage{}, Timestamp: time.Now().UnixNano()}
	for _, t := range r.tasks {
		if u := t.Usage(context.Background()); u != nil {
			out.Tasks[t.Name()] = u
			out.ResourceUsage.Add(&u.ResourceUsage)
		}
	}
	return out, nil
}

// Destroy ends what runs, removes all that is left of the allocation, and
// forgets it.
func (r *Runner) Destroy() error {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.poke()
	<-r.done
	if !r.isDone() { // the client stops: what runs must find its directory later
		return fmt.Errorf("allocation %s has not ended", r.id)
	}
	var failed error
	a, _ := r.spec()
	for _, h := range slices.Backward(r.host.Hooks) {
		if d, ok := h.(Destroy); ok {
			failed = errors.Join(failed, d.Destroy(context.Background(), a))
		}
	}
	if failed != nil {
		return failed
	}
	var names []string
	for _, t := range r.tasks {
		names = append(names, t.Name())
	}
	r.host.Journal.Forget(r.id, names)
	return nil
}
