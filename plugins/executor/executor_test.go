//go:build linux

package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// shell is a Spec that runs a script, with logs in a directory of its own.
func shell(t testing.TB, id, script string) *Spec {
	logs := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	return &Spec{
		ID: id, Command: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/bin:/usr/bin", "X=y"}, Dir: "/",
		Task: "web", Logs: drivers.LogConfig{Dir: logs, MaxFiles: 3, MaxSize: 1 << 20},
		Cgroup: CgroupSpec{Name: "test-" + strings.ReplaceAll(id, "/", ".")},
	}
}

func testCtx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func start(t testing.TB, root string, s *Spec) *Process {
	t.Helper()
	p, err := Start(testCtx(t), root, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Destroy(testCtx(t)) })
	return p
}

func wait(t testing.TB, p *Process) drivers.ExitResult {
	t.Helper()
	r, err := p.Wait(testCtx(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func output(t testing.TB, s *Spec, stream string, n int) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Logs.Dir, fmt.Sprintf("web.%s.%d", stream, n)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRunToEnd(t *testing.T) {
	root := t.TempDir()
	s := shell(t, "alloc/web/00000001", "echo out; echo err >&2; echo $X; pwd; env | grep -c _NOMADLIKE; exit 7")
	p := start(t, root, s)
	r := wait(t, p)
	if r.ExitCode != 7 || r.Signal != 0 || r.OOMKilled || r.Err != nil {
		t.Errorf("result %+v", r)
	}
	if got := output(t, s, "stdout", 0); got != "out\ny\n/\n0\n" {
		t.Errorf("stdout %q", got)
	}
	if got := output(t, s, "stderr", 0); got != "err\n" {
		t.Errorf("stderr %q", got)
	}
	if err := p.Destroy(testCtx(t)); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestSignalDeath(t *testing.T) {
	p := start(t, t.TempDir(), shell(t, "a/sig/1", "exec sleep 100"))
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := wait(t, p); r.ExitCode != 143 || r.Signal != 15 {
		t.Errorf("result %+v", r)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: %v", err)
	}
}

func TestStartErrors(t *testing.T) {
	root := t.TempDir()
	for name, change := range map[string]func(*Spec){
		"no such command":   func(s *Spec) { s.Command = "/nope" },
		"no such directory": func(s *Spec) { s.Dir = "/nope" },
		"no log directory":  func(s *Spec) { s.Logs.Dir = "/nope" },
		"no such namespace": func(s *Spec) { s.NetworkNamespace = "/nope" },
	} {
		s := shell(t, "a/err/"+name, "true")
		change(s)
		_, err := Start(testCtx(t), root, s)
		var e *StartError
		if !errors.As(err, &e) || !errors.Is(err, unix.ENOENT) {
			t.Errorf("%s: %v", name, err)
		}
		t.Log(err)
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestDuplicate(t *testing.T) {
	root := t.TempDir()
	s := shell(t, "a/dup/1", "sleep 100")
	start(t, root, s)
	if _, err := Start(testCtx(t), root, s); !errors.Is(err, ErrExists) {
		t.Errorf("second start: %v", err)
	}
}

func TestRecoverRunning(t *testing.T) {
	root := t.TempDir()
	s := shell(t, "a/rec/1", "echo one; sleep 0.2; echo two; exit 3")
	first := start(t, root, s)
	p, err := Recover(testCtx(t), root, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p.Pid() != first.Pid() {
		t.Errorf("pid %d, want %d", p.Pid(), first.Pid())
	}
	if r := wait(t, p); r.ExitCode != 3 {
		t.Errorf("result %+v", r)
	}
	if got := output(t, s, "stdout", 0); got != "one\ntwo\n" {
		t.Errorf("stdout %q", got)
	}
	again, err := Recover(testCtx(t), root, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r := wait(t, again); r.ExitCode != 3 {
		t.Errorf("result when recovered after the end %+v", r)
	}
	if err := again.Destroy(testCtx(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(testCtx(t), root, s.ID); !errors.Is(err, ErrNeverStarted) {
		t.Errorf("after destroy: %v", err)
	}
}

func TestForksAreKilled(t *testing.T) {
	for _, cgroups := range []bool{true, false} {
		t.Run(fmt.Sprint("cgroups=", cgroups), func(t *testing.T) {
			mark := fmt.Sprintf("%d.%06d", 1000, os.Getpid())
			s := shell(t, "a/fork/1", "(setsid sleep "+mark+" &) ; (sleep "+mark+" & ) ; sleep "+mark+" & echo up; exit 0")
			s.Cgroup.Disabled = !cgroups
			p := start(t, t.TempDir(), s)
			wait(t, p)
			ctx := testCtx(t)
			// Those that were forked last may not have come to their exec yet.
			for n := running(mark); n != 3; n = running(mark) {
				if ctx.Err() != nil {
					t.Fatalf("%d processes run on, want 3", n)
				}
				time.Sleep(time.Millisecond)
			}
			if err := p.Destroy(testCtx(t)); err != nil {
				t.Fatal(err)
			}
			if n := running(mark); n != 0 {
				t.Errorf("%d processes are left", n)
			}
			for _, d := range p.cgroup.Own {
				if exists(d) {
					t.Errorf("%s is left", d)
				}
			}
		})
	}
}

// running counts processes with a mark in their command line.
func running(mark string) int {
	n := 0
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range all {
		b, _ := os.ReadFile(f)
		if strings.HasPrefix(string(b), "sleep\x00"+mark) {
			n++
		}
	}
	return n
}

func TestShimKilled(t *testing.T) {
	root := t.TempDir()
	s := shell(t, "a/lost/1", "sleep 100")
	p := start(t, root, s)
	unix.Kill(p.shimPid, unix.SIGKILL)
	if r := wait(t, p); r.Err == nil || r.ExitCode != 137 {
		t.Errorf("result %+v", r)
	}
	again, err := Recover(testCtx(t), root, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r := wait(t, again); r.Err == nil {
		t.Errorf("recovered result %+v", r)
	}
}

// TestExecLeavesNoOrphans looks for commands that nobody but the machine's init
// would reap: it may be slow or never do it, and the task could not end as long.
func TestExecLeavesNoOrphans(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("PID namespaces are root's")
	}
	s := shell(t, "a/orphan/1", "sleep 100 & wait")
	s.PIDNamespace = true
	p := start(t, t.TempDir(), s)
	// Orphans come to us, and stay.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }()
	look := func(after string) {
		t.Helper()
		for _, pid := range children(os.Getpid()) {
			if pid != p.shimPid {
				t.Errorf("after %s, process %d is left to init", after, pid)
				_, _ = unix.Wait4(pid, nil, 0, nil)
			}
		}
	}
	if _, err := p.Exec(testCtx(t), drivers.ExecOptions{Command: []string{"/nope"}}); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a command that is not there: %v", err)
	}
	look("a failed exec")

	ctx, cancel := context.WithCancel(testCtx(t))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := p.Exec(ctx, drivers.ExecOptions{Command: []string{"/bin/sh", "-c", "sleep 100 & echo up; sleep 100"}, Stdout: w})
		ended <- err
	}()
	if _, err := r.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a command whose context ends: %v", err)
	}
	look("a cancelled command")
}

func TestSealed(t *testing.T) {
	root := t.TempDir()
	s := shell(t, "a/seal/1", "touch "+filepath.Join(root, "started"))
	// The agent died after it wrote the spec; its shim is late.
	dir := attemptDir(root, s.ID)
	os.MkdirAll(dir, 0o700)
	p, err := newAttempt(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(testCtx(t), root, s.ID); !errors.Is(err, ErrNeverStarted) {
		t.Fatalf("recover: %v", err)
	}
	// The late one finds no directory, or, had the removal failed, the seal.
	os.MkdirAll(dir, 0o700)
	unix.Mkfifo(filepath.Join(dir, shim.FileAlive), 0o600)
	p.writeSpec()
	os.WriteFile(filepath.Join(dir, shim.FileSealed), nil, 0o600)
	if err := p.launch(testCtx(t)); err == nil {
		t.Fatal("a sealed attempt was started")
	}
	if exists(filepath.Join(root, "started")) {
		t.Error("the task ran")
	}
}
