package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

func testRunToEnd(t *testing.T, n *node) {
	for _, code := range []int{0, 7, 255} {
		before := time.Now()
		tc, h := n.startWork(t, Work{RunFor: 100 * time.Millisecond, ExitCode: code})
		if len(h.DriverState) == 0 {
			t.Error("the handle has no state")
		}
		// Anybody may wait, and more than one.
		var waits sync.WaitGroup
		for range 3 {
			waits.Go(func() {
				r, err := n.driver.WaitTask(within(t), tc.ID)
				if err != nil || r.ExitCode != code || r.Signal != 0 || r.OOMKilled || r.Err != nil {
					t.Errorf("WaitTask: %+v, %v; want exit code %d", r, err, code)
				}
			})
		}
		waits.Wait()
		if r := wait(t, n.driver, tc); r.ExitCode != code {
			t.Errorf("WaitTask after the end: %+v", r)
		}
		s, err := n.driver.InspectTask(within(t), tc.ID)
		if err != nil {
			t.Fatal(err)
		}
		if s.ID != tc.ID || s.Name != tc.Name || s.State != drivers.TaskExited || s.Exit == nil || s.Exit.ExitCode != code {
			t.Errorf("InspectTask: %+v", s)
		}
		// Clocks of engines and of us may differ a little.
		const skew = 2 * time.Second
		if s.StartedAt.Before(before.Add(-skew)) || s.CompletedAt.Before(s.StartedAt) || s.CompletedAt.After(time.Now().Add(skew)) {
			t.Errorf("InspectTask: started at %v, completed at %v", s.StartedAt, s.CompletedAt)
		}
		n.destroy(t, n.driver, tc)
	}
}

func testWaitForContext(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever})
	ctx, cancel := context.WithTimeout(within(t), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := n.driver.WaitTask(ctx, tc.ID)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("WaitTask after %v: %v", time.Since(began), err)
	}
	s, err := n.driver.InspectTask(within(t), tc.ID)
	if err != nil || s.State != drivers.TaskRunning || s.Exit != nil || s.StartedAt.IsZero() || !s.CompletedAt.IsZero() {
		t.Errorf("InspectTask: %+v, %v", s, err)
	}
}

// unknown makes every call about a task that the driver does not know.
func unknown(t testing.TB, d drivers.Driver, id string) {
	t.Helper()
	ctx := within(t)
	_, waitErr := d.WaitTask(ctx, id)
	_, inspectErr := d.InspectTask(ctx, id)
	calls := map[string]error{
		"WaitTask":    waitErr,
		"InspectTask": inspectErr,
		"StopTask":    d.StopTask(ctx, id, time.Second, ""),
		"SignalTask":  d.SignalTask(ctx, id, "SIGTERM"),
		"DestroyTask": d.DestroyTask(ctx, id, true),
	}
	if s, ok := d.(drivers.Stats); ok {
		_, calls["TaskStats"] = s.TaskStats(ctx, id, time.Second)
	}
	if e, ok := d.(drivers.Exec); ok {
		_, calls["ExecTask"] = e.ExecTask(ctx, id, drivers.ExecOptions{Command: []string{"true"}})
	}
	for call, err := range calls {
		if !errors.Is(err, drivers.ErrTaskNotFound) {
			t.Errorf("%s of an unknown task: %v", call, err)
		}
	}
}

func testUnknownTask(t *testing.T, n *node) {
	unknown(t, n.driver, "nobody/knows/00000000")
	tc, _ := n.startWork(t, Work{})
	wait(t, n.driver, tc)
	n.destroy(t, n.driver, tc)
	unknown(t, n.driver, tc.ID)
}

func testSameIDTwice(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: 300 * time.Millisecond, ExitCode: 5})
	if _, err := n.tryStart(within(t), tc); err == nil {
		t.Error("a second start with the same id succeeded")
	}
	if r := wait(t, n.driver, tc); r.ExitCode != 5 {
		t.Errorf("result of the first %+v", r)
	}
	if _, err := n.tryStart(within(t), tc); err == nil {
		t.Error("a start with the id of an ended task succeeded")
	}
	n.destroy(t, n.driver, tc)
}

