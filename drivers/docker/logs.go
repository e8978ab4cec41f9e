package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/hashicorp/go-hclog"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/logrotate"
)

// A follower copies a container's output from the engine's logs into the task's
// log files, each byte once.
//
// The engine keeps the output whether the agent lives or not; so nothing is lost
// while the engine's own limit holds. Entries bear times, and a cursor beside
// the files says which were copied. It is saved after they are written: should
// the agent die in between, the files hold more than the cursor says, and the
// engine repeats the same bytes, which are then compared and passed over.
type follower struct {
	engine    func() *client.Client
	log       hclog.Logger
	event     func(message string)
	container string
	tty       bool
	stateDir  string
	logs      drivers.LogConfig
	task      string // its name

	over     chan struct{}
	overOnce sync.Once

	cursors *cursorFile
	files   [streams]*logrotate.Writer
	read    [streams]replay
	since   int64
	unsaved int // bytes
}

// saveEvery is how much is written at most before the cursor is saved.
const saveEvery = 256 << 10

// aheadMost is more than can be written between two cursors.
const aheadMost = saveEvery + maxFrame

// followGrace is how long the engine's stream may go on after the container's end.
const followGrace = time.Second

// ended says that the container has ended.
func (f *follower) ended() { f.overOnce.Do(func() { close(f.over) }) }

// run copies until all output of the ended container is there, or ctx ends.
func (f *follower) run(ctx context.Context) {
	pause := backoff{least: 50 * time.Millisecond, most: 5 * time.Second}
	for {
		err := f.open()
		if err == nil {
			break
		}
		f.log.Error("can not keep a task's output", "container", f.container, "error", err)
		if !pause.wait(ctx) {
			return
		}
	}
	defer f.close()
	pause.reset()
	for {
		final := f.isOver()
		began := time.Now()
		err := f.pass(ctx, !final)
		switch {
		case ctx.Err() != nil, cerrdefs.IsNotFound(err):
			return
		case final && errors.Is(err, io.EOF):
			return
		case err != nil && strings.Contains(err.Error(), "does not support reading"):
			f.event("Output is not kept: the container's logging type can not be read; choose another in \"logging\"")
			return
		case !errors.Is(err, io.EOF):
			f.log.Debug("reading a container's output again", "container", f.container, "error", err)
		}
		if time.Since(began) > pause.most {
			pause.reset()
		}
		if !f.pause(ctx, &pause) {
			return
		}
	}
}

func (f *follower) isOver() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

// pause waits, but no longer than to the container's end.
func (f *follower) pause(ctx context.Context, b *backoff) bool {
	if f.isOver() {
		return b.wait(ctx)
	}
	sooner, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-f.over:
			cancel()
		case <-stop:
		}
	}()
	b.wait(sooner)
	return ctx.Err() == nil
}

// open finds how far an earlier agent has come.
func (f *follower) open() error {
	cursors, at, found, err := openCursors(f.stateDir, f.container)
	if err != nil {
		return err
	}
	f.cursors = cursors
	for s := range streams {
		w, err := logrotate.Open(logrotate.Config{
			Dir: f.logs.Dir, Name: f.task + "." + s.String(), MaxFiles: f.logs.MaxFiles, MaxSize: f.logs.MaxSize,
		})
		if err != nil {
			f.close()
			return err
		}
		f.files[s] = w
		f.read[s] = replay{cursor: at[s]}
		if !found {
			continue
		}
		if f.read[s].ahead, err = w.Since(at[s].File, aheadMost); err != nil {
			f.close()
			return err
		}
	}
	if found {
		return nil
	}
	if err := f.save(); err != nil {
		f.close()
		return err
	}
	return nil
}

func (f *follower) close() {
	for s, w := range f.files {
		if w != nil {
			_ = w.Close()
			f.files[s] = nil
		}
	}
	_ = f.cursors.close()
}

// pass reads the engine's logs from the cursors on: to what is there, or on and
// on. The error io.EOF says that nothing is missing of what was asked for.
func (f *follower) pass(run context.Context, follow bool) error {
	ctx, cancel := context.WithCancel(run)
	defer cancel()
	if follow {
		go func() {
			select {
			case <-f.over:
				select {
				case <-time.After(followGrace):
				case <-ctx.Done():
				}
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	var at [streams]cursor
	for s := range streams {
		at[s] = f.read[s].cursor
		f.read[s].again()
	}
	f.since = since(at)
	body, err := f.engine().ContainerLogs(ctx, f.container, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow, Since: sinceText(f.since),
	})
	if err != nil {
		return err
	}
	defer body.Close()
	err = f.copy(run, f.entries(body))
	if f.unsaved > 0 && run.Err() == nil {
		err = errors.Join(err, f.save())
	}
	return err
}

func (f *follower) entries(r io.Reader) entries {
	if f.tty {
		return newPlain(r)
	}
	return newFramed(r)
}

func (f *follower) copy(ctx context.Context, from entries) error {
	for {
		e, err := from.next()
		if err != nil {
			return err
		}
		if err := f.keep(ctx, e); err != nil {
			return err
		}
		if f.unsaved > 0 && (f.unsaved >= saveEvery || !from.pending()) {
			if err := f.save(); err != nil {
				f.log.Warn("can not save how far a task's output is kept", "container", f.container, "error", err)
			}
		}
	}
}

// keep writes what is new of an entry. As long as it can not be written, nothing
// more is read: the engine keeps it.
func (f *follower) keep(ctx context.Context, e entry) error {
	text, lost := f.read[e.stream].fresh(e, f.since)
	if lost {
		f.log.Warn("the engine has dropped output that was not read yet", "container", f.container, "stream", e.stream)
		f.event(fmt.Sprintf("Some of %s is lost: the engine dropped it before it was read; its logging config can allow for more", e.stream))
	}
	f.unsaved += len(e.text) + 1 // an empty entry moves the cursor too
	pause := backoff{least: 100 * time.Millisecond, most: 10 * time.Second}
	for len(text) > 0 {
		n, err := f.files[e.stream].Write(text)
		text = text[n:]
		if err == nil {
			break
		}
		if pause.failures == 0 {
			f.log.Error("can not write a task's output", "container", f.container, "error", err)
		}
		if !pause.wait(ctx) {
			return ctx.Err()
		}
	}
	return nil
}

func (f *follower) save() error {
	var at [streams]cursor
	for s := range streams {
		f.read[s].cursor.File = f.files[s].Position()
		at[s] = f.read[s].cursor
	}
	f.unsaved = 0
	return f.cursors.save(at)
}
