package task

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A record is what is known of a task, here and in the journal. What it hands
// out is never changed afterwards.
type record struct {
	journal Journal
	alloc   n.AllocID
	name    string
	log     hclog.Logger
	changed func()

	mu  sync.Mutex
	now journal.Task
}

func newRecord(j Journal, s Spec, was *journal.Task, log hclog.Logger, changed func()) *record {
	r := &record{journal: j, alloc: s.Alloc.ID, name: s.Task.Name, log: log, changed: changed}
	if was != nil {
		r.now = *was
	} else {
		r.now.Tracker = tasklife.NewTracker(s.Job.Type, s.Group, s.Task)
	}
	if r.now.State == nil {
		r.now.State = &n.TaskState{State: n.TaskPending}
	}
	return r
}

// change changes the state and, with f, the rest, and puts both into the journal.
func (r *record) change(c tasklife.Change, f func(*journal.Task)) {
	r.mu.Lock()
	old := r.now.State
	if c.State != "" || c.Events != nil {
		r.now.State = tasklife.Apply(old, c, time.Now())
	}
	if f != nil {
		f(&r.now)
	}
	moved := r.now.State != old
	err := r.journal.PutTask(r.alloc, r.name, &r.now) // under the lock, to keep their order
	r.mu.Unlock()
	if err != nil { // a type that can not be encoded
		r.log.Error("what became of a task is not written down", "error", err)
	}
	if moved {
		r.changed()
	}
}

func (r *record) state() *n.TaskState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now.State
}

func (r *record) get() journal.Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *record) tracker() tasklife.Tracker { return r.get().Tracker }
func (r *record) restartAt() time.Time      { return r.get().RestartAt }

// handle returns that of the run, or nil. It is never changed in place.
func (r *record) handle() *drivers.TaskHandle { return r.get().Handle }

func isNotFound(err error) bool {
	// Plugins in processes of their own give back the text alone.
	return errors.Is(err, drivers.ErrTaskNotFound) || err != nil && err.Error() == drivers.ErrTaskNotFound.Error()
}
