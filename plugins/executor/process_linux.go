package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// finalWait is how long a killed process is waited for.
const finalWait = 15 * time.Second

// errLost is the doubt about a task whose shim was killed.
var errLost = errors.New("the process that supervises the task has died; the task was killed with it")

// A Process is a task's process with all of its descendants. All methods may be
// called at the same time.
type Process struct {
	dir    string
	spec   *Spec
	cgroup *Cgroup
	steps  []string // what the calls of the child's program are for

	alive   *os.File // reads to its end when the result is there
	shim    *pidFile // nil once it is gone
	shimPid int
	gone    chan struct{} // closed when the shim is gone

	task   shim.Record // how it was started; does not change any more then
	result shim.Record // written before done is closed
	lost   error       // likewise
	done   chan struct{}

	life context.Context // of commands beside the task
	end  context.CancelFunc
}

// ID is that of the Spec.
func (p *Process) ID() string { return p.spec.ID }

// Spec is what the process was started with. It must not be changed.
func (p *Process) Spec() *Spec { return p.spec }

// Pid is that of the task's first process.
func (p *Process) Pid() int { return p.task.Pid }

// Done is closed when the task's first process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait blocks until the task's first process has ended or ctx has.
func (p *Process) Wait(ctx context.Context) (drivers.ExitResult, error) {
	select {
	case <-p.done:
		return p.State().Exit, nil
	default:
	}
	select {
	case <-p.done:
		return p.State().Exit, nil
	case <-ctx.Done():
		return drivers.ExitResult{}, ctx.Err()
	}
}

// State is what is known now.
func (p *Process) State() State {
	select {
	case <-p.done:
	default:
		return State{Pid: p.task.Pid, StartedAt: time.Unix(0, p.task.Started)}
	}
	r := &p.result
	s := State{
		Pid: r.Pid, StartedAt: time.Unix(0, r.Started), EndedAt: time.Unix(0, r.Ended), Dropped: r.Dropped,
		Exit: exitResult(r),
	}
	s.Exit.Err = p.lost
	return s
}

func exitResult(r *shim.Record) drivers.ExitResult {
	w := syscall.WaitStatus(r.Status)
	e := drivers.ExitResult{ExitCode: w.ExitStatus()}
	if w.Signaled() {
		e.Signal = int(w.Signal())
		e.ExitCode = 128 + e.Signal
	}
	e.OOMKilled = r.OOM && e.ExitCode != 0
	return e
}

func (p *Process) readRecord(name string) (shim.Record, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		return shim.Record{}, err
	}
	r, ok := shim.DecodeRecord(b)
	if !ok {
		return r, fmt.Errorf("%s is not complete", name)
	}
	return r, nil
}

// loadStarted reads what is known of a task that was started, whether it has
// ended since or not.
func (p *Process) loadStarted() error {
	r, err := p.readRecord(shim.FileStarted)
	if err != nil {
		r, err = p.readRecord(shim.FileResult)
	}
	if err != nil {
		return err
	}
	if r.Failed {
		return p.startError(&r)
	}
	p.task = r
	return nil
}

