//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A lock keeps other processes out of a directory. The kernel releases it when
// its holder dies.
type lock struct{ f *os.File }

func acquire(file, dir string) (*lock, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", file, err)
		}
		return nil, fmt.Errorf("the client directory %s is in use by %s: stop that agent first, or give this one another data_dir", dir, holder(file))
	}
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(f, "process %d, since %s", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	return &lock{f}, nil
}

func holder(file string) string {
	b, err := os.ReadFile(file)
	if s := strings.TrimSpace(string(b)); err == nil && s != "" {
		return s
	}
	return "another process"
}

func (l *lock) release() error { return l.f.Close() }
