package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// lines is the view of a pipe: one line an event, in the form that scripts know.
type lines struct {
	*env
	verbose bool
	seen    seen
	inEval  bool
}

// seen is what was already told of one evaluation.
type seen struct {
	node, job, deployment bool
	status                n.EvalStatus
	allocs                map[n.AllocID]n.ClientStatus
}

func (l *lines) head(format string, args ...any) {
	l.print(l.bold(fmt.Sprintf("==> %s: %s", text.Time(l.Now()), fmt.Sprintf(format, args...))))
}

func (l *lines) line(format string, args ...any) {
	l.printf("    %s: %s", text.Time(l.Now()), fmt.Sprintf(format, args...))
}

func (l *lines) begin(ev n.EvalID) {
	l.inEval = true
	l.seen = seen{status: n.EvalPending, allocs: map[n.AllocID]n.ClientStatus{}}
	l.head("Monitoring evaluation %q", id(ev, l.verbose))
}

func (l *lines) eval(ev *n.Evaluation, allocs []*n.AllocStub) {
	once := func(done *bool, cond bool, format string, arg string) {
		if cond && !*done {
			*done = true
			l.line(format, arg)
		}
	}
	once(&l.seen.node, ev.NodeID != "", "Evaluation triggered by node %q", id(ev.NodeID, l.verbose))
	once(&l.seen.job, ev.JobID != "" && ev.NodeID == "", "Evaluation triggered by job %q", string(ev.JobID))
	once(&l.seen.deployment, ev.DeploymentID != "", "Evaluation within deployment: %q", id(ev.DeploymentID, l.verbose))
	for _, a := range allocs {
		l.alloc(ev, a)
	}
	if ev.Status != l.seen.status {
		l.line("Evaluation status changed: %q -> %q", l.seen.status, ev.Status)
		l.seen.status = ev.Status
	}
}

func (l *lines) alloc(ev *n.Evaluation, a *n.AllocStub) {
	before, known := l.seen.allocs[a.ID]
	l.seen.allocs[a.ID] = a.ClientStatus
	switch {
	case !known && a.CreateIndex < ev.CreateIndex:
		l.line("Allocation %q modified: node %q, group %q", id(a.ID, l.verbose), id(a.NodeID, l.verbose), a.TaskGroup)
	case !known && a.DesiredStatus == n.DesiredRun:
		l.line("Allocation %q created: node %q, group %q", id(a.ID, l.verbose), id(a.NodeID, l.verbose), a.TaskGroup)
	case known && before != a.ClientStatus:
		description := ""
		if a.ClientDescription != "" {
			description = " (" + a.ClientDescription + ")"
		}
		l.line("Allocation %q status changed: %q -> %q%s", id(a.ID, l.verbose), before, a.ClientStatus, description)
	}
}

func (l *lines) evalEnd(ev *n.Evaluation) {
	if len(ev.FailedTGAllocs) == 0 {
		l.head("Evaluation %q finished with status %q", id(ev.ID, l.verbose), ev.Status)
		return
	}
	l.head("Evaluation %q finished with status %q but failed to place all allocations:", id(ev.ID, l.verbose), ev.Status)
	for _, s := range l.unplaced(ev.FailedTGAllocs, "    "+text.Time(l.Now())+": ", "      ") {
		l.print(s)
	}
	if ev.BlockedEval != "" {
		l.line("Evaluation %q waiting for additional capacity to place remainder", id(ev.BlockedEval, l.verbose))
	}
}

func (l *lines) next(next n.EvalID, wait time.Duration) {
	if wait > 0 {
		l.head("Monitoring next evaluation %q in %s", id(next, l.verbose), wait)
	}
}

func (l *lines) beginDeployment(d n.DeploymentID) {
	l.head("Monitoring deployment %q", id(d, l.verbose))
}

func (l *lines) deployment(d *n.Deployment, allocs []*n.AllocStub) {
	block := text.Time(l.Now()) + "\n" + l.deploymentBlock(d, l.verbose)
	if len(allocs) > 0 {
		sortAllocs(allocs)
		block += "\n\n" + l.bold("Allocations") + "\n" + l.allocTable(allocs, l.verbose).String()
	}
	if !l.inEval {
		l.print("\n" + block)
		return
	}
	l.print("    \n" + strings.TrimRight(text.Indent(block, "    "), " "))
}

func (l *lines) end(int) {}
