package command

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// An allocView shows an allocation section by section.
type allocView struct {
	*env
	*n.AllocDetail
	verbose, stats bool
	usage          *n.AllocUsage // nil: not known
}

func (v *allocView) show() {
	v.head()
	v.addresses()
	v.measure()
	for _, name := range v.taskNames() {
		v.task(name)
	}
	if v.verbose && v.Metrics != nil {
		v.placement()
	}
}

// when is an instant in Unix nanoseconds, as the user wants to see it.
func (v *allocView) when(ns int64) string {
	if v.verbose {
		return text.Unix(ns)
	}
	return v.ago(ns)
}

func (v *allocView) head() {
	p := new(text.Pairs).Add("ID", string(v.ID)).Add("Eval ID", id(v.EvalID, v.verbose)).Add("Name", v.Name).
		Add("Node ID", id(v.NodeID, v.verbose)).Add("Node Name", v.NodeName).
		Add("Job ID", string(v.JobID)).Add("Job Version", str(v.JobVersion)).
		Add("Client Status", string(v.ClientStatus)).Add("Client Description", v.ClientDescription).
		Add("Desired Status", string(v.DesiredStatus)).Add("Desired Description", v.DesiredDescription).
		Add("Created", v.when(v.CreateTime)).Add("Modified", v.when(v.ModifyTime))
	if v.DeploymentID != "" {
		p.Add("Deployment ID", id(v.DeploymentID, v.verbose)).Add("Deployment Health", healthText(v.Healthy())).
			AddIf(v.IsCanary(), "Canary", "true")
	}
	v.rescheduled(p)
	if m := v.Metrics; v.verbose && m != nil {
		p.Add("Evaluated Nodes", str(m.NodesEvaluated)).Add("Filtered Nodes", str(m.NodesFiltered)).
			Add("Exhausted Nodes", str(m.NodesExhausted)).Add("Allocation Time", m.AllocationTime.String()).
			Add("Failures", str(m.CoalescedFailures))
	}
	v.print(p.String())
}

func healthText(healthy *bool) string {
	switch {
	case healthy == nil:
		return "unset"
	case *healthy:
		return "healthy"
	}
	return "unhealthy"
}

// rescheduled tells what becomes of an allocation that has failed.
func (v *allocView) rescheduled(p *text.Pairs) {
	if group := v.group(); group != nil && v.RescheduleTracker != nil {
		if policy := group.ReschedulePolicy; policy != nil && policy.Attempts > 0 && !policy.Unlimited {
			since, tries := v.Now().Add(-policy.Interval), 0
			for _, ev := range v.RescheduleTracker.Events {
				if time.Unix(0, ev.RescheduleTime).After(since) {
					tries++
				}
			}
			p.Add("Reschedule Attempts", fmt.Sprintf("%d/%d", tries, policy.Attempts))
		}
	}
	p.AddIf(v.NextAllocation != "", "Replacement Alloc ID", id(v.NextAllocation, v.verbose))
	if v.FollowupEvalID == "" || v.NextAllocation != "" {
		return
	}
	ev, err := read(v.env, api.EvalGet, &n.EvalQuery{EvalID: v.FollowupEvalID})
	if err == nil && ev.WaitUntil != nil && ev.WaitUntil.After(v.Now()) {
		p.Add("Reschedule Eligibility", text.Ago(*ev.WaitUntil, v.Now()))
	}
}

// group is the group that the allocation is of, or nil if its job is gone.
func (v *allocView) group() *n.Group {
	if v.Job == nil {
		return nil
	}
	return v.Job.Group(v.TaskGroup)
}

// addresses lists the group's ports.
func (v *allocView) addresses() {
	if v.AllocatedResources == nil || len(v.AllocatedResources.Shared.Ports) == 0 {
		return
	}
	mode := ""
	if nets := v.AllocatedResources.Shared.Networks; len(nets) > 0 && nets[0].Mode != "" {
		mode = fmt.Sprintf(" (mode = %q)", nets[0].Mode)
	}
	t := text.NewTable("Label", "Dynamic", "Address")
	for _, p := range v.AllocatedResources.Shared.Ports {
		address := fmt.Sprintf("%s:%d", p.HostIP, p.Value)
		if p.To > 0 {
			address += fmt.Sprintf(" -> %d", p.To)
		}
		t.Row("*"+p.Label, "yes", address)
	}
	v.section("Allocation Addresses"+mode+":", t)
}

// measure asks the node what the allocation uses. Without an answer the rest is
// shown all the same.
func (v *allocView) measure() {
	if v.ClientStatus != n.ClientRunning {
		return
	}
	req := &n.AllocStatsRequest{AllocID: v.ID}
	req.Namespace = v.Namespace
	usage, err := read(v.env, api.AllocStats, req)
	if err != nil {
		v.warnf("\nCouldn't retrieve stats: %s", plainText(err))
		return
	}
	v.usage = usage
}

// taskNames lists those of lifecycle hooks first, sidecars after others.
func (v *allocView) taskNames() []string {
	names := sorted(v.TaskStates)
	rank := func(name string) int {
		switch l := v.lifecycle(name); {
		case l == nil:
			return 2
		case l.Sidecar:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return names
}

func (v *allocView) lifecycle(task string) *n.Lifecycle {
	if v.AllocatedResources != nil && v.AllocatedResources.TaskLifecycles[task] != nil {
		return v.AllocatedResources.TaskLifecycles[task]
	}
	if g := v.group(); g != nil {
		if t := g.Task(task); t != nil {
			return t.Lifecycle
		}
	}
	return nil
}

// lifecycleText is "main", "prestart" or "prestart sidecar".
func lifecycleText(l *n.Lifecycle) string {
	switch {
	case l == nil || l.Hook == "":
		return "main"
	case l.Sidecar:
		return l.Hook + " sidecar"
	}
	return l.Hook
}

func (v *allocView) placement() {
	body := strings.Join(v.reasons(v.Metrics, "  "), "\n")
	if t := scores(v.Metrics); t != nil {
		body = strings.TrimPrefix(body+"\n"+t.String(), "\n")
	}
	if s := decided(v.Metrics.ScoreMetaData, func(node n.NodeID) string { return "node " + n.Short(node) }); s != "" {
		body += "\n\n" + s
	}
	v.section("Placement Metrics", stringer(body))
}

func (v *allocView) short() {
	v.print(new(text.Pairs).Add("ID", string(v.ID)).Add("Name", v.Name).
		Add("Created", v.when(v.CreateTime)).Add("Modified", v.when(v.ModifyTime)).String())
	t := text.NewTable("Name", "State", "Last Event", "Time", "Lifecycle")
	for _, name := range v.taskNames() {
		state, event, at := v.TaskStates[name], "", ""
		if len(state.Events) > 0 {
			last := state.Events[len(state.Events)-1]
			event, at = last.Type, text.Unix(last.Time)
		}
		t.Row(name, state.State, event, at, lifecycleText(v.lifecycle(name)))
	}
	v.section("Tasks", t)
}
