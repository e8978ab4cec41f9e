package task

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/interp"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A Hook does something at some points of a task's run; it implements one or
// more of the interfaces below. Hooks run in order, one after the other, and are
// shared by all tasks of a client.
type Hook interface{ Name() string }

// Prestart prepares a start. It may add to the task's configuration and to its
// environment. An error marked by drivers.Recoverable goes through the restart
// policy, any other fails the task.
type Prestart interface {
	Prestart(ctx context.Context, job *n.Job, task *n.Task, tc *drivers.TaskConfig, env *interp.Env) error
}

// Once is implemented by Prestart hooks that need not run again for a restart.
type Once interface{ Once() bool }

// Poststart is told of a task that runs. Errors are logged.
type Poststart interface {
	Poststart(ctx context.Context, job *n.Job, task *n.Task, tc *drivers.TaskConfig) error
}

// Prekill is told before a running task is ended.
type Prekill interface {
	Prekill(ctx context.Context, task *n.Task, tc *drivers.TaskConfig) error
}

// Exited is told of the end of each run.
type Exited interface {
	Exited(ctx context.Context, tc *drivers.TaskConfig) error
}

// prestart runs the hooks that have to run.
func (r *Runner) prestart(ctx context.Context, s Spec, tc *drivers.TaskConfig, env *interp.Env) error {
	done := r.rec.get().Hooks
	for _, h := range r.host.Hooks {
		p, ok := h.(Prestart)
		if !ok || slices.Contains(done, h.Name()) {
			continue
		}
		if err := p.Prestart(ctx, s.Job, s.Task, tc, env); err != nil {
			return fmt.Errorf("%s: %w", h.Name(), err)
		}
		if o, ok := h.(Once); ok && o.Once() {
			r.rec.change(tasklife.Change{}, func(t *journal.Task) { t.Hooks = append(slices.Clone(t.Hooks), h.Name()) })
		}
	}
	return nil
}

func (r *Runner) poststart(ctx context.Context, tc *drivers.TaskConfig) {
	s := r.Spec()
	for _, h := range r.host.Hooks {
		if p, ok := h.(Poststart); ok {
			if err := p.Poststart(ctx, s.Job, s.Task, tc); err != nil {
				r.log.Warn("a hook failed after the start", "hook", h.Name(), "error", err)
			}
		}
	}
}

func (r *Runner) prekill(ctx context.Context, tc *drivers.TaskConfig) {
	s := r.Spec()
	for _, h := range r.host.Hooks {
		if p, ok := h.(Prekill); ok {
			if err := p.Prekill(ctx, s.Task, tc); err != nil {
				r.log.Warn("a hook failed before the end", "hook", h.Name(), "error", err)
			}
		}
	}
}

func exited(ctx context.Context, hooks []Hook, tc *drivers.TaskConfig, log hclog.Logger) {
	for _, h := range hooks {
		if p, ok := h.(Exited); ok {
			if err := p.Exited(ctx, tc); err != nil {
				log.Warn("a hook failed after the end", "hook", h.Name(), "error", err)
			}
		}
	}
}
