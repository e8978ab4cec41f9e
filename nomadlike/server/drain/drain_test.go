package drain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/drain"
)

// TestDecide says what is done about a node:
//
//	decide [deadline=<duration>|none|force] [passed=<duration>] [ignore-system]
//
// with a line for each job and allocation below it:
//
//	job <id> <type> [count=<n>] [parallel=<n>]
//	here|else <id>[<index>] <job> [healthy|unhealthy] [leaving|stopping|ended|unknown]
//
// "here" is the node, "else" any other; without more, nobody knows of its health.
func TestDecide(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w := &world{jobs: map[n.JobKey]*n.Job{}}
			for line := range strings.Lines(d.Input) {
				if !w.add(strings.Fields(line)) {
					t.Fatalf("%s: what is %q?", d.Pos, line)
				}
			}
			return w.decide(t, d)
		})
	})
}

type world struct {
	jobs         map[n.JobKey]*n.Job
	here, others []*n.Allocation
}

func key(id string) n.JobKey { return n.JobKey{Namespace: "default", ID: n.JobID(id)} }

func (w *world) add(words []string) bool {
	switch words[0] {
	case "job":
		g := n.Group{Name: "g", Count: 1, Migrate: &n.Migrate{MaxParallel: 1}}
		for _, word := range words[3:] {
			_, _ = fmt.Sscanf(word, "count=%d", &g.Count)
			_, _ = fmt.Sscanf(word, "parallel=%d", &g.Migrate.MaxParallel)
		}
		w.jobs[key(words[1])] = &n.Job{ID: n.JobID(words[1]), Namespace: "default", Type: words[2], TaskGroups: []n.Group{g}}
	case "here":
		w.here = append(w.here, alloc(words[1:]))
	case "else":
		w.others = append(w.others, alloc(words[1:]))
	default:
		return false
	}
	return true
}

func alloc(words []string) *n.Allocation {
	a := &n.Allocation{
		ID: n.AllocID(words[0]), Name: words[0], JobID: n.JobID(words[1]), Namespace: "default", TaskGroup: "g",
		DesiredStatus: n.DesiredRun, ClientStatus: n.ClientRunning,
	}
	yes, no := true, false
	for _, word := range words[2:] {
		switch word {
		case "healthy":
			a.DeploymentStatus = &n.AllocDeployment{Healthy: &yes}
		case "unhealthy":
			a.DeploymentStatus = &n.AllocDeployment{Healthy: &no}
		case "leaving":
			a.DesiredTransition.Migrate = &yes
		case "stopping":
			a.DesiredStatus = n.DesiredStop
		case "ended":
			a.ClientStatus = n.ClientComplete
		case "unknown":
			a.ClientStatus = n.ClientUnknown
		}
	}
	return a
}

func (w *world) decide(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	deadline, passed := "1h", time.Duration(0)
	d.MaybeScanArgs(t, "deadline", &deadline)
	var text string
	if d.MaybeScanArgs(t, "passed", &text); text != "" {
		passed, _ = time.ParseDuration(text)
	}
	s := &n.DrainStrategy{DrainSpec: n.DrainSpec{IgnoreSystemJobs: d.HasArg("ignore-system")}}
	switch deadline {
	case "none":
	case "force":
		s.Deadline = -1
	default:
		s.Deadline, _ = time.ParseDuration(deadline)
		at := now.Add(s.Deadline - passed)
		s.ForceDeadline = &at
	}
	got := drain.Decide(drain.Input{
		Node: &n.Node{DrainStrategy: s}, Allocs: w.here,
		Job: func(k n.JobKey) *n.Job { return w.jobs[k] },
		JobAllocs: func(k n.JobKey) []*n.Allocation {
			return slices.DeleteFunc(slices.Concat(w.here, w.others), func(a *n.Allocation) bool { return a.JobKey() != k })
		},
	}, now)
	return show(got, now)
}

func show(d drain.Decision, now time.Time) string {
	var out strings.Builder
	if len(d.Move) > 0 {
		fmt.Fprintln(&out, "move", d.Move)
	}
	if len(d.End) > 0 {
		fmt.Fprintln(&out, "end", d.End)
	}
	if d.Done {
		fmt.Fprintln(&out, "done")
	}
	if d.Forced {
		fmt.Fprintln(&out, "forced")
	}
	if d.Wake != nil {
		fmt.Fprintln(&out, "again in", d.Wake.Sub(now))
	}
	if d.Why != "" {
		fmt.Fprintln(&out, "because", d.Why)
	}
	return out.String()
}
