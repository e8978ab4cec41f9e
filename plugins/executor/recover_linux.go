package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// Recover takes up a task that an earlier process of the agent has started, or
// was about to. It waits until a start under way is decided. ErrNeverStarted
// says that there is no such task and never will be; nothing of it is left then.
func Recover(ctx context.Context, root, id string) (*Process, error) {
	return recoverDir(ctx, attemptDir(root, id))
}

func recoverDir(ctx context.Context, dir string) (*Process, error) {
	p, lock, err := reopen(dir)
	if errors.Is(err, fs.ErrNotExist) {
		// No spec, no shim. A shim that comes late finds no spec either.
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("remove state directory: %w", err)
		}
		return nil, ErrNeverStarted
	}
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return p.settle(ctx)
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, fmt.Errorf("lock attempt: %w", err)
		}
		adopted, err := p.adopt(ctx, lock)
		if err != nil {
			return nil, err
		}
		if adopted {
			return p, nil
		}
	}
}

// reopen reads what was written down before the start.
func reopen(dir string) (*Process, *os.File, error) {
	f, err := os.Open(filepath.Join(dir, shim.FileSpec))
	if err != nil {
		return nil, nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, shim.FileSpec))
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	program, ok := shim.Decode(b)
	if !ok {
		f.Close()
		return nil, nil, fmt.Errorf("read spec in %s: not valid", dir)
	}
	var m meta
	if err := json.Unmarshal(program.Meta, &m); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("read spec in %s: %w", dir, err)
	}
	p := &Process{
		dir: dir, spec: m.Spec, cgroup: m.Cgroup, steps: labels(program),
		done: make(chan struct{}), gone: make(chan struct{}),
	}
	p.life, p.end = context.WithCancel(context.Background())
	return p, f, nil
}

// adopt takes up a task whose shim lives. It returns false when the shim left
// meanwhile and the lock is to be tried again.
func (p *Process) adopt(ctx context.Context, lock *os.File) (bool, error) {
	alive, err := p.openAlive()
	if err != nil {
		return false, err
	}
	p.alive = alive
	if !p.decided() {
		if err := p.awaitDecision(ctx); err != nil {
			alive.Close()
			return false, err
		}
		if !p.decided() {
			// It has died before it decided, and gives the lock back as it goes.
			alive.Close()
			return false, lockBlocking(lock)
		}
	}
	if err := p.loadStarted(); err != nil {
		// The start has failed; the shim leaves as soon as it has said so.
		alive.Close()
		p.alive = nil
		return false, lockBlocking(lock)
	}
	if err := p.openShim(lock); err != nil {
		alive.Close()
		return false, err
	}
	if p.shim == nil {
		alive.Close()
		return false, nil
	}
	if exists(filepath.Join(p.dir, shim.FileResult)) {
		p.watch() // at its end already: the shim stays for what the task has left
	} else {
		go p.watch()
	}
	return true, nil
}

func (p *Process) decided() bool {
	return exists(filepath.Join(p.dir, shim.FileStarted)) || exists(filepath.Join(p.dir, shim.FileResult))
}

// openShim opens the shim's process, leaving p.shim nil when it is gone. That
// the lock is still held afterwards proves that the number was not reused.
func (p *Process) openShim(lock *os.File) error {
	f, err := openPid(p.task.ShimPid, 0)
	if errors.Is(err, os.ErrProcessDone) {
		return lockBlocking(lock)
	}
	if err != nil {
		return err
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		f.close()
		return unix.Flock(int(lock.Fd()), unix.LOCK_UN)
	}
	p.shim, p.shimPid = f, p.task.ShimPid
	go func() {
		_ = f.wait(context.Background())
		// When it is a child of this very process, nobody else reaps it.
		_, _ = unix.Wait4(p.shimPid, nil, unix.WNOHANG, nil)
		close(p.gone)
	}()
	return nil
}

// lockBlocking waits for a shim that is about to exit to let go of the lock,
// and leaves it free.
func lockBlocking(lock *os.File) error {
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lock attempt: %w", err)
		}
		return unix.Flock(int(lock.Fd()), unix.LOCK_UN)
	}
}

// settle decides about an attempt that has no shim. The lock is held, so none
// can come to be.
func (p *Process) settle(ctx context.Context) (*Process, error) {
	close(p.gone)
	if r, err := p.readRecord(shim.FileResult); err == nil && !r.Failed {
		p.task, p.result = r, r
		if b, err := os.ReadFile(filepath.Join(p.dir, shim.FileResult)); err == nil && bytes.HasSuffix(b, []byte(lostMark)) {
			p.lost = errLost
		}
		close(p.done)
		return p, nil
	}
	for _, name := range []string{shim.FileStarted, shim.FileResult, shim.FileStarting} {
		r, err := p.readRecord(name)
		if err != nil || r.Pid == 0 || r.Failed {
			// Without a pid in it the child has not been let go on.
			continue
		}
		p.task = r
		p.loseShim()
		close(p.done)
		return p, nil
	}
	// Seal it before anything else: the removal may fail half way.
	f, err := os.OpenFile(filepath.Join(p.dir, shim.FileSealed), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("seal attempt: %w", err)
	}
	f.Close()
	if err := p.Destroy(ctx); err != nil {
		return nil, err
	}
	return nil, ErrNeverStarted
}

// List returns the ids of all attempts below root that can be read, and the
// names of directories that can not.
func List(root string) (ids []string, unreadable []string, err error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list attempts: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		p, lock, err := reopen(filepath.Join(root, e.Name()))
		if err != nil {
			unreadable = append(unreadable, e.Name())
			continue
		}
		lock.Close()
		p.end()
		ids = append(ids, p.ID())
	}
	return ids, unreadable, nil
}

// Sweep removes every attempt below root that keep does not claim, with its
// processes, and returns the ids of those that it removed.
func Sweep(ctx context.Context, root string, keep func(id string) bool) ([]string, error) {
	ids, unreadable, err := List(root)
	if err != nil {
		return nil, err
	}
	var removed []string
	var errs []error
	for _, id := range ids {
		if keep(id) {
			continue
		}
		p, err := Recover(ctx, root, id)
		if err == nil {
			err = p.Destroy(ctx)
		}
		if err != nil && !errors.Is(err, ErrNeverStarted) {
			errs = append(errs, fmt.Errorf("sweep %s: %w", id, err))
			continue
		}
		removed = append(removed, id)
	}
	for _, name := range unreadable {
		_, err := recoverDir(ctx, filepath.Join(root, name))
		if err != nil && !errors.Is(err, ErrNeverStarted) {
			errs = append(errs, fmt.Errorf("sweep %s: %w", name, err))
		}
	}
	return removed, errors.Join(errs...)
}
