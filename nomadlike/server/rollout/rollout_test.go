package rollout_test

import (
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/rollout"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	healthy := func(id n.AllocID, ok bool) *n.Allocation {
		return &n.Allocation{ID: id, TaskGroup: "g", DesiredStatus: n.DesiredRun, ClientStatus: n.ClientRunning, DeploymentStatus: &n.AllocDeployment{Healthy: &ok, ModifyIndex: 20}}
	}
	canary := func(a *n.Allocation) *n.Allocation { a.DeploymentStatus.Canary = true; return a }
	group := func(change func(*n.DeploymentGroup)) *n.DeploymentGroup {
		g := &n.DeploymentGroup{DesiredTotal: 2, ProgressDeadline: time.Minute, RequireProgressBy: in(time.Minute)}
		if change != nil {
			change(g)
		}
		return g
	}
	auto := func(g *n.DeploymentGroup) {
		g.DesiredCanaries, g.AutoPromote, g.PlacedCanaries = 1, true, []n.AllocID{"c"}
	}
	for _, c := range []struct {
		name   string
		status n.DeploymentStatus
		groups map[string]*n.DeploymentGroup
		allocs []*n.Allocation
		stable *n.Job
		never  bool // nothing may be rescheduled
		same   bool // the stable version is the same
		seen   uint64

		update, description      string
		promote, rollback, again bool
		evaluate                 bool
		wake                     *time.Time
	}{
		{name: "nothing yet", groups: map[string]*n.DeploymentGroup{"g": group(nil)}, wake: in(time.Minute)},
		{name: "the nearest deadline counts", groups: map[string]*n.DeploymentGroup{
			"g": group(nil), "h": group(func(g *n.DeploymentGroup) { g.RequireProgressBy = in(time.Second) }),
			"done": group(func(g *n.DeploymentGroup) { g.RequireProgressBy, g.HealthyAllocs = in(time.Millisecond), 2 }),
		}, wake: in(time.Second)},
		{name: "it is over", status: n.DeploymentFailed, groups: map[string]*n.DeploymentGroup{"g": group(nil)}, allocs: []*n.Allocation{healthy("a", false)}},
		{name: "news of health", groups: map[string]*n.DeploymentGroup{"g": group(nil)}, allocs: []*n.Allocation{healthy("a", true)}, seen: 10, evaluate: true, wake: in(time.Minute)},
		{name: "no news", groups: map[string]*n.DeploymentGroup{"g": group(nil)}, allocs: []*n.Allocation{healthy("a", true)}, seen: 20, wake: in(time.Minute)},

		{name: "no progress", groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.RequireProgressBy = in(0) })},
			update: "failed", description: "Failed due to progress deadline", evaluate: true},
		{name: "no progress while it is paused", status: n.DeploymentPaused, groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.RequireProgressBy = in(0) })}},
		{name: "no progress, and back", stable: &n.Job{Version: 3}, groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.RequireProgressBy, g.AutoRevert = in(0), true })},
			update: "failed", description: "Failed due to progress deadline - rolling back to job version 3", rollback: true, evaluate: true},

		{name: "an unhealthy one is replaced", groups: map[string]*n.DeploymentGroup{"g": group(nil)}, allocs: []*n.Allocation{healthy("a", false)}, again: true, evaluate: true},
		{name: "it may not be replaced", never: true, groups: map[string]*n.DeploymentGroup{"g": group(nil)}, allocs: []*n.Allocation{healthy("a", false)},
			update: "failed", description: "Failed due to unhealthy allocations", evaluate: true},
		{name: "without a deadline the first unhealthy one ends it", groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.ProgressDeadline, g.RequireProgressBy = 0, nil })},
			allocs: []*n.Allocation{healthy("a", false)}, update: "failed", description: "Failed due to unhealthy allocations", evaluate: true},
		{name: "nothing to go back to", never: true, groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.AutoRevert = true })}, allocs: []*n.Allocation{healthy("a", false)},
			update: "failed", description: "Failed due to unhealthy allocations - no stable job version to auto revert to", evaluate: true},
		{name: "going back would change nothing", never: true, same: true, stable: &n.Job{Version: 3}, groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.AutoRevert = true })}, allocs: []*n.Allocation{healthy("a", false)},
			update: "failed", description: "Failed due to unhealthy allocations - not rolling back to stable job version 3 as current job has same specification", evaluate: true},
		{name: "nor if it were for a tag", never: true, same: true, stable: &n.Job{Version: 3, VersionTag: &n.VersionTag{Name: "good"}},
			groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { g.AutoRevert = true })}, allocs: []*n.Allocation{healthy("a", false)},
			update: "failed", description: "Failed due to unhealthy allocations - not rolling back to stable job version 3 as current job has same specification", evaluate: true},

		{name: "healthy canaries are promoted", groups: map[string]*n.DeploymentGroup{"g": group(auto)}, allocs: []*n.Allocation{canary(healthy("c", true))}, promote: true, evaluate: true},
		{name: "one group does not want that", groups: map[string]*n.DeploymentGroup{"g": group(auto), "h": group(func(g *n.DeploymentGroup) { auto(g); g.AutoPromote = false })},
			allocs: []*n.Allocation{canary(healthy("c", true))}, evaluate: true, wake: in(time.Minute)},
		{name: "not all canaries are there", groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) { auto(g); g.DesiredCanaries = 2 })},
			allocs: []*n.Allocation{canary(healthy("c", true))}, evaluate: true, wake: in(time.Minute)},
		{name: "waiting for somebody's promotion is no lack of progress", groups: map[string]*n.DeploymentGroup{"g": group(func(g *n.DeploymentGroup) {
			auto(g)
			g.AutoPromote, g.HealthyAllocs, g.RequireProgressBy = false, 1, in(-time.Hour)
		})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.status == "" {
				c.status = n.DeploymentRunning
			}
			got := rollout.Decide(rollout.Input{
				Deployment: &n.Deployment{ID: "d", Status: c.status, TaskGroups: c.groups}, Allocs: c.allocs, Job: &n.Job{Version: 4, VersionTag: &n.VersionTag{Name: "now"}}, Stable: c.stable, LastEval: c.seen,
				MayReschedule: func(*n.Allocation) bool { return !c.never }, SameSpec: func(a, b *n.Job) bool { return c.same && a.VersionTag == nil && b.VersionTag == nil },
			}, now)
			update, description := "", ""
			if got.Update != nil {
				update, description = string(got.Update.Status), got.Update.StatusDescription
			}
			if update != c.update || description != c.description {
				t.Errorf("%s, %q; want %s, %q", update, description, c.update, c.description)
			}
			if got.Promote != c.promote || got.Evaluate != c.evaluate || (got.Rollback != nil) != c.rollback || (len(got.Reschedule) > 0) != c.again {
				t.Errorf("%+v", got)
			}
			switch {
			case got.Wake == nil != (c.wake == nil):
				t.Errorf("wake %v; want %v", got.Wake, c.wake)
			case got.Wake != nil && !got.Wake.Equal(*c.wake):
				t.Errorf("wake %v; want %v", got.Wake, c.wake)
			}
		})
	}
}
