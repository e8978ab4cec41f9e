package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// A pidFile waits for and signals one process, whatever becomes of its number.
type pidFile struct {
	f *os.File
}

// openPid opens the process pid that started at the given time; start 0 accepts
// any. A process that is gone is os.ErrProcessDone.
func openPid(pid int, start uint64) (*pidFile, error) {
	if pid <= 0 {
		return nil, os.ErrProcessDone
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.PidfdOpen(pid, 0)
	}
	if errors.Is(err, unix.ESRCH) {
		return nil, os.ErrProcessDone
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	// The descriptor first, then the time: so both are of the same process.
	if start != 0 && startTime(pid) != start {
		unix.Close(fd)
		return nil, os.ErrProcessDone
	}
	_ = unix.SetNonblock(fd, true)
	return &pidFile{os.NewFile(uintptr(fd), "pidfd")}, nil
}

func (p *pidFile) close() { p.f.Close() }

func (p *pidFile) signal(sig unix.Signal) error {
	raw, err := p.f.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return err
	}
	if errors.Is(sent, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return sent
}

// wait returns when the process has ended. It takes no thread: the runtime's
// poller watches the descriptor.
func (p *pidFile) wait(ctx context.Context) error {
	return await(ctx, p.f, func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, _ := unix.Poll(fds, 0)
		return n > 0
	})
}

// reap waits for a child of ours and returns its status.
func (p *pidFile) reap() {
	_ = await(context.Background(), p.f, func(fd uintptr) bool {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOHANG, nil)
		return err != nil && !errors.Is(err, unix.EINTR) || info.Signo != 0
	})
}

// await calls done now and whenever f becomes readable, until it returns true.
// It must be the only reader of f that ends by its context.
func await(ctx context.Context, f *os.File, done func(fd uintptr) bool) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(past) })
		defer stop()
	}
	err = raw.Read(done)
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	return err
}

// pidFiles are several processes to be waited for.
type pidFiles []*pidFile

func openPids(pids []int) pidFiles {
	var out pidFiles
	for _, pid := range pids {
		if p, err := openPid(pid, 0); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func (ps pidFiles) wait(ctx context.Context) error {
	for _, p := range ps {
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (ps pidFiles) close() {
	for _, p := range ps {
		p.close()
	}
}

// killCommand kills all that descends from a shim that runs a command beside a
// task. The processes are stopped first: what is stopped makes no children, and so
// none is missed. The shim is left to reap the command and to end by itself: an
// orphan would wait for the machine's init, and the end of a PID namespace waits
// for all that were in it. One that has no child yet is killed.
func killCommand(pid int) error {
	root, err := openPid(pid, 0)
	if err != nil {
		return err
	}
	defer root.close()
	tree := map[int]*pidFile{}
	for found := true; found; {
		found = false
		for _, d := range descendants(pid) {
			if tree[d] != nil {
				continue
			}
			if f, err := openPid(d, 0); err == nil {
				defer f.close()
				tree[d], found = f, true
				_ = f.signal(unix.SIGSTOP)
			}
		}
	}
	if len(tree) == 0 {
		return root.signal(unix.SIGKILL)
	}
	for _, f := range tree {
		_ = f.signal(unix.SIGKILL)
	}
	return nil
}

func startTime(pid int) uint64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	return shim.StartTime(string(b))
}

// descendants lists the processes below pid, at any depth.
func descendants(pid int) []int {
	var out []int
	todo := []int{pid}
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		for _, c := range children(p) {
			out = append(out, c)
			todo = append(todo, c)
		}
	}
	return out
}

func children(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []int
	for _, t := range threads {
		b, err := os.ReadFile(dir + "/" + t.Name() + "/children")
		if err != nil {
			continue
		}
		for _, w := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(w); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
