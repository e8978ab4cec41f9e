package alloc_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/alloc"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
)

// full is a journal on a disk that is full for a while.
type full struct {
	task.Journal
	until time.Time
}

func (f full) Sync() error {
	if time.Now().Before(f.until) {
		return errors.New("no space left on device")
	}
	return f.Journal.Sync()
}

// TestFullDisk starts nothing that is not written down, and does so later.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, batch(mainTask("web")), map[string][]plan{"web": {{lasts: time.Minute}}})
		until := time.Now().Add(10 * time.Second)
		w.host = func(h *alloc.Host) { h.Tasks.Journal = full{h.Tasks.Journal, until} }
		a := w.start(nil)
		settle(9 * time.Second)
		w.saw("")
		last := a.runner.Observed().TaskStates["web"].Events
		if text := last[len(last)-2].DisplayMessage; last[len(last)-2].Type != n.EventDriverFailure || !strings.Contains(text, "no space left") {
			t.Errorf("%+v", last)
		}
		equal(t, "status", a.finish().ClientStatus, n.ClientComplete)
		w.saw("web+ web-0")
	})
}

// TestLost finds that a task has gone with its driver's memory of it, as after a
// reboot of the host: it runs again, except when it was to end.
func TestLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		stop  bool
		story string
	}{
		{"it is still wanted", false, "web+ web+ web. web-0"},
		{"it was to end", true, "web+"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, service(mainTask("web")), map[string][]plan{"web": forever})
				a := w.start(nil)
				settle(time.Minute)
				a.leave()
				w.machine.mu.Lock()
				for id := range w.procs {
					delete(w.procs, id)
				}
				w.machine.mu.Unlock()
				if c.stop {
					w.alloc.DesiredStatus = n.DesiredStop
				}
				a = w.start(nil)
				settle(time.Minute)
				if events := a.events("web"); !strings.Contains(events, n.EventRestoreFailed) {
					t.Error(events)
				}
				if !c.stop {
					equal(t, "status", a.runner.Observed().ClientStatus, n.ClientRunning)
					w.want(stop)
				}
				equal(t, "status at last", a.finish().ClientStatus, n.ClientComplete)
				w.saw(c.story)
			})
		})
	}
}
