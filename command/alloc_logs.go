package command

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func allocLogs() *verb {
	return &verb{
		name: "alloc logs", args: "<alloc> [task]", min: 1, max: 2, kind: "allocs",
		synopsis: "Print what a task has written",
		help: `
Prints the standard output of a task, or its standard error, as far as it is kept.
The task need not be named if there is only one.

With -f and nothing else, follows both from where they are now, standard error to
standard error. Ends when the task's output does, or when interrupted.`,
		examples: []string{
			"# All that is kept", Name + " alloc logs 8ba85cef", "",
			"# Follow both streams of whatever runs of a job", Name + " alloc logs -f -job example", "",
			"# The last lines of standard error, and those to come", Name + " alloc logs -stderr -tail -n 50 -f 8ba85cef redis",
		},
		bind: func(f *flags) action {
			l := &logFlags{}
			f.BoolVar(&l.follow, "f", false, "go on as the task writes")
			f.BoolVar(&l.stdout, "stdout", false, "standard output; what is shown unless -stderr is given")
			f.BoolVar(&l.stderr, "stderr", false, "standard error")
			f.BoolVar(&l.tail, "tail", false, "only the end: the last 10 lines, or what -n or -c say")
			f.Int64Var(&l.lines, "n", -1, "with -tail: the last so many `lines`")
			f.Int64Var(&l.bytes, "c", -1, "with -tail: the last so many `bytes`")
			f.StringVar(&l.task, "task", "", "the `task`, instead of the second argument")
			f.StringVar(&l.group, "group", "", "with -job: an allocation of this `group`")
			f.BoolVar(&l.job, "job", false, "the argument is a job: the latest of its allocations that runs")
			f.verbose()
			return l.run
		},
	}
}

type logFlags struct {
	follow, stdout, stderr, tail, job bool
	lines, bytes                      int64
	task, group                       string
}

// bytesOfLine is how long a line is taken to be when the last lines are looked
// for.
const bytesOfLine = 120

// defaultLines is how many lines -tail shows.
const defaultLines = 10

func (l *logFlags) run(e *env, args []string) error {
	both := l.follow && !l.stdout && !l.stderr && !l.tail && l.lines < 0 && l.bytes < 0
	switch {
	case l.stdout && l.stderr:
		return failf("-stdout and -stderr exclude each other; -f alone follows both")
	case l.lines >= 0 && l.bytes >= 0:
		return failf("-n and -c exclude each other")
	case l.group != "" && !l.job:
		return failf("-group needs -job")
	}
	a, err := l.alloc(e, args[0])
	if err != nil {
		return err
	}
	req := n.LogsRequest{AllocID: a.ID, Follow: l.follow, Origin: "start", Type: "stdout"}
	req.Namespace = a.Namespace
	if req.Task, err = oneTask(a, l.task, args[1:]); err != nil {
		return err
	}
	if both {
		err = followBoth(e, req)
	} else {
		err = l.one(e, req)
	}
	if err != nil && e.ctx.Err() == nil { // or else the user has seen enough
		return e.trouble("Error reading the log", err)
	}
	return nil
}

func (l *logFlags) alloc(e *env, id string) (*n.AllocDetail, error) {
	if l.job {
		return e.allocOfJob(id, l.group)
	}
	return e.alloc(id)
}

// one prints one of the two streams.
func (l *logFlags) one(e *env, req n.LogsRequest) error {
	if l.stderr {
		req.Type = "stderr"
	}
	out := e.Out
	switch {
	case !l.tail:
	case l.bytes >= 0:
		req.Origin, req.Offset = "end", l.bytes
	default:
		if l.lines < 0 {
			l.lines = defaultLines
		}
		req.Origin, req.Offset = "end", l.lines*bytesOfLine
		last := &lastLines{out: e.Out, lines: int(l.lines), follow: l.follow}
		defer last.flush()
		out = last
	}
	return copyLog(e.ctx, e, req, out)
}

// followBoth prints what comes of either stream.
func followBoth(e *env, req n.LogsRequest) error {
	req.Origin = "end"
	g, ctx := errgroup.WithContext(e.ctx)
	for kind, out := range map[string]io.Writer{"stdout": e.Out, "stderr": e.Err} {
		r := req
		r.Type = kind
		g.Go(func() error { return copyLog(ctx, e, r, out) })
	}
	return g.Wait()
}

func copyLog(ctx context.Context, e *env, req n.LogsRequest, out io.Writer) error {
	cl, err := e.client()
	if err != nil {
		return err
	}
	return api.DoStream(ctx, cl, api.AllocLogs, &req, func(f *n.StreamFrame) error {
		_, err := out.Write(f.Data)
		return err
	})
}
