package tasklife

import (
	"fmt"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// HealthRule says how an allocation's health is found.
type HealthRule struct {
	MinHealthyTime time.Duration
	Deadline       time.Time
	HealthyAfter   time.Duration // the deadline as it was written
}

// HealthRuleOf returns the rule for an allocation, or none when nobody wants to
// know: by the update block within a deployment, else by the migrate block.
// watching is when the watch began.
func HealthRuleOf(job *n.Job, g *n.Group, a *n.Allocation, watching time.Time) (HealthRule, bool) {
	if job.Type != n.JobTypeService && job.Type != n.JobTypeSystem || a.Healthy() != nil {
		return HealthRule{}, false
	}
	var least, most time.Duration
	switch {
	case a.DeploymentID != "" && g.Update != nil:
		if g.Update.HealthCheck == "manual" {
			return HealthRule{}, false
		}
		least, most = g.Update.MinHealthyTime, g.Update.HealthyDeadline
	case a.DeploymentID == "" && g.Migrate != nil:
		least, most = g.Migrate.MinHealthyTime, g.Migrate.HealthyDeadline
	default:
		return HealthRule{}, false
	}
	return HealthRule{least, watching.Add(most), most}, true
}

// Health is a finding. While Healthy is nil, look again at Again at the latest,
// and at every change.
type Health struct {
	Healthy *bool
	Again   time.Time
	Reasons map[string]string // by task, of an unhealthy one
}

// HealthOf finds the health of an allocation from its tasks' states.
func HealthOf(r HealthRule, g *n.Group, s States, now time.Time) Health {
	yes, no := true, false
	var latest time.Time
	waiting := false
	for i := range g.Tasks {
		t := &g.Tasks[i]
		role, st := RoleOf(t), s[t.Name]
		switch {
		case role == Poststop || role == Poststart && st != nil && st.Successful():
		case st == nil:
			waiting = true
		case st.Failed:
			return Health{Healthy: &no, Reasons: map[string]string{t.Name: "Unhealthy because of failed task"}}
		case st.State == n.TaskDead && role == Prestart:
		case st.State == n.TaskDead:
			return Health{Healthy: &no, Reasons: map[string]string{t.Name: "Unhealthy because of dead task"}}
		case st.State != n.TaskRunning:
			waiting = true
		case st.StartedAt != nil && st.StartedAt.After(latest):
			latest = *st.StartedAt
		}
	}
	if !waiting {
		if at := latest.Add(r.MinHealthyTime); !at.After(now) {
			return Health{Healthy: &yes}
		} else if at.Before(r.Deadline) {
			return Health{Again: at}
		}
	}
	if now.Before(r.Deadline) {
		return Health{Again: r.Deadline}
	}
	return Health{Healthy: &no, Reasons: r.late(g, s)}
}

// late tells of each task that is to blame why it is.
func (r HealthRule) late(g *n.Group, s States) map[string]string {
	out := map[string]string{}
	for i := range g.Tasks {
		t := &g.Tasks[i]
		st := s[t.Name]
		switch {
		case RoleOf(t) == Poststop || st != nil && st.State == n.TaskDead:
		case st == nil || st.State != n.TaskRunning:
			out[t.Name] = fmt.Sprintf("Task not running by healthy_deadline of %v", r.HealthyAfter)
		case st.StartedAt != nil && st.StartedAt.Add(r.MinHealthyTime).After(r.Deadline):
			out[t.Name] = fmt.Sprintf("Task not running for min_healthy_time of %v by healthy_deadline of %v", r.MinHealthyTime, r.HealthyAfter)
		}
	}
	return out
}
