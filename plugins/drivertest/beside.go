package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

func testStats(t *testing.T, n *node) {
	work := n.work(Work{RunFor: 2 * time.Second})
	if n.Shell != nil {
		work = n.Shell("trap 'exit 0' INT TERM; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 1 & wait")
	}
	tc := n.task(t, work)
	n.start(t, tc)
	c, err := n.driver.(drivers.Stats).TaskStats(within(t), tc.ID, 100*time.Millisecond)
	if err != nil {
		t.Fatalf("TaskStats: %v", err)
	}
	timeout := within(t)
	var last drivers.Usage
	count := 0
	for open := true; open; {
		var u drivers.Usage
		select {
		case u, open = <-c:
		case <-timeout.Done():
			t.Fatal("the channel does not close when the task ends")
		}
		if !open {
			break
		}
		count++
		if u.Time.IsZero() || u.Time.Before(last.Time) || len(u.Memory.Measured) == 0 || len(u.CPU.Measured) == 0 {
			t.Errorf("measurement %+v", u)
		}
		if u.CPU.Percent < 0 || u.CPU.Percent > 100_000 || u.Memory.RSS > 1<<40 {
			t.Errorf("measurement out of its range: %+v", u)
		}
		last = u
	}
	if count < 2 {
		t.Errorf("%d measurements", count)
	}
	n.destroy(t, n.driver, tc)

	tc, _ = n.startWork(t, Work{RunFor: Forever})
	ctx, cancel := context.WithCancel(within(t))
	if c, err = n.driver.(drivers.Stats).TaskStats(ctx, tc.ID, time.Hour); err != nil {
		t.Fatalf("TaskStats: %v", err)
	}
	<-c
	cancel()
	select {
	case <-c:
	case <-timeout.Done():
		t.Error("the channel does not close when its context ends")
	}
}

// exec runs a script beside a task.
func (n *node) exec(t testing.TB, tc *drivers.TaskConfig, stdin io.Reader, script string) (drivers.ExitResult, string, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	r, err := n.driver.(drivers.Exec).ExecTask(within(t), tc.ID, drivers.ExecOptions{
		Command: []string{"/bin/sh", "-c", script}, Stdin: stdin, Stdout: &stdout, Stderr: &stderr,
	})
	if err != nil {
		t.Fatalf("ExecTask %q: %v", script, err)
	}
	return r, stdout.String(), stderr.String()
}

