package tasklife_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
)

// group makes a group of tasks, written "name", "name:leader" or "name:hook" with
// a "+" for sidecars.
func group(tasks string) *n.Group {
	g := &n.Group{Name: "g"}
	for _, s := range strings.Fields(tasks) {
		name, role, _ := strings.Cut(s, ":")
		t := n.Task{Name: name}
		if hook, sidecar := strings.CutSuffix(role, "+"); role == "leader" {
			t.Leader = true
		} else if role != "" {
			t.Lifecycle = &n.Lifecycle{Hook: hook, Sidecar: sidecar}
		}
		g.Tasks = append(g.Tasks, t)
	}
	return g
}

// states makes states, one letter for each task: p, r, d(ead) or f(ailed).
func states(g *n.Group, letters string) tasklife.States {
	out := tasklife.States{}
	for i, l := range letters {
		out[g.Tasks[i].Name] = &n.TaskState{
			State:  map[rune]string{'p': n.TaskPending, 'r': n.TaskRunning, 'd': n.TaskDead, 'f': n.TaskDead}[l],
			Failed: l == 'f',
		}
	}
	return out
}

const everyRole = "pre:prestart proxy:prestart+ web post:poststart log:poststart+ last:poststop"

// TestPhases finds which tasks may start, from the states of all.
func TestPhases(t *testing.T) {
	for _, c := range []struct {
		tasks, states string
		from          tasklife.Phase
		phase         tasklife.Phase
		open          string
	}{
		{everyRole, "pppppp", tasklife.PhaseInit, tasklife.PhasePrestart, "pre proxy"},
		{everyRole, "dppppp", tasklife.PhasePrestart, tasklife.PhasePrestart, "pre proxy"},
		{everyRole, "rrpppp", tasklife.PhasePrestart, tasklife.PhasePrestart, "pre proxy"},
		{everyRole, "drpppp", tasklife.PhasePrestart, tasklife.PhaseMain, "proxy web"},
		{everyRole, "drrppp", tasklife.PhaseMain, tasklife.PhasePoststart, "proxy web post log"},
		{everyRole, "drrrrp", tasklife.PhasePoststart, tasklife.PhasePoststart, "proxy web post log"},
		{everyRole, "drrdrp", tasklife.PhasePoststart, tasklife.PhaseWait, "proxy web log"},
		{everyRole, "drrdpp", tasklife.PhaseWait, tasklife.PhaseWait, "proxy web log"}, // a sidecar is restarted
		{everyRole, "drpdrp", tasklife.PhaseWait, tasklife.PhaseWait, "proxy web log"}, // so is the main task
		{everyRole, "dddddp", tasklife.PhaseWait, tasklife.PhasePoststop, "last"},
		{everyRole, "drrdrp", tasklife.PhaseInit, tasklife.PhaseWait, "proxy web log"}, // found by a new agent
		{"web", "p", tasklife.PhaseInit, tasklife.PhaseMain, "web"},
		{"web db", "rp", tasklife.PhaseMain, tasklife.PhaseMain, "web db"},
		{"web db post:poststart", "rpp", tasklife.PhaseMain, tasklife.PhaseMain, "web db"},
		{"web db post:poststart", "rrp", tasklife.PhaseMain, tasklife.PhasePoststart, "web db post"},
	} {
		g := group(c.tasks)
		s := states(g, c.states)
		step := tasklife.Next(tasklife.Situation{Group: g, States: s, Phase: c.from}, start)
		var open []string
		for i := range g.Tasks {
			if step.Phase.Open(tasklife.RoleOf(&g.Tasks[i])) {
				open = append(open, g.Tasks[i].Name)
			}
		}
		if have := strings.Join(open, " "); !step.Ending.IsZero() || step.Phase != c.phase || have != c.open {
			t.Errorf("%s %s from %v: %v, open %q; want %v, open %q", c.tasks, c.states, c.from, step.Phase, have, c.phase, c.open)
		}
	}
}

