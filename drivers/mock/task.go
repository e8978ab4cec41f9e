package mock

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/logrotate"
)

// A task is one that runs, or has ended and is remembered.
type task struct {
	config *drivers.TaskConfig
	does   *taskConfig
	path   string // of its record

	stop chan time.Duration // how long it may take to obey
	gone chan struct{}      // closed when its agent goes
	done chan struct{}

	mu     sync.Mutex
	record record
}

func newTask(config *drivers.TaskConfig, does *taskConfig, path string, r record) *task {
	return &task{config: config, does: does, path: path, record: r, stop: make(chan time.Duration, 1), gone: make(chan struct{}), done: make(chan struct{})}
}

// live runs the task to its end, from wherever it is.
func (t *task) live(out *output) {
	defer close(t.done)
	defer out.close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var written sync.WaitGroup
	written.Go(func() { t.does.write(ctx, t.record.StartedAt, out) })
	end := func(e drivers.ExitResult) {
		cancel()
		written.Wait()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.record.end(e, time.Now())
		if err := t.record.save(t.path); err != nil {
			t.record.Err = errors.Join(e.Err, err).Error()
		}
	}
	over := time.NewTimer(time.Until(t.record.StartedAt.Add(t.does.runFor)))
	defer over.Stop()
	select {
	case <-over.C:
		written.Wait() // all of it, however late
		end(t.does.result())
	case patience := <-t.stop:
		dies := time.NewTimer(min(t.does.killAfter, patience))
		defer dies.Stop()
		select {
		case <-dies.C:
			if t.does.killAfter > patience {
				end(drivers.ExitResult{ExitCode: 137, Signal: 9})
			} else {
				end(drivers.ExitResult{})
			}
		case <-over.C:
			end(t.does.result())
		case <-t.gone:
		}
	case <-t.gone:
	}
}

// write writes the lines that are due from now on. Those that were due before
// an earlier agent ended have been written by it.
func (r *run) write(ctx context.Context, started time.Time, out *output) {
	skip := time.Since(started)
	if out.fresh {
		skip = -1
	}
	for _, l := range r.lines() {
		if l.at <= skip {
			continue
		}
		due := time.NewTimer(time.Until(started.Add(l.at)))
		select {
		case <-due.C:
		case <-ctx.Done():
			due.Stop()
			return
		}
		w := out.stdout
		if l.stderr {
			w = out.stderr
		}
		_, _ = io.WriteString(w, l.text) // a full disk is not the task's matter
	}
}

// kill asks the task to end, and returns when it has.
func (t *task) kill(ctx context.Context, patience time.Duration) error {
	select {
	case t.stop <- patience:
	default: // it was asked already
	}
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *task) status() drivers.TaskStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := drivers.TaskStatus{ID: t.config.ID, Name: t.config.Name, State: drivers.TaskRunning, StartedAt: t.record.StartedAt}
	if !t.record.EndedAt.IsZero() {
		e := t.record.result()
		s.State, s.CompletedAt, s.Exit = drivers.TaskExited, t.record.EndedAt, &e
	}
	return s
}

// output is where a task writes.
type output struct {
	stdout, stderr io.Writer
	fresh          bool // nothing was written yet
	files          []*logrotate.Writer
}

func openOutput(t *drivers.TaskConfig, fresh bool) (*output, error) {
	o := &output{stdout: io.Discard, stderr: io.Discard, fresh: fresh}
	if t.Logs.Disabled || t.Logs.Dir == "" {
		return o, nil
	}
	for name, to := range map[string]*io.Writer{"stdout": &o.stdout, "stderr": &o.stderr} {
		w, err := logrotate.Open(logrotate.Config{Dir: t.Logs.Dir, Name: t.Name + "." + name, MaxFiles: t.Logs.MaxFiles, MaxSize: t.Logs.MaxSize})
		if err != nil {
			o.close()
			return nil, err
		}
		o.files = append(o.files, w)
		*to = w
	}
	return o, nil
}

func (o *output) close() {
	for _, f := range o.files {
		_ = f.Close()
	}
}
