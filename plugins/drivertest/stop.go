package drivertest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// ended checks that a stopped task can still be asked for.
func (n *node) ended(t testing.TB, tc *drivers.TaskConfig) drivers.ExitResult {
	t.Helper()
	s, err := n.driver.InspectTask(within(t), tc.ID)
	if err != nil || s.State != drivers.TaskExited {
		t.Fatalf("InspectTask after StopTask: %+v, %v", s, err)
	}
	return wait(t, n.driver, tc)
}

func testStop(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever})
	began := time.Now()
	if err := n.driver.StopTask(within(t), tc.ID, patience/2, ""); err != nil {
		t.Fatalf("StopTask: %v", err)
	}
	if took := time.Since(began); took > patience/4 {
		t.Errorf("a task that obeys was stopped after %v", took)
	}
	n.ended(t, tc)
	n.destroy(t, n.driver, tc)
}

func testStopDeaf(t *testing.T, n *node) {
	const timeout = time.Second
	tc, _ := n.startWork(t, Work{RunFor: Forever, Deaf: true})
	began := time.Now()
	if err := n.driver.StopTask(within(t), tc.ID, timeout, ""); err != nil {
		t.Fatalf("StopTask: %v", err)
	}
	if took := time.Since(began); took < timeout/2 || took > timeout+15*time.Second {
		t.Errorf("a task that ignores signals was stopped after %v; want %v", took, timeout)
	}
	if r := n.ended(t, tc); n.Shell != nil && r.ExitCode != 137 {
		t.Errorf("result %+v; want exit code 137", r)
	}
	n.destroy(t, n.driver, tc)
}

func testStopWithSignal(t *testing.T, n *node) {
	tc, _ := n.startShell(t, "trap 'exit 1' INT TERM; trap 'exit 42' USR1; echo ready; sleep 3600 & wait")
	awaitOutput(t, tc, "ready")
	if err := n.driver.StopTask(within(t), tc.ID, patience/2, "SIGUSR1"); err != nil {
		t.Fatalf("StopTask: %v", err)
	}
	if r := n.ended(t, tc); r.ExitCode != 42 {
		t.Errorf("result %+v; want exit code 42", r)
	}
	n.destroy(t, n.driver, tc)
}

func testStopTwice(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever})
	var stops sync.WaitGroup
	for range 4 {
		stops.Go(func() {
			if err := n.driver.StopTask(within(t), tc.ID, 5*time.Second, ""); err != nil {
				t.Errorf("StopTask, one of several: %v", err)
			}
		})
	}
	stops.Wait()
	n.ended(t, tc)
	if err := n.driver.StopTask(within(t), tc.ID, 5*time.Second, ""); err != nil {
		t.Errorf("StopTask of an ended task: %v", err)
	}
	n.destroy(t, n.driver, tc)
}

func testSignal(t *testing.T, n *node) {
	tc, _ := n.startShell(t, "trap 'echo hup; exit 9' HUP; echo ready; sleep 3600 & wait")
	awaitOutput(t, tc, "ready")
	if err := n.driver.SignalTask(within(t), tc.ID, "SIGNOSUCH"); err == nil || !strings.Contains(err.Error(), "SIGNOSUCH") {
		t.Errorf("an unknown signal: %v", err)
	}
	if err := n.driver.SignalTask(within(t), tc.ID, "SIGHUP"); err != nil {
		t.Fatalf("SignalTask: %v", err)
	}
	if r := wait(t, n.driver, tc); r.ExitCode != 9 {
		t.Errorf("result %+v; want exit code 9", r)
	}
	if err := n.driver.SignalTask(within(t), tc.ID, "SIGHUP"); err == nil || errors.Is(err, drivers.ErrTaskNotFound) {
		t.Errorf("a signal to an ended task: %v", err)
	}
	n.destroy(t, n.driver, tc)
}

func testSignalDeath(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever})
	if err := n.driver.SignalTask(within(t), tc.ID, "SIGKILL"); err != nil {
		t.Fatalf("SignalTask: %v", err)
	}
	r := wait(t, n.driver, tc)
	// The engines of images tell nothing but the code.
	silent := n.driver.Capabilities().FSIsolation == drivers.FSImage && r.Signal == 0
	if r.ExitCode != 137 || r.Signal != 9 && !silent || r.OOMKilled {
		t.Errorf("result %+v; want exit code 137, signal 9", r)
	}
	n.destroy(t, n.driver, tc)
}

// tree is a script that leaves its children behind in every way there is: in
// the background, orphaned, in sessions of their own, deaf.
const tree = `
sleep 3600 &
(sleep 3600 &)
setsid sleep 3600 &
(setsid sh -c 'trap "" TERM INT HUP; (sleep 3600 &); sleep 3600 & wait; sleep 3600' &)
`

// treeSize is how many processes a tree has at least.
const treeSize = 5

func testStopTree(t *testing.T, n *node) {
	tc, _ := n.startShell(t, "trap 'exit 0' TERM INT\n"+tree+"sleep 3600 & echo ready; wait")
	awaitOutput(t, tc, "ready")
	awaitTree(t, tc)
	if err := n.driver.StopTask(within(t), tc.ID, 5*time.Second, ""); err != nil {
		t.Fatalf("StopTask: %v", err)
	}
	for _, pid := range processes(tc.ID) {
		if contains("/proc/"+itoa(pid)+"/environ", marker+"="+tc.ID) {
			t.Errorf("process %d runs after StopTask", pid)
		}
	}
	n.ended(t, tc)
	n.destroy(t, n.driver, tc)
}

func testDestroyTree(t *testing.T, n *node) {
	tc, _ := n.startShell(t, tree+"sleep 0.3; exit 6")
	if r := wait(t, n.driver, tc); r.ExitCode != 6 {
		t.Errorf("result %+v; want exit code 6", r)
	}
	n.destroy(t, n.driver, tc)
}

// awaitTree waits until the children of a tree run, as far as they can be seen.
func awaitTree(t testing.TB, tc *drivers.TaskConfig) {
	t.Helper()
	if len(processes(tc.ID)) == 0 {
		return
	}
	eventually(t, "the children to run", func() bool { return len(processes(tc.ID)) > treeSize })
}

func testDestroyRunning(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever, Deaf: true})
	if err := n.driver.DestroyTask(within(t), tc.ID, false); err == nil || errors.Is(err, drivers.ErrTaskNotFound) {
		t.Errorf("DestroyTask of a running task without force: %v", err)
	}
	s, err := n.driver.InspectTask(within(t), tc.ID)
	if err != nil || s.State != drivers.TaskRunning {
		t.Fatalf("InspectTask after that: %+v, %v", s, err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := n.driver.WaitTask(within(t), tc.ID)
		waited <- err
	}()
	if err := n.driver.DestroyTask(within(t), tc.ID, true); err != nil {
		t.Fatalf("DestroyTask with force: %v", err)
	}
	n.mustBeGone(t, tc)
	// Who waited is told, be it the result or that there is no such task.
	select {
	case err := <-waited:
		if err != nil && !errors.Is(err, drivers.ErrTaskNotFound) {
			t.Errorf("WaitTask of a destroyed task: %v", err)
		}
	case <-within(t).Done():
		t.Error("WaitTask did not return")
	}
	unknown(t, n.driver, tc.ID)
}