// TestEffects finds what the end of some tasks does to the others.
func TestEffects(t *testing.T) {
	for _, c := range []struct {
		tasks, states string
		event         string
		sibling       string
		kill          string
	}{
		{"web db", "rr", "", "", ""},
		{"web db", "dr", "", "", ""},
		{"web db", "fr", n.EventSiblingFailed, "web", "db"},
		{"web:leader db", "dr", n.EventLeaderDead, "", "db"},
		{"web:leader db", "fr", n.EventSiblingFailed, "web", "db"},
		{"db web:leader log", "fdr", n.EventLeaderDead, "", "log"}, // the leader's end goes before
		{"web db:leader log", "frr", n.EventSiblingFailed, "web", "db"},
		{"pre:prestart web", "fp", n.EventSiblingFailed, "pre", "web"},
		{"pre:prestart web", "dp", "", "", ""},
		{"web proxy:prestart+", "dr", n.EventMainDead, "", "proxy"},
		{"web post:poststart proxy:prestart+", "drr", "", "", ""},
		{"web post:poststart proxy:prestart+", "ddr", n.EventMainDead, "", "proxy"},
		{"web proxy:prestart+ last:poststop", "drp", n.EventMainDead, "", "proxy"},
		{"web log:poststart+", "rf", n.EventSiblingFailed, "log", "web"},
		{"web last:poststop", "rf", "", "", ""}, // the failure of poststop is nobody else's
		{"web last:poststop", "fp", "", "", ""}, // and it runs though others failed
	} {
		g := group(c.tasks)
		step := tasklife.Next(tasklife.Situation{Group: g, States: states(g, c.states), Phase: tasklife.PhaseWait}, start)
		if step.Tell.Event != c.event || step.Tell.Sibling != c.sibling || strings.Join(step.Kill, " ") != c.kill {
			t.Errorf("%s %s: %+v, kill %v; want %q by %q, kill %q", c.tasks, c.states, step.Tell, step.Kill, c.event, c.sibling, c.kill)
		}
		if ends := !step.Ending.IsZero(); ends != (c.event != "") {
			t.Errorf("%s %s: ends %v", c.tasks, c.states, ends)
		}
	}
}

// TestEnd goes through the end of an allocation that is told to.
func TestEnd(t *testing.T) {
	const tasks = "side:prestart+ db web:leader last:poststop"
	for _, c := range []struct {
		name   string
		states string
		change func(*tasklife.Situation)
		kill   string
		phase  tasklife.Phase
		wake   time.Duration // after start; 0: none
		over   bool
	}{
		{name: "the leader first", states: "rrrp", kill: "web", phase: tasklife.PhaseWait},
		{name: "then the others", states: "rrdp", kill: "db", phase: tasklife.PhaseWait},
		{name: "then the sidecars", states: "rddp", kill: "side", phase: tasklife.PhaseWait},
		{name: "then poststop runs", states: "dddp", phase: tasklife.PhasePoststop},
		{name: "and is not ended", states: "dddr", phase: tasklife.PhasePoststop},
		{name: "that is all", states: "dddd", phase: tasklife.PhaseWait, over: true},
		{name: "one that is removed", states: "dddp", change: func(s *tasklife.Situation) { s.All = true }, kill: "last", phase: tasklife.PhaseWait},
		{name: "one that waits for its shutdown delay", states: "rrrp", change: delayed, phase: tasklife.PhaseWait, wake: 20 * time.Second},
		{name: "without that delay", states: "rrrp", change: func(s *tasklife.Situation) { delayed(s); s.NoDelay = true }, kill: "web", phase: tasklife.PhaseWait},
		{name: "nothing runs, so nothing waits", states: "pppp", change: delayed, kill: "web", phase: tasklife.PhaseWait},
		{name: "the delay is over", states: "rrrp", change: func(s *tasklife.Situation) { delayed(s); s.Ending = start.Add(-20 * time.Second) }, kill: "web", phase: tasklife.PhaseWait},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := group(tasks)
			s := tasklife.Situation{Group: g, States: states(g, c.states), Phase: tasklife.PhaseWait, Stop: true}
			if c.change != nil {
				c.change(&s)
			}
			step := tasklife.Next(s, start)
			wake := time.Duration(0)
			if !step.Wake.IsZero() {
				wake = step.Wake.Sub(start)
			}
			if have := strings.Join(step.Kill, " "); have != c.kill || step.Phase != c.phase || wake != c.wake || step.Ended != c.over || step.Tell.Event != "" {
				t.Errorf("kill %q, phase %v, wake %v, over %v, tell %v", have, step.Phase, wake, step.Ended, step.Tell)
			}
		})
	}
}

