package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A jobView shows a job's status section by section.
type jobView struct {
	*env
	*jobDetails
	verbose bool
}

func (v *jobView) head() {
	j := v.spec
	p := new(text.Pairs).Add("ID", string(j.ID)).Add("Name", j.Name).Add("Submit Date", text.Unix(j.SubmitTime)).
		Add("Type", j.Type).Add("Priority", str(j.Priority)).Add("Datacenters", strings.Join(j.Datacenters, ",")).
		Add("Namespace", j.Namespace).Add("Node Pool", j.NodePool).Add("Status", jobStatusText(j.Status, j.Stop)).
		Add("Periodic", strconv.FormatBool(j.IsPeriodic())).Add("Parameterized", strconv.FormatBool(j.IsParameterized())).
		AddIf(j.DispatchIdempotencyToken != "", "Idempotency Token", j.DispatchIdempotencyToken)
	if j.IsPeriodic() && !j.IsParameterized() {
		launch := "none (job stopped)"
		if !j.Stop {
			launch = ""
			if next, ok := nextLaunch(j, v.Now()); ok {
				launch = launchText(next, v.Now())
			}
		}
		p.Add("Next Periodic Launch", launch)
	}
	v.print(p.String())
}

func (v *jobView) body(evals bool) {
	if v.summary != nil {
		v.section("Summary", groupSummary(v.summary))
	}
	if evals || v.verbose {
		v.evaluations()
	}
	v.placementFailure()
	v.rescheduling()
	if v.latest != nil {
		v.section("Latest Deployment", new(text.Pairs).Add("ID", id(v.latest.ID, v.verbose)).
			Add("Status", string(v.latest.Status)).Add("Description", v.latest.StatusDescription))
		v.section("Deployed", deploymentGroups(v.latest))
	}
	v.actions()
	if len(v.allocs) == 0 {
		v.section("Allocations", stringer("No allocations placed"))
		return
	}
	sortAllocs(v.allocs)
	v.section("Allocations", v.allocTable(v.allocs, v.verbose))
}

func groupSummary(s *n.JobSummary) *text.Table {
	t := text.NewTable("Task Group", "Queued", "Starting", "Running", "Failed", "Complete", "Lost", "Unknown")
	for _, g := range sorted(s.Summary) {
		c := s.Summary[g]
		t.Row(g, str(c.Queued), str(c.Starting), str(c.Running), str(c.Failed), str(c.Complete), str(c.Lost), str(c.Unknown))
	}
	return t
}

func (v *jobView) childSummary(heading string) {
	if v.summary == nil || v.summary.Children == nil {
		return
	}
	c := v.summary.Children
	v.section(heading, text.NewTable("Pending", "Running", "Dead").Row(str(c.Pending), str(c.Running), str(c.Dead)))
}

func (v *jobView) launched(heading, none string) {
	if len(v.children) == 0 {
		v.print("\n" + none)
		return
	}
	t := text.NewTable("ID", "Status")
	for _, c := range v.children {
		t.Row(string(c.ID), string(c.Status))
	}
	v.section(heading, t)
}

func (v *jobView) evaluations() {
	t := text.NewTable("ID", "Priority", "Triggered By", "Status", "Placement Failures")
	for _, ev := range v.newestEvals() {
		t.Row(id(ev.ID, v.verbose), str(ev.Priority), ev.TriggeredBy, string(ev.Status), evalFailures(ev))
	}
	v.section("Evaluations", t)
}

func (v *jobView) newestEvals() []*n.Evaluation {
	evals := slices.Clone(v.evals)
	slices.SortStableFunc(evals, func(a, b *n.Evaluation) int { return -compare(a.CreateIndex, b.CreateIndex) })
	return evals
}

// shownGroups bounds the explanation of a failed placement.
const shownGroups = 5

// placementFailure says why something still waits for a place.
func (v *jobView) placementFailure() {
	var failed *n.Evaluation
	blocked := false
	for _, ev := range v.newestEvals() {
		blocked = blocked || ev.Status == n.EvalBlocked
		if failed == nil && len(ev.FailedTGAllocs) > 0 {
			failed = ev
		}
	}
	if !blocked || failed == nil {
		return
	}
	var parts []string
	for i, g := range sorted(failed.FailedTGAllocs) {
		if i == shownGroups {
			parts = append(parts, fmt.Sprintf("Placement failures truncated. To see the remainder run:\n%s eval status %s", Name, id(failed.ID, v.verbose)))
			break
		}
		lines := append([]string{fmt.Sprintf("Task Group %q:", g)}, v.reasons(failed.FailedTGAllocs[g], "  ")...)
		lines = append(lines, explained(failed.FailedTGAllocs[g], "  ")...)
		parts = append(parts, strings.Join(lines, "\n"))
	}
	v.section("Placement Failure", stringer(strings.Join(parts, "\n\n")))
}

// rescheduling lists groups whose failed allocations are placed anew later.
func (v *jobView) rescheduling() {
	columns := []string{"Task Group", "Eval ID", "Eval Time"}
	if v.verbose {
		columns = slices.Insert(columns, 1, "Reschedule Policy")
	}
	t := text.NewTable(columns...)
	seen := map[string]bool{}
	for _, a := range v.allocs {
		if a.FollowupEvalID == "" || seen[a.TaskGroup] {
			continue
		}
		i := slices.IndexFunc(v.evals, func(ev *n.Evaluation) bool { return ev.ID == a.FollowupEvalID })
		if i < 0 || v.evals[i].WaitUntil == nil || v.evals[i].Status.Terminal() {
			continue
		}
		seen[a.TaskGroup] = true
		row := []string{a.TaskGroup, id(a.FollowupEvalID, v.verbose), text.Ago(*v.evals[i].WaitUntil, v.Now())}
		if v.verbose {
			row = slices.Insert(row, 1, policyText(v.spec.Group(a.TaskGroup)))
		}
		t.Row(row...)
	}
	if !t.Empty() {
		v.section("Future Rescheduling Attempts", t)
	}
}

func policyText(g *n.Group) string {
	if g == nil || g.ReschedulePolicy == nil {
		return ""
	}
	p := g.ReschedulePolicy
	if p.Unlimited {
		return fmt.Sprintf("unlimited with %s delay, max_delay = %s", p.DelayFunction, p.MaxDelay)
	}
	return fmt.Sprintf("%d attempts in %s with %s delay", p.Attempts, p.Interval, p.DelayFunction)
}

func (v *jobView) actions() {
	t := text.NewTable("Action Name", "Task Group", "Task")
	for _, g := range v.spec.TaskGroups {
		for _, task := range g.Tasks {
			for _, a := range task.Actions {
				t.Row(a.Name, g.Name, task.Name)
			}
		}
	}
	if !t.Empty() {
		v.section("Actions", t)
	}
}