// watch waits for the end of the fifo, at which the result is there, or never
// will be.
func (p *Process) watch() {
	_ = await(context.Background(), p.alive, func(fd uintptr) bool {
		var b [16]byte
		n, err := unix.Read(int(fd), b[:])
		return n == 0 && err == nil || err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	p.alive.Close()
	if r, err := p.readRecord(shim.FileResult); err == nil {
		p.result = r
	} else {
		p.loseShim()
	}
	close(p.done)
}

// loseShim makes the result of a task whose shim was killed. The task dies with
// its parent; what it has started is killed here.
func (p *Process) loseShim() {
	ctx, cancel := context.WithTimeout(context.Background(), finalWait)
	defer cancel()
	p.lost = errors.Join(errLost, p.killLeftovers(ctx))
	p.result = p.task
	p.result.Exited, p.result.Status, p.result.Ended = true, uint32(unix.SIGKILL), time.Now().UnixNano()
	// Best effort: a later agent comes to the same result by itself.
	path := filepath.Join(p.dir, shim.FileResult)
	if os.WriteFile(path+".new", append(p.result.Encode(), lostMark...), 0o600) == nil {
		_ = os.Rename(path+".new", path)
	}
}

const lostMark = "lost\n"

// Signal sends a signal to the task's first process.
func (p *Process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
	}
	t, err := openPid(p.task.Pid, p.task.StartTime)
	if err != nil {
		return err
	}
	defer t.close()
	return t.signal(sig)
}

// Stop sends sig, waits for at most timeout, and kills what is left of the task.
// It returns when the first process has ended.
func (p *Process) Stop(ctx context.Context, sig syscall.Signal, timeout time.Duration) error {
	if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v: %w", sig, err)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.Kill(ctx)
}

// Kill kills the task with all of its processes and returns when they are gone.
func (p *Process) Kill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, finalWait)
	defer cancel()
	if t, err := openPid(p.task.Pid, p.task.StartTime); err == nil {
		// As long as it lives, the group's number is its own.
		_ = unix.Kill(-p.task.Pid, unix.SIGKILL)
		_ = t.signal(unix.SIGKILL)
		t.close()
	}
	if err := p.killLeftovers(ctx); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("kill process %d: %w", p.task.Pid, ctx.Err())
	}
}

// killLeftovers kills all that is in the task's cgroup and all that descends
// from its shim, which adopts what its parents have left.
func (p *Process) killLeftovers(ctx context.Context) error {
	if t, err := openPid(p.task.Pid, p.task.StartTime); err == nil && p.task.StartTime != 0 {
		_ = t.signal(unix.SIGKILL)
		t.close()
	}
	if err := p.cgroup.killAll(ctx); err != nil {
		return err
	}
	for p.shimLives() {
		all := slices.DeleteFunc(descendants(p.shimPid), isZombie)
		if len(all) == 0 || !p.shimLives() {
			return nil
		}
		waits := openPids(all)
		for _, w := range waits {
			_ = w.signal(unix.SIGKILL)
		}
		err := waits.wait(ctx)
		waits.close()
		if err != nil {
			return fmt.Errorf("kill the processes of the task: %w", err)
		}
	}
	return nil
}

func (p *Process) shimLives() bool {
	if p.shim == nil {
		return false
	}
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

func isZombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	for i := len(b) - 1; i > 0; i-- {
		if b[i] == ')' {
			return i+2 < len(b) && (b[i+2] == 'Z' || b[i+2] == 'X')
		}
	}
	return false
}

// Destroy kills what is left of the task and removes its cgroups and its state.
// After an error it can be called again.
func (p *Process) Destroy(ctx context.Context) error {
	p.end()
	started := p.task.Pid != 0 && !p.task.Failed
	if started {
		if err := p.Kill(ctx); err != nil {
			return err
		}
	} else {
		p.killShim()
		if err := p.killLeftovers(ctx); err != nil {
			return err
		}
	}
	if err := p.awaitShim(ctx); err != nil {
		return err
	}
	if err := p.removeCgroups(ctx); err != nil {
		return fmt.Errorf("remove cgroups: %w", err)
	}
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove state directory: %w", err)
	}
	if !started && p.alive != nil {
		p.alive.Close()
	}
	return nil
}

func (p *Process) killShim() {
	if p.shimLives() {
		_ = p.shim.signal(unix.SIGKILL)
	}
}

// awaitShim waits for the shim to leave, which it does by itself as soon as it
// has no child any more.
func (p *Process) awaitShim(ctx context.Context) error {
	if p.shim == nil {
		return nil
	}
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the supervising process: %w", ctx.Err())
	}
}

// removeCgroups tries again for a while: a process that has ended is counted
// until the kernel has switched away from it for the last time, and of that
// nobody is told.
func (p *Process) removeCgroups(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, finalWait)
	defer cancel()
	for wait := time.Millisecond; ; wait *= 2 {
		err := p.cgroup.remove()
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		if err := p.cgroup.killAll(ctx); err != nil {
			return err
		}
		timer := time.NewTimer(min(wait, 100*time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