func delayed(s *tasklife.Situation) {
	d := 20 * time.Second
	s.Group.ShutdownDelay = &d
}

// TestMaxRunDuration ends what has run long enough, poststop tasks included.
func TestMaxRunDuration(t *testing.T) {
	g := group("web last:poststop")
	s := tasklife.Situation{Group: g, States: states(g, "rp"), Phase: tasklife.PhaseWait, Expires: start.Add(time.Minute)}
	if step := tasklife.Next(s, start); !step.Wake.Equal(s.Expires) || !step.Ending.IsZero() || step.Expired {
		t.Errorf("before: %+v", step)
	}
	step := tasklife.Next(s, s.Expires)
	// Poststop tasks that have not begun end before they could.
	if !step.Expired || step.Ending.IsZero() || !slices.Equal(step.Kill, []string{"last"}) {
		t.Errorf("at its time: %+v", step)
	}
	s.States, s.Ending, s.Expired = states(g, "rd"), step.Ending, true
	if step := tasklife.Next(s, s.Expires); !slices.Equal(step.Kill, []string{"web"}) || !step.Expired {
		t.Errorf("after it: %+v", step)
	}
	// A stop that comes first is what it is told as.
	s.Ending, s.Expired, s.Stop = start, false, true
	if step := tasklife.Next(s, s.Expires.Add(time.Hour)); step.Expired {
		t.Errorf("stopped before: %+v", step)
	}
}

// TestAgain brings all tasks back to the beginning, then goes on from there.
func TestAgain(t *testing.T) {
	g := group("pre:prestart web last:poststop")
	for _, c := range []struct {
		states string
		phase  tasklife.Phase
		again  bool
	}{
		{"drp", tasklife.PhaseInit, true},
		{"prp", tasklife.PhaseInit, true},
		{"ppp", tasklife.PhasePrestart, false},
		{"ppd", tasklife.PhasePrestart, false},
		{"ddd", tasklife.PhaseInit, true}, // all had ended
		{"dfp", tasklife.PhaseInit, true}, // and a failure brings no end to what runs again
	} {
		step := tasklife.Next(tasklife.Situation{Group: g, States: states(g, c.states), Phase: tasklife.PhaseWait, Again: true}, start)
		if step.Phase != c.phase || step.Again != c.again || step.Ended || !step.Ending.IsZero() || len(step.Kill) > 0 {
			t.Errorf("%s: %+v", c.states, step)
		}
	}
}

// TestStatus derives an allocation's status.
func TestStatus(t *testing.T) {
	for _, c := range []struct {
		tasks, states string
		status        n.ClientStatus
		text          string
	}{
		{"a b", "", n.ClientPending, "No tasks have started"},
		{"a b", "pp", n.ClientPending, "No tasks have started"},
		{"a b", "rp", n.ClientRunning, "Tasks are running"},
		{"a b", "dr", n.ClientRunning, "Tasks are running"},
		{"a b", "dp", n.ClientPending, "No tasks have started"},
		{"a b", "fr", n.ClientFailed, "Failed tasks"},
		{"a b", "dd", n.ClientComplete, "All tasks have completed"},
		{"a b:poststop", "df", n.ClientFailed, "Failed tasks"},
	} {
		g := group(c.tasks)
		if status, text := tasklife.Status(g, states(g, c.states)); status != c.status || text != c.text {
			t.Errorf("%s %s: %s, %s", c.tasks, c.states, status, text)
		}
	}
}

