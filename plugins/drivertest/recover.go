package drivertest

import (
	"errors"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// recoverTask takes a task up in the agent's next process.
func (n *node) recoverTask(t testing.TB, h *drivers.TaskHandle) {
	t.Helper()
	n.driver = n.another(t)
	if err := n.driver.RecoverTask(within(t), h); err != nil {
		t.Fatalf("RecoverTask: %v", err)
	}
}

func testRecoverRunning(t *testing.T, n *node) {
	tc, h := n.startWork(t, Work{RunFor: time.Second, ExitCode: 3})
	first, err := n.driver.InspectTask(within(t), tc.ID)
	if err != nil {
		t.Fatal(err)
	}
	n.recoverTask(t, stored(t, h))
	s, err := n.driver.InspectTask(within(t), tc.ID)
	if err != nil || s.State != drivers.TaskRunning || !s.StartedAt.Equal(first.StartedAt) {
		t.Errorf("InspectTask: %+v, %v; want started at %v", s, err, first.StartedAt)
	}
	for k, v := range first.Attributes {
		if s.Attributes[k] != v {
			t.Errorf("attribute %s is %q; was %q", k, s.Attributes[k], v)
		}
	}
	if err := n.driver.RecoverTask(within(t), stored(t, h)); err != nil {
		t.Errorf("RecoverTask for the second time: %v", err)
	}
	if r := wait(t, n.driver, tc); r.ExitCode != 3 || r.Err != nil {
		t.Errorf("result %+v; want exit code 3", r)
	}
	n.destroy(t, n.driver, tc)
}

func testRecoverEnded(t *testing.T, n *node) {
	tc, h := n.startWork(t, Work{RunFor: 200 * time.Millisecond, ExitCode: 4})
	wait(t, n.driver, tc)
	// Two processes of the agent come and go.
	for range 2 {
		n.recoverTask(t, stored(t, h))
		if r := wait(t, n.driver, tc); r.ExitCode != 4 || r.Err != nil {
			t.Errorf("result %+v; want exit code 4", r)
		}
		s, err := n.driver.InspectTask(within(t), tc.ID)
		if err != nil || s.State != drivers.TaskExited || s.CompletedAt.IsZero() {
			t.Errorf("InspectTask: %+v, %v", s, err)
		}
	}
	n.destroy(t, n.driver, tc)
}

// testRecoverUndecided is an agent that died before it noted that the task was
// started.
func testRecoverUndecided(t *testing.T, n *node) {
	tc, first := n.startWork(t, Work{RunFor: Forever})
	h := &drivers.TaskHandle{Config: tc}
	n.recoverTask(t, h)
	if h.State != drivers.TaskRunning || h.Version != first.Version || len(h.DriverState) == 0 {
		t.Errorf("the handle was not filled in: %+v", h)
	}
	// It can be recovered from once more.
	n.recoverTask(t, stored(t, h))
	if err := n.driver.StopTask(within(t), tc.ID, 5*time.Second, ""); err != nil {
		t.Fatalf("StopTask: %v", err)
	}
	h = &drivers.TaskHandle{Config: tc}
	n.recoverTask(t, h)
	if h.State != drivers.TaskExited || len(h.DriverState) == 0 {
		t.Errorf("the handle of an ended task was not filled in: %+v", h)
	}
	n.ended(t, tc)
	n.destroy(t, n.driver, tc)
	if err := n.another(t).RecoverTask(within(t), &drivers.TaskHandle{Config: tc}); !errors.Is(err, drivers.ErrTaskNotFound) {
		t.Errorf("RecoverTask of a destroyed task: %v", err)
	}
}

func testRecoverNeverStarted(t *testing.T, n *node) {
	tc := n.task(t, n.work(Work{}))
	if err := n.driver.RecoverTask(within(t), &drivers.TaskHandle{Config: tc}); !errors.Is(err, drivers.ErrTaskNotFound) {
		t.Errorf("RecoverTask of a task that was never started: %v", err)
	}
	unknown(t, n.driver, tc.ID)
	n.mustBeGone(t, tc)
	if err := n.driver.RecoverTask(within(t), nil); err == nil {
		t.Error("RecoverTask of nothing succeeded")
	}
	// What is started in its place is another attempt.
	next := again(tc)
	n.start(t, next)
	wait(t, n.driver, next)
	n.destroy(t, n.driver, next)
}

func testRecoverThenStop(t *testing.T, n *node) {
	tc, h := n.startWork(t, Work{RunFor: Forever, Deaf: true})
	n.recoverTask(t, stored(t, h))
	if err := n.driver.StopTask(within(t), tc.ID, 100*time.Millisecond, ""); err != nil {
		t.Fatalf("StopTask: %v", err)
	}
	n.ended(t, tc)
	n.destroy(t, n.driver, tc)
}
