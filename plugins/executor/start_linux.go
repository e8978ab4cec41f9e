package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// past is a deadline that is over.
var past = time.Unix(1, 0)

// self is the program that a shim runs: ours, also after the file was replaced. Only
// a benchmark sets it, to measure what a shim is in production.
var self = "/proc/self/exe"

// meta is what the agent writes down of an attempt for itself.
type meta struct {
	Spec   *Spec
	Cgroup *Cgroup
}

// attemptDir is the state directory of a task's attempt.
func attemptDir(root, id string) string {
	name := url.PathEscape(id)
	if name == "." || name == ".." {
		name = "%" + name
	}
	if len(name) > 200 {
		sum := sha256.Sum256([]byte(id))
		name = name[:128] + "+" + hex.EncodeToString(sum[:])
	}
	return filepath.Join(root, name)
}

// Start starts a process and returns when its exec has succeeded. root is the
// directory in which all attempts have their state. After an error nothing is
// left; when ctx ends before the start is decided, the process is killed.
func Start(ctx context.Context, root string, s *Spec) (*Process, error) {
	if s.ID == "" || s.Command == "" {
		return nil, errors.New("start process: no id or no command")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	dir := attemptDir(root, s.ID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, ErrExists
		}
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	p, err := newAttempt(dir, s)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := p.launch(ctx); err != nil {
		p.end()
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalWait)
		defer cancel()
		return nil, errors.Join(err, p.Destroy(cleanup))
	}
	return p, nil
}

// newAttempt writes the spec and makes the cgroups that it names, in this
// order: so nothing exists that a later agent would not know of.
func newAttempt(dir string, s *Spec) (*Process, error) {
	cg := s.Cgroup.plan(usableCgroups(&s.Cgroup))
	if cg.Version == 0 && s.Cgroup.Required {
		return nil, errors.New("start process: no cgroups can be used here")
	}
	if err := unix.Mkfifo(filepath.Join(dir, shim.FileAlive), 0o600); err != nil {
		return nil, fmt.Errorf("make fifo: %w", err)
	}
	p := &Process{dir: dir, spec: s, cgroup: cg, done: make(chan struct{}), gone: make(chan struct{})}
	p.life, p.end = context.WithCancel(context.Background())
	if err := p.writeSpec(); err != nil {
		return nil, err
	}
	err := cg.create(&s.Cgroup)
	if err == nil {
		return p, nil
	}
	_ = cg.remove()
	if s.Cgroup.Required || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return nil, fmt.Errorf("make cgroups: %w", err)
	}
	p.cgroup = &Cgroup{}
	return p, p.writeSpec()
}

// usableCgroups is the version of cgroups in which this agent may make some.
func usableCgroups(s *CgroupSpec) int {
	v := cgroupVersion()
	if s.mountOverride != "" {
		v = 2
	}
	if os.Geteuid() == 0 {
		return v
	}
	if v == 2 {
		dir := s.Cpuset
		if dir == "" {
			dir = filepath.Join(s.root(), s.parent(2))
		}
		if unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK) == nil {
			return 2
		}
	}
	return 0
}

func (p *Process) writeSpec() error {
	program := compile(p.spec, p.cgroup)
	if p.cgroup.Version == 2 {
		program.Cgroup = p.cgroup.Into
		program.OOMBase = p.cgroup.oomKills()
	}
	var err error
	if program.Meta, err = json.Marshal(meta{Spec: p.spec, Cgroup: p.cgroup}); err != nil {
		return fmt.Errorf("encode spec: %w", err)
	}
	p.steps = labels(program)
	path := filepath.Join(p.dir, shim.FileSpec)
	if err := os.WriteFile(path+".new", program.Encode(), 0o600); err != nil {
		return fmt.Errorf("write spec: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write spec: %w", err)
	}
	return nil
}

func labels(p *shim.Program) []string {
	out := make([]string, len(p.Child))
	for i := range p.Child {
		out[i] = p.Child[i].Label
	}
	return out
}

// launch starts the shim and waits until it has decided.
func (p *Process) launch(ctx context.Context) error {
	alive, err := p.openAlive()
	if err != nil {
		return err
	}
	p.alive = alive
	// While we hold a writing end ourselves, the fifo has no end; the shim
	// inherits it and so never comes too late.
	w, err := os.OpenFile(filepath.Join(p.dir, shim.FileAlive), os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open fifo: %w", err)
	}
	err = p.fork(w)
	w.Close()
	if err != nil {
		return err
	}
	if err = p.awaitDecision(ctx); err != nil {
		// The decision is near in any case, and a task that is known to run is
		// easier to remove than one that may be about to.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalWait)
		defer cancel()
		_ = alive.SetReadDeadline(time.Time{})
		_ = p.awaitDecision(ctx)
	}
	started := p.loadStarted()
	if started == nil {
		go p.watch()
	}
	var failed *StartError
	switch {
	case errors.As(started, &failed):
		return started
	case started != nil:
		p.killShim()
		return errors.Join(errors.New("start process: the process that supervises it has died"), err)
	}
	return err
}

func (p *Process) openAlive() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(p.dir, shim.FileAlive), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open fifo: %w", err)
	}
	return f, nil
}

// fork starts the shim. It gets an environment of its own, small and with
// settings that keep the runtime small, too.
func (p *Process) fork(alive *os.File) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	fd := -1
	attr := &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{shim.EnvDir + "=" + p.dir, "GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none"},
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), alive.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, PidFD: &fd},
	}
	pid, _, err := syscall.StartProcess(self, []string{"nomadlike-shim", p.spec.ID}, attr)
	if err != nil {
		return fmt.Errorf("start the supervising process: %w", err)
	}
	if fd < 0 {
		if fd, err = unix.PidfdOpen(pid, 0); err != nil {
			_ = unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, 0, nil)
			return fmt.Errorf("watch the supervising process: %w", err)
		}
	}
	_ = unix.SetNonblock(fd, true)
	p.shimPid = pid
	p.shim = &pidFile{os.NewFile(uintptr(fd), "shim")}
	go func() {
		p.shim.reap()
		close(p.gone)
	}()
	return nil
}

// awaitDecision returns when the shim has said that the task runs, or has closed
// its end of the fifo.
func (p *Process) awaitDecision(ctx context.Context) error {
	return await(ctx, p.alive, func(fd uintptr) bool {
		var b [1]byte
		_, err := unix.Read(int(fd), b[:])
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
}

func (p *Process) startError(r *shim.Record) error {
	errno := unix.Errno(r.Errno)
	step := ""
	switch {
	case r.Stage == "before":
		step = "join the task's namespaces"
	case r.Stage != "":
		step = stages[r.Stage]
		if step == "" {
			step = r.Stage
		}
	case r.FailedOp >= 0 && r.FailedOp < len(p.steps):
		step = p.steps[r.FailedOp]
	default:
		step = "prepare the process"
	}
	return &StartError{Step: step, Err: errno}
}

var stages = map[string]string{
	"open-null":   "open /dev/null",
	"open-log":    "open the log files",
	"pipe":        "make a pipe",
	"open-cgroup": "open the cgroup",
	"clone":       "make the process",
}