func testSameIDAtOnce(t *testing.T, n *node) {
	tc := n.task(t, n.work(Work{RunFor: Forever, Stdout: "once\n"}))
	n.began = append(n.began, tc)
	var starts sync.WaitGroup
	var mu sync.Mutex
	succeeded := 0
	for range 8 {
		starts.Go(func() {
			_, _, err := n.driver.StartTask(within(t), tc)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				succeeded++
			}
		})
	}
	starts.Wait()
	if succeeded != 1 {
		t.Errorf("%d starts succeeded", succeeded)
	}
	if err := n.driver.DestroyTask(within(t), tc.ID, true); err != nil {
		t.Fatal(err)
	}
	n.mustBeGone(t, tc)
	if !n.driver.Capabilities().DisableLogCollection {
		if got := output(t, tc, "stdout"); strings.Count(got, "once") > 1 {
			t.Errorf("it ran more than once: %q", got)
		}
	}
}

// testStartCancelled ends the context of a start at any moment: the task runs,
// or nothing is left of it.
func testStartCancelled(t *testing.T, n *node) {
	for _, after := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond} {
		tc := n.task(t, n.work(Work{RunFor: Forever}))
		ctx, cancel := context.WithTimeout(within(t), after)
		_, err := n.tryStart(ctx, tc)
		cancel()
		if err == nil {
			if err := n.driver.DestroyTask(within(t), tc.ID, true); err != nil {
				t.Errorf("DestroyTask: %v", err)
			}
		}
		n.mustBeGone(t, tc)
		unknown(t, n.driver, tc.ID)
	}
}

func testStartFails(t *testing.T, n *node) {
	config := n.Shell("true")
	config["command"] = "/no/such/command"
	tc := n.task(t, config)
	_, err := n.tryStart(within(t), tc)
	if err == nil {
		// Some find out only when it runs.
		t.Fatal("the start of what is not there succeeded")
	}
	if !strings.Contains(err.Error(), "/no/such/command") {
		t.Errorf("the error does not say what is missing: %v", err)
	}
	n.mustBeGone(t, tc)
	unknown(t, n.driver, tc.ID)
	// And the id was not used up.
	tc.DriverConfig = encode(t, n.driver.TaskConfigSchema(), n.work(Work{}))
	n.start(t, tc)
	wait(t, n.driver, tc)
	n.destroy(t, n.driver, tc)
}

func testManyAtOnce(t *testing.T, n *node) {
	const many = 8
	tasks := make([]*drivers.TaskConfig, many)
	for i := range tasks {
		tasks[i] = n.task(t, n.work(Work{RunFor: Forever, ExitCode: i}))
	}
	n.began = append(n.began, tasks...)
	errs := make(chan error, many)
	for i, tc := range tasks {
		go func() { errs <- n.live(within(t), tc, i) }()
	}
	for range tasks {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for _, tc := range tasks {
		n.mustBeGone(t, tc)
	}
}

// live takes a task through all of its life.
func (n *node) live(ctx context.Context, tc *drivers.TaskConfig, i int) error {
	if _, _, err := n.driver.StartTask(ctx, tc); err != nil {
		return fmt.Errorf("StartTask: %w", err)
	}
	if i%2 == 0 {
		if n.Work == nil {
			if err := awaitTraps(ctx, tc); err != nil {
				return err
			}
		}
		if err := n.driver.StopTask(ctx, tc.ID, 10*time.Second, ""); err != nil {
			return fmt.Errorf("StopTask: %w", err)
		}
		if _, err := n.driver.WaitTask(ctx, tc.ID); err != nil {
			return fmt.Errorf("WaitTask: %w", err)
		}
	}
	if err := n.driver.DestroyTask(ctx, tc.ID, i%2 == 1); err != nil {
		return fmt.Errorf("DestroyTask: %w", err)
	}
	return nil
}