func testExec(t *testing.T, n *node) {
	tc := n.task(t, n.Shell("trap 'exit 0' INT TERM; echo here > \"$NOMAD_TASK_DIR/mark\"; echo ready; sleep 3600 & wait"))
	tc.Env["FROM_TASK"] = "its environment"
	n.start(t, tc)
	awaitOutput(t, tc, "ready")

	r, out, errs := n.exec(t, tc, nil, `echo out; echo err >&2; exit 3`)
	if r.ExitCode != 3 || out != "out\n" || errs != "err\n" {
		t.Errorf("%+v, standard output %q, standard error %q", r, out, errs)
	}
	if _, out, _ = n.exec(t, tc, nil, `cat "$NOMAD_TASK_DIR/mark"; echo "$FROM_TASK"`); out != "here\nits environment\n" {
		t.Errorf("what it sees of the task: %q", out)
	}
	if _, out, _ = n.exec(t, tc, nil, `cat; echo end`); out != "end\n" {
		t.Errorf("without input: %q", out)
	}
	in := strings.Repeat("0123456789abcdef\n", 20000)
	if _, out, _ = n.exec(t, tc, strings.NewReader(in), `cat`); out != in {
		t.Errorf("%d bytes through cat came out as %d", len(in), len(out))
	}
	// An input that never ends keeps nobody.
	never, w := io.Pipe()
	defer w.Close()
	if r, _, _ = n.exec(t, tc, never, `exit 4`); r.ExitCode != 4 {
		t.Errorf("%+v; want exit code 4", r)
	}
	var several sync.WaitGroup
	for range 4 {
		several.Go(func() {
			if r, out, _ := n.exec(t, tc, nil, `sleep 0.1; echo one`); r.ExitCode != 0 || out != "one\n" {
				t.Errorf("one of several at once: %+v, %q", r, out)
			}
		})
	}
	several.Wait()

	x := n.driver.(drivers.Exec)
	if r, err := x.ExecTask(within(t), tc.ID, drivers.ExecOptions{Command: []string{"no-such-command"}}); err == nil && r.Successful() {
		t.Error("a command that is not there succeeded")
	}
	if _, err := x.ExecTask(within(t), tc.ID, drivers.ExecOptions{}); err == nil {
		t.Error("no command at all succeeded")
	}
	if s, err := n.driver.InspectTask(within(t), tc.ID); err != nil || s.State != drivers.TaskRunning {
		t.Errorf("InspectTask after all that: %+v, %v", s, err)
	}
	if err := n.driver.StopTask(within(t), tc.ID, 5*time.Second, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := x.ExecTask(within(t), tc.ID, drivers.ExecOptions{Command: []string{"/bin/sh", "-c", "true"}}); err == nil || errors.Is(err, drivers.ErrTaskNotFound) {
		t.Errorf("ExecTask beside an ended task: %v", err)
	}
	n.destroy(t, n.driver, tc)
}

func testExecTerminal(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever})
	in, typist := io.Pipe()
	defer typist.Close()
	resize := make(chan drivers.TerminalSize, 1)
	resize <- drivers.TerminalSize{Height: 33, Width: 77}
	out := &screen{}
	ended := make(chan error, 1)
	go func() {
		r, err := n.driver.(drivers.Exec).ExecTask(within(t), tc.ID, drivers.ExecOptions{
			// Resizing comes at its own time.
			Command: []string{"/bin/sh", "-c", `test -t 0 && test -t 1 && echo terminal; while [ "$(stty size)" != "33 77" ]; do sleep 0.05; done; echo resized; read line; echo "got $line"; exit 6`},
			TTY:     true, Stdin: in, Stdout: out, Resize: resize,
		})
		if err == nil && r.ExitCode != 6 {
			t.Errorf("%+v; want exit code 6", r)
		}
		ended <- err
	}()
	eventually(t, "the terminal to be resized", func() bool { return strings.Contains(out.String(), "resized") })
	_, _ = io.WriteString(typist, "typed\n")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ExecTask: %v", err)
		}
	case <-within(t).Done():
		t.Fatal("ExecTask did not return")
	}
	if got := out.String(); !strings.Contains(got, "terminal\r\n") || !strings.Contains(got, "got typed\r\n") {
		t.Errorf("on the terminal %q", got)
	}
	if err := n.driver.DestroyTask(within(t), tc.ID, true); err != nil {
		t.Fatal(err)
	}
	n.mustBeGone(t, tc)
}

// A screen is a buffer that is read while it is written.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// testExecEnds ends a command by its context, and by the end of its task.
func testExecEnds(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{RunFor: Forever})
	run := func(ctx context.Context, out io.Writer) <-chan error {
		ended := make(chan error, 1)
		go func() {
			_, err := n.driver.(drivers.Exec).ExecTask(ctx, tc.ID, drivers.ExecOptions{
				Command: []string{"/bin/sh", "-c", "trap '' TERM INT HUP; echo up; sleep 3599; sleep 3599"}, Stdout: out,
			})
			ended <- err
		}()
		return ended
	}
	returned := func(ended <-chan error) {
		t.Helper()
		select {
		case _ = <-ended:
		case <-within(t).Done():
			t.Fatal("ExecTask did not return")
		}
	}
	commands := func() int { // by the time that they sleep
		return len(slices.DeleteFunc(processes(tc.ID), func(pid int) bool {
			return !contains(fmt.Sprintf("/proc/%d/cmdline", pid), "3599")
		}))
	}
	out := &screen{}
	ctx, cancel := context.WithCancel(within(t))
	ended := run(ctx, out)
	eventually(t, "the command to run", func() bool { return out.String() != "" })
	cancel()
	returned(ended)
	eventually(t, "the command's processes to be gone", func() bool { return commands() == 0 })

	out = &screen{}
	ended = run(within(t), out)
	eventually(t, "the command to run", func() bool { return out.String() != "" })
	if err := n.driver.DestroyTask(within(t), tc.ID, true); err != nil {
		t.Fatal(err)
	}
	returned(ended)
	n.mustBeGone(t, tc)
}