// TestHealthRule finds whose business an allocation's health is.
func TestHealthRule(t *testing.T) {
	yes := true
	update := &n.Update{HealthCheck: "task_states", MinHealthyTime: time.Second, HealthyDeadline: time.Minute}
	migrate := &n.Migrate{MinHealthyTime: 2 * time.Second, HealthyDeadline: time.Hour}
	manual := *update
	manual.HealthCheck = "manual"
	for _, c := range []struct {
		name   string
		kind   string
		alloc  n.Allocation
		update *n.Update
		want   string
	}{
		{"in a deployment", n.JobTypeService, n.Allocation{DeploymentID: "d"}, update, "1s 1m0s"},
		{"in one that people judge", n.JobTypeService, n.Allocation{DeploymentID: "d"}, &manual, "none"},
		{"in none", n.JobTypeService, n.Allocation{}, update, "2s 1h0m0s"},
		{"of a system job", n.JobTypeSystem, n.Allocation{DeploymentID: "d"}, update, "1s 1m0s"},
		{"of a batch job", n.JobTypeBatch, n.Allocation{}, update, "none"},
		{"known already", n.JobTypeService, n.Allocation{DeploymentID: "d", DeploymentStatus: &n.AllocDeployment{Healthy: &yes}}, update, "none"},
	} {
		rule, wanted := tasklife.HealthRuleOf(&n.Job{Type: c.kind}, &n.Group{Update: c.update, Migrate: migrate}, &c.alloc, start)
		have := "none"
		if wanted {
			have = fmt.Sprint(rule.MinHealthyTime, " ", rule.Deadline.Sub(start))
		}
		if have != c.want {
			t.Errorf("%s: %s, want %s", c.name, have, c.want)
		}
	}
}

// TestHealth finds health from tasks that began at some time after the watch did.
func TestHealth(t *testing.T) {
	rule := tasklife.HealthRule{MinHealthyTime: 10 * time.Second, Deadline: start.Add(time.Minute), HealthyAfter: time.Minute}
	for _, c := range []struct {
		tasks, states string
		began         []time.Duration
		now           time.Duration
		want          string
	}{
		{"a", "r", []time.Duration{0}, 9 * time.Second, "again 10s"},
		{"a", "r", []time.Duration{0}, 10 * time.Second, "healthy"},
		{"a b", "rr", []time.Duration{0, 7 * time.Second}, 10 * time.Second, "again 17s"},
		{"a b", "rr", []time.Duration{0, 7 * time.Second}, 17 * time.Second, "healthy"},
		{"a b", "rp", []time.Duration{0}, 30 * time.Second, "again 1m0s"},
		{"a b", "rp", []time.Duration{0}, time.Minute, "b: Task not running by healthy_deadline of 1m0s"},
		{"a", "", nil, time.Minute, "a: Task not running by healthy_deadline of 1m0s"},
		{"a", "r", []time.Duration{55 * time.Second}, 58 * time.Second, "again 1m0s"},
		{"a", "r", []time.Duration{55 * time.Second}, time.Minute, "a: Task not running for min_healthy_time of 10s by healthy_deadline of 1m0s"},
		{"a", "r", []time.Duration{50 * time.Second}, time.Minute, "healthy"},
		{"a b", "rf", []time.Duration{0}, 1, "b: Unhealthy because of failed task"},
		{"a b", "rd", []time.Duration{0}, 1, "b: Unhealthy because of dead task"},
		{"a pre:prestart", "rd", []time.Duration{0}, 10 * time.Second, "healthy"},
		{"a pre:prestart", "pf", nil, 1, "pre: Unhealthy because of failed task"},
		{"a post:poststart", "rp", []time.Duration{0}, 10 * time.Second, "again 1m0s"},
		{"a post:poststart", "rd", []time.Duration{0}, 10 * time.Second, "healthy"},
		{"a last:poststop", "rp", []time.Duration{0}, 10 * time.Second, "healthy"},
		{"a side:prestart+", "rd", []time.Duration{0}, 1, "side: Unhealthy because of dead task"},
	} {
		g := group(c.tasks)
		s := states(g, c.states)
		for i, began := range c.began {
			at := start.Add(began)
			s[g.Tasks[i].Name].StartedAt = &at
		}
		h := tasklife.HealthOf(rule, g, s, start.Add(c.now))
		have := ""
		switch {
		case h.Healthy == nil:
			have = fmt.Sprint("again ", h.Again.Sub(start))
		case *h.Healthy:
			have = "healthy"
		}
		for task, why := range h.Reasons {
			have += task + ": " + why
		}
		if have != c.want {
			t.Errorf("%s %s after %v: %q, want %q", c.tasks, c.states, c.now, have, c.want)
		}
	}
}
