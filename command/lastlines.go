package command

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// quiet is how long nothing must come before the end of a log is taken to be
// reached.
const quiet = 300 * time.Millisecond

// lastLines holds back what is written to it until the end is reached, passes on
// the last lines of that, and then everything.
type lastLines struct {
	out    io.Writer
	lines  int
	follow bool // more may come after a pause

	mu    sync.Mutex
	held  []byte
	open  bool
	timer *time.Timer
}

// Write holds back or passes on. An empty one is the sign that nothing is left.
func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open {
		return l.out.Write(p)
	}
	l.held = append(l.held, p...)
	switch {
	case !l.follow:
	case len(p) == 0:
		l.release()
	case l.timer == nil:
		l.timer = time.AfterFunc(quiet, l.flush)
	default:
		l.timer.Reset(quiet)
	}
	return len(p), nil
}

// flush passes on what is held back.
func (l *lastLines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

func (l *lastLines) release() {
	if l.open {
		return
	}
	l.open = true
	_, _ = l.out.Write(tail(l.held, l.lines)) // the next write fails as well
	l.held = nil
	if l.timer != nil {
		l.timer.Stop()
	}
}

// tail is the end of b from where the last lines begin. A line that has not ended
// counts.
func tail(b []byte, lines int) []byte {
	if lines <= 0 {
		return nil
	}
	at := len(bytes.TrimSuffix(b, []byte("\n")))
	for ; lines > 0; lines-- {
		if at = bytes.LastIndexByte(b[:at], '\n'); at < 0 {
			return b
		}
	}
	return b[at+1:]
}
