package logs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

const (
	// pace is the least time between two looks at the files, so that a task that
	// writes many small lines costs few frames.
	pace = 50 * time.Millisecond
	// blind is the time between looks when the kernel does not tell of changes,
	// because there are too many who want to be told.
	blind = 250 * time.Millisecond
)

// follow reads what is there, and goes on as it is written.
func (r *reader) follow(ctx context.Context, q Query, w *watcher) error {
	pieces, err := r.pieces()
	if err != nil {
		return err
	}
	var at int64
	r.from, at = locate(pieces, q.Offset, q.FromEnd)
	if len(pieces) > 0 {
		switch err := r.open(r.from); {
		case err == nil:
			r.offset = at
		case !errors.Is(err, fs.ErrNotExist): // else it was rotated away just now
			return err
		}
	}
	for {
		looked := time.Now()
		if err := r.catchUp(ctx); errors.Is(err, fs.ErrNotExist) {
			return nil // the directory is gone
		} else if err != nil {
			return err
		}
		if !w.wait(ctx) || !sleep(ctx, pace-time.Since(looked)) {
			return ctx.Err()
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// catchUp reads to the end of the newest file.
func (r *reader) catchUp(ctx context.Context) error {
	for {
		// The list comes first: once there is a next file, nothing is added to
		// this one.
		pieces, err := r.pieces()
		if err != nil {
			return err
		}
		if r.file != nil {
			if err := r.truncated(); err != nil {
				return err
			}
			if err := r.drain(ctx, -1); err != nil {
				return err
			}
		}
		next := slices.IndexFunc(pieces, func(p piece) bool { return p.index >= r.from })
		if next < 0 {
			if !slices.ContainsFunc(pieces, func(p piece) bool { return p.index == r.index }) {
				r.close() // deleted; an open file would keep its directory alive
			}
			return ctx.Err()
		}
		if err := r.open(pieces[next].index); errors.Is(err, fs.ErrNotExist) {
			r.from = pieces[next].index + 1 // rotated away meanwhile
		} else if err != nil {
			return err
		}
	}
}

// truncated begins anew with a file that became shorter.
func (r *reader) truncated() error {
	info, err := r.file.Stat()
	if err != nil || info.Size() >= r.offset {
		return err
	}
	r.offset = 0
	return r.send(&n.StreamFrame{File: r.path(r.index), FileEvent: "file truncated"})
}

// A watcher tells of changes of files in a directory.
type watcher struct {
	notify  *fsnotify.Watcher // nil when the kernel does not tell
	dir     string
	changed chan struct{} // holds a token after a change
	gone    chan struct{} // closed when the directory is
}

// watch watches the files in dir whose names begin with prefix.
func watch(dir, prefix string) (*watcher, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, errs.New(errs.NotFound, "the allocation's directory of logs has been removed")
	} else if err != nil {
		return nil, err
	}
	w := &watcher{dir: dir, changed: make(chan struct{}, 1), gone: make(chan struct{})}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return w, nil //nolint:nilerr // too many want to be told
	}
	if err := notify.Add(dir); err != nil {
		return w, notify.Close()
	}
	w.notify = notify
	go w.listen(prefix)
	return w, nil
}

func (w *watcher) close() {
	if w.notify != nil {
		_ = w.notify.Close() // ends listen
	}
}

// listen takes the kernel's events as they come, so that a reader who is slow
// finds one token and no queue.
func (w *watcher) listen(prefix string) {
	for {
		select {
		case e, ok := <-w.notify.Events:
			switch {
			case !ok:
				return
			case e.Name == w.dir && e.Has(fsnotify.Remove|fsnotify.Rename):
				close(w.gone)
				return
			case strings.HasPrefix(filepath.Base(e.Name), prefix):
				w.wake()
			}
		case _, ok := <-w.notify.Errors: // some were lost
			if !ok {
				return
			}
			w.wake()
		}
	}
}

func (w *watcher) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// wait returns true when something may have changed, and false when ctx has
// ended or the directory is gone.
func (w *watcher) wait(ctx context.Context) bool {
	if w.notify == nil {
		if !sleep(ctx, blind) {
			return false
		}
		_, err := os.Stat(w.dir)
		return err == nil
	}
	select {
	case <-w.changed:
		return true
	case <-w.gone:
		return false
	case <-ctx.Done():
		return false
	}
}
