package command

import (
	"fmt"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func evalStatus() *verb {
	return &verb{
		name: "eval status", args: "<eval>", min: 1, max: 1, kind: "evals",
		synopsis: "Show what came of an evaluation",
		help: `
Shows what came of an evaluation: what was placed, what found no place and why, and
which other evaluations belong to it.`,
		examples: []string{
			"# Why is nothing placed?", Name + " eval status 5744eb15", "",
			"# Follow it until all is decided", Name + " eval status -monitor 5744eb15",
		},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			monitor := f.Bool("monitor", false, "follow it, as 'job run' does")
			return func(e *env, args []string) error {
				found, err := e.eval(args[0])
				if err != nil {
					return err
				}
				if *monitor {
					return e.monitor(found.ID, *verbose)
				}
				req := &n.EvalQuery{EvalID: found.ID, Related: true}
				ev, err := read(e, api.EvalGet, req)
				if err != nil {
					return e.trouble("Error querying evaluation", err)
				}
				if out.asked() {
					return out.print(e, ev)
				}
				allocs, err := read(e, api.EvalAllocs, &n.EvalQuery{EvalID: found.ID})
				if err != nil {
					return e.trouble("Error querying allocations", err)
				}
				v := &evalView{env: e, Evaluation: ev, verbose: *verbose, placed: allocs}
				v.show()
				return nil
			}
		},
	}
}

// An evalView shows an evaluation section by section.
type evalView struct {
	*env
	*n.Evaluation
	verbose bool
	placed  []*n.AllocStub
}

func (v *evalView) show() {
	v.head()
	v.related()
	if v.PlanAnnotations != nil {
		v.annotations()
	}
	if len(v.placed) > 0 {
		sortAllocs(v.placed)
		v.section("Placed Allocations", v.allocColumns(v.placed, v.verbose))
	}
	if len(v.FailedTGAllocs) == 0 {
		return
	}
	v.section("Failed Placements", stringer(v.why()))
	if v.BlockedEval != "" {
		v.printf("\nEvaluation %q waiting for additional capacity to place remainder", id(v.BlockedEval, v.verbose))
	}
}

// why tells group by group what found no place, and what would have to change.
func (v *evalView) why() string {
	var lines []string
	for i, g := range sorted(v.FailedTGAllocs) {
		m := v.FailedTGAllocs[g]
		if more := explained(m, "  "); i > 0 && len(more) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, v.unplaced(map[string]*n.AllocMetric{g: m}, "", "  ")...)
		lines = append(lines, explained(m, "  ")...)
	}
	return strings.Join(lines, "\n")
}

func (v *evalView) when(ns int64) string {
	if v.verbose {
		return text.Unix(ns)
	}
	return v.ago(ns)
}

func (v *evalView) head() {
	description := v.StatusDescription
	if description == "" {
		description = string(v.Status)
	}
	p := new(text.Pairs).Add("ID", id(v.ID, v.verbose)).Add("Create Time", v.when(v.CreateTime)).Add("Modify Time", v.when(v.ModifyTime)).
		Add("Status", string(v.Status)).Add("Status Description", description).Add("Type", v.Type).Add("TriggeredBy", v.TriggeredBy).
		Add("Job ID", string(v.JobID)).Add("Namespace", v.Namespace).
		AddIf(v.TriggeredBy == n.TriggerNodeUpdate, "Node ID", id(v.NodeID, v.verbose)).
		Add("Priority", str(v.Priority)).Add("Placement Failures", evalFailures(v.Evaluation))
	if v.WaitUntil != nil && !v.WaitUntil.IsZero() {
		p.Add("Wait Until", text.Time(*v.WaitUntil))
	}
	p.AddIf(v.QuotaLimitReached != "", "Quota Limit Reached", v.QuotaLimitReached).
		Add("Previous Eval", id(v.PreviousEval, v.verbose)).Add("Next Eval", id(v.NextEval, v.verbose)).Add("Blocked Eval", id(v.BlockedEval, v.verbose))
	v.print(p.String())
}

func (v *evalView) related() {
	t := text.NewTable("ID", "Priority", "Triggered By", "Node ID", "Status", "Description")
	for _, r := range v.RelatedEvals {
		t.Row(id(r.ID, v.verbose), str(r.Priority), r.TriggeredBy, id(r.NodeID, v.verbose), string(r.Status), r.StatusDescription)
	}
	if !t.Empty() {
		v.section("Related Evaluations", t)
	}
}

// annotations counts what was planned, in columns that say something.
func (v *evalView) annotations() {
	updates := v.PlanAnnotations.DesiredTGUpdates
	columns := []struct {
		name   string
		count  func(*n.DesiredUpdates) uint64
		always bool
	}{
		{"Ignore", func(u *n.DesiredUpdates) uint64 { return u.Ignore }, true},
		{"Place", func(u *n.DesiredUpdates) uint64 { return u.Place }, true},
		{"Stop", func(u *n.DesiredUpdates) uint64 { return u.Stop }, true},
		{"InPlace", func(u *n.DesiredUpdates) uint64 { return u.InPlaceUpdate }, true},
		{"Destructive", func(u *n.DesiredUpdates) uint64 { return u.DestructiveUpdate }, true},
		{"Migrate", func(u *n.DesiredUpdates) uint64 { return u.Migrate }, false},
		{"Canary", func(u *n.DesiredUpdates) uint64 { return u.Canary }, false},
		{"Preemptions", func(u *n.DesiredUpdates) uint64 { return u.Preemptions }, false},
		{"Reschedule Now", func(u *n.DesiredUpdates) uint64 { return u.RescheduleNow }, false},
		{"Reschedule Later", func(u *n.DesiredUpdates) uint64 { return u.RescheduleLater }, false},
		{"Disconnect", func(u *n.DesiredUpdates) uint64 { return u.Disconnect }, false},
		{"Reconnect", func(u *n.DesiredUpdates) uint64 { return u.Reconnect }, false},
	}
	titles := []string{"Task Group"}
	rows := map[string][]string{}
	for _, c := range columns {
		some := c.always || v.verbose
		for _, u := range updates {
			some = some || c.count(u) > 0
		}
		if !some {
			continue
		}
		titles = append(titles, c.name)
		for g, u := range updates {
			rows[g] = append(rows[g], fmt.Sprint(c.count(u)))
		}
	}
	t := text.NewTable(titles...)
	t.Plain = true
	for _, g := range sorted(rows) {
		t.Row(append([]string{g}, rows[g]...)...)
	}
	v.section("Plan Annotations", t)
	if list := v.PlanAnnotations.PreemptedAllocs; len(list) > 0 {
		v.section("Preempted Allocations", v.preempted(list))
	}
}

func (v *evalView) preempted(list []n.AllocStub) *text.Table {
	t := text.NewTable("ID", "Job ID", "Node ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified")
	for _, a := range list {
		t.Row(id(a.ID, v.verbose), string(a.JobID), id(a.NodeID, v.verbose), a.TaskGroup, str(a.JobVersion),
			string(a.DesiredStatus), string(a.ClientStatus), v.ago(a.CreateTime), v.ago(a.ModifyTime))
	}
	return t
}
