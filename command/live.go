package command

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// live is the view of a terminal: one frame, redrawn in place, that says at a
// glance how far things are.
type live struct {
	*env
	verbose bool
	start   time.Time
	stop    chan struct{}
	done    chan struct{}

	mu      sync.Mutex
	drawn   int // lines of the last frame
	spin    int
	ev      *n.Evaluation
	evalID  n.EvalID
	dep     *n.Deployment
	allocs  []*n.AllocStub
	waiting string
	failed  []string // why something could not be placed
	code    int
	ended   bool
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

func newLive(e *env, verbose bool) *live {
	l := &live{env: e, verbose: verbose, start: e.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	go l.turn()
	return l
}

// turn redraws the frame while nothing happens, so that time is seen to pass.
func (l *live) turn() {
	defer close(l.done)
	tick := time.NewTicker(120 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.update(func() { l.spin++ })
		}
	}
}

func (l *live) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	l.draw()
}

// draw replaces the last frame. The caller holds the lock.
func (l *live) draw() {
	frame := l.frame()
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", l.drawn)
	}
	for _, line := range frame {
		b.WriteString(cut(line, l.Width) + "\n")
	}
	l.drawn = len(frame)
	fmt.Fprint(l.Out, b.String())
}

func (l *live) frame() []string {
	out := []string{l.title()}
	if l.dep != nil {
		out = append(out, fmt.Sprintf("  Deployment %s: %s", id(l.dep.ID, l.verbose), l.dep.StatusDescription), "")
		out = append(out, strings.Split(text.Indent(deploymentGroups(l.dep).String(), "  "), "\n")...)
	}
	if l.waiting != "" {
		out = append(out, "  "+l.waiting)
	}
	if len(l.allocs) > 0 {
		out = append(out, "")
		out = append(out, strings.Split(text.Indent(l.table(), "  "), "\n")...)
	}
	if len(l.failed) > 0 {
		out = append(out, "", "  "+l.yellow("Not everything has a place:"))
		out = append(out, l.failed...)
	}
	return out
}

// title says what is followed, how it stands and for how long.
func (l *live) title() string {
	mark, what, status := l.bold(string(spinner[l.spin%len(spinner)])), fmt.Sprintf("Evaluation %s", id(l.evalID, l.verbose)), "pending"
	if l.ev != nil {
		status = string(l.ev.Status)
		what += fmt.Sprintf(" of job %q", l.ev.JobID)
	}
	if l.dep != nil {
		what, status = fmt.Sprintf("Job %q, version %d", l.dep.JobID, l.dep.JobVersion), string(l.dep.Status)
	}
	if l.ended {
		if mark = l.green("✓"); l.code != exitPlaced {
			mark = l.red("!")
		}
	}
	return fmt.Sprintf("%s %s: %s  %s", mark, what, l.bold(status), l.faint(text.Span(l.Now().Sub(l.start))))
}

// shownAllocs bounds the frame, which must fit the screen.
const shownAllocs = 12

func (l *live) table() string {
	t := text.NewTable("Allocation", "Node", "Group", "Version", "Status")
	for i, a := range l.allocs {
		if i == shownAllocs {
			t.Row(fmt.Sprintf("… and %d more", len(l.allocs)-i), "…", "…", "…", "…")
			break
		}
		t.Row(id(a.ID, l.verbose), a.NodeName, a.TaskGroup, str(a.JobVersion), allocState(a))
	}
	return t.String()
}

func allocState(a *n.AllocStub) string {
	state := string(a.ClientStatus)
	if a.DesiredStatus != n.DesiredRun && !a.ClientStatus.Terminal() {
		state += ", stopping"
	}
	if a.DeploymentStatus == nil || a.DeploymentStatus.Healthy == nil {
		return state
	}
	if *a.DeploymentStatus.Healthy {
		return state + ", healthy"
	}
	return state + ", unhealthy"
}

func (l *live) begin(ev n.EvalID) {
	l.update(func() { l.evalID, l.ev, l.waiting = ev, nil, "" })
}

func (l *live) eval(ev *n.Evaluation, allocs []*n.AllocStub) {
	l.update(func() { l.ev, l.allocs = ev, allocs })
}

func (l *live) evalEnd(ev *n.Evaluation) {
	l.update(func() {
		l.failed = nil
		for _, g := range sorted(ev.FailedTGAllocs) {
			l.failed = append(l.failed, l.unplaced(map[string]*n.AllocMetric{g: ev.FailedTGAllocs[g]}, "  ", "    ")...)
			l.failed = append(l.failed, mends(ev.FailedTGAllocs[g], "    ")...)
		}
		if ev.BlockedEval != "" {
			l.waiting = fmt.Sprintf("Evaluation %s waits for room and places the rest when there is some.", id(ev.BlockedEval, l.verbose))
		}
	})
}

func (l *live) next(next n.EvalID, wait time.Duration) {
	l.update(func() { l.waiting = fmt.Sprintf("Evaluation %s follows in %s.", id(next, l.verbose), wait) })
}

func (l *live) beginDeployment(n.DeploymentID) {}

func (l *live) deployment(d *n.Deployment, allocs []*n.AllocStub) {
	sortAllocs(allocs)
	l.update(func() { l.dep, l.allocs = d, allocs })
}

// end leaves the last frame standing.
func (l *live) end(code int) {
	close(l.stop)
	<-l.done
	l.update(func() { l.ended, l.code = true, code })
}

// cut shortens a line to the screen, so that it takes one row. Escapes take no
// room.
func cut(s string, width int) string {
	if utf8.RuneCountInString(s) < width {
		return s
	}
	var b strings.Builder
	room, escaped := width-1, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escaped = true
		case escaped:
			escaped = r != 'm'
		case room == 0:
			continue
		default:
			room--
		}
		b.WriteRune(r)
	}
	return b.String()
}
