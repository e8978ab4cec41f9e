package alloc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// TestHealth finds the health of an allocation of a deployment without checks.
func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name   string
		plans  []plan
		change func(*n.Job, *n.Allocation)
		health string
		after  time.Duration
		event  string
	}{
		{name: "it runs long enough", plans: forever, health: "true", after: 10 * time.Second},
		{name: "it starts slowly", plans: []plan{{begins: 20 * time.Second}}, health: "true", after: 30 * time.Second},
		{name: "it recovers in time", plans: []plan{{lasts: 5 * time.Second, exit: 1}, {}}, health: "true", after: 30 * time.Second},
		{name: "it starts too slowly", plans: []plan{{begins: time.Hour}}, health: "false", after: time.Minute,
			event: "Task not running by healthy_deadline of 1m0s"},
		{name: "it starts too late", plans: []plan{{begins: 55 * time.Second}}, health: "false", after: time.Minute,
			event: "Task not running for min_healthy_time of 10s by healthy_deadline of 1m0s"},
		{name: "it fails", plans: []plan{{lasts: time.Second, exit: 1}}, change: func(j *n.Job, _ *n.Allocation) { noRestart(&j.TaskGroups[0].Tasks[0]) },
			health: "false", after: time.Second, event: "Unhealthy because of failed task"},
		{name: "people judge", plans: forever, change: func(j *n.Job, _ *n.Allocation) { j.TaskGroups[0].Update.HealthCheck = "manual" }},
		{name: "no deployment", plans: forever, change: func(_ *n.Job, a *n.Allocation) { a.DeploymentID = "" }},
		{name: "a batch job", plans: forever, change: func(j *n.Job, _ *n.Allocation) { j.Type = n.JobTypeBatch }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, service(mainTask("web")), map[string][]plan{"web": c.plans})
				w.job.TaskGroups[0].Update = &n.Update{MaxParallel: 1, HealthCheck: "task_states", MinHealthyTime: 10 * time.Second, HealthyDeadline: time.Minute}
				w.alloc.DeploymentID = "deployment"
				if c.change != nil {
					c.change(w.job, w.alloc)
				}
				began := time.Now()
				a := w.start(nil)
				settle(2 * time.Minute)
				u := a.runner.Observed()
				health, after := "", time.Duration(0)
				if u.DeploymentHealth != nil {
					health = fmt.Sprint(*u.DeploymentHealth)
					after = u.HealthTime.Sub(began)
				}
				equal(t, "health", health, c.health)
				if after < c.after || after > c.after+7*time.Second { // the jitter of a restart
					t.Errorf("found after %v, want %v", after, c.after)
				}
				told := ""
				for _, e := range u.TaskStates["web"].Events {
					if e.Type == n.EventAllocUnhealthy {
						told += e.DisplayMessage
					}
				}
				equal(t, "told", told, c.event)
				w.want(stop)
				a.finish()
			})
		})
	}
}

// TestHealthOutlivesAgents looks on where the earlier agent left off: neither a
// deadline nor the time in health begins anew.
func TestHealthOutlivesAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, service(mainTask("web")), map[string][]plan{"web": forever})
		w.job.TaskGroups[0].Update = &n.Update{MaxParallel: 1, HealthCheck: "task_states", MinHealthyTime: time.Minute, HealthyDeadline: 5 * time.Minute}
		w.alloc.DeploymentID = "deployment"
		began := time.Now()
		a := w.start(nil)
		settle(50 * time.Second)
		a.leave()
		a = w.start(nil)
		settle(20 * time.Second)
		u := a.runner.Observed()
		if u.DeploymentHealth == nil || !*u.DeploymentHealth || u.HealthTime.Sub(began) != time.Minute {
			t.Errorf("health %v at %v", u.DeploymentHealth, u.HealthTime)
		}
		found := *u.HealthTime
		a.leave() // and what was found stays
		a = w.start(nil)
		settle(time.Second)
		if u := a.runner.Observed(); u.HealthTime == nil || !u.HealthTime.Equal(found) {
			t.Errorf("found again at %v", u.HealthTime)
		}
		// Another deployment finds it anew.
		w.want(func(a *n.Allocation, _ *n.Job) { a.DeploymentID = "next" })
		settle(time.Second)
		if u := a.runner.Observed(); u.HealthTime == nil || u.HealthTime.Equal(found) {
			t.Errorf("of the next deployment: %v", u.HealthTime)
		}
		w.want(stop)
		a.finish()
	})
}

// TestUsers has users restart, signal and ask.
func TestUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, service(with(mainTask("web"), noRestart), hooked("pre", n.HookPrestart, false)),
			map[string][]plan{"pre": {{lasts: time.Second}}, "web": {{ends: time.Second}}})
		a := w.start(nil)
		settle(time.Minute)
		w.saw("pre+ pre-0 web+")
		for range 3 { // which no policy counts
			if err := a.runner.Restart("web", false); err != nil {
				t.Error(err)
			}
			settle(time.Minute)
		}
		equal(t, "restarts", a.runner.Observed().TaskStates["web"].Restarts, 3)
		equal(t, "starts of pre", w.count("pre"), 1)
		if err := a.runner.Restart("", true); err != nil {
			t.Error(err)
		}
		settle(time.Minute)
		if have := strings.Join(w.story(), " "); !strings.HasSuffix(have, "web. web-0 pre+ pre-0 web+") {
			t.Error(have)
		}
		if err := a.runner.Signal("web", "SIGHUP"); err != nil || w.story()[len(w.story())-1] != "web SIGHUP" {
			t.Error(err, w.story())
		}
		for what, c := range map[string]struct {
			err  error
			kind errs.Kind
		}{
			"a restart of one that has ended": {a.runner.Restart("pre", false), errs.Conflict},
			"a restart of one that is not":    {a.runner.Restart("none", false), errs.NotFound},
			"one and all":                     {a.runner.Restart("web", true), errs.Invalid},
			"a signal that is none":           {a.runner.Signal("web", "SIGNONE"), errs.Invalid},
			"a signal to one that has ended":  {a.runner.Signal("pre", "SIGHUP"), errs.Conflict},
			"a signal to a task that is not":  {a.runner.Signal("none", "SIGHUP"), errs.NotFound},
		} {
			if !errs.Is(c.err, c.kind) {
				t.Errorf("%s: %v", what, c.err)
			}
		}
		w.want(stop)
		a.finish()
		equal(t, "status", a.runner.Observed().ClientStatus, n.ClientComplete)
	})
}

// TestSticks asks a driver that can not stop a task again, and gives up at last.
func TestSticks(t *testing.T) {
	for _, c := range []struct {
		times int
		took  time.Duration
		text  string
	}{
		{1, 5 * time.Second, "Task successfully killed"},
		{2, 25 * time.Second, "Task successfully killed"},
		{9, 5*time.Second + 20*time.Second + 80*time.Second + 2*time.Minute, "it sticks"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, service(mainTask("web")), map[string][]plan{"web": {{sticks: c.times}}})
			a := w.start(nil)
			settle(time.Minute)
			began := time.Now()
			w.want(stop)
			<-a.over
			if took := time.Since(began); took != c.took {
				t.Errorf("%d times: it took %v, want %v", c.times, took, c.took)
			}
			events := a.runner.Observed().TaskStates["web"].Events
			if last := events[len(events)-1]; last.Type != n.EventKilled || last.DisplayMessage != c.text {
				t.Errorf("%d times: %+v", c.times, last)
			}
			a.destroy()
		})
	}
}

// TestMaxRun ends what has run for as long as it may, also when no agent was
// there at that time.
func TestMaxRun(t *testing.T) {
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, batch(mainTask("web"), hooked("last", n.HookPoststop, false)), map[string][]plan{"web": forever})
			most := time.Hour
			w.job.TaskGroups[0].MaxRunDuration = &most
			began := time.Now()
			a := w.start(nil)
			settle(most - time.Minute)
			equal(t, "alive before", strings.Join(w.alive(), " "), "web")
			if away {
				a.leave()
				settle(time.Hour)
				a = w.start(nil)
			}
			last := a.finish()
			equal(t, "text", last.ClientDescription, "allocation exceeded max_run_duration")
			w.saw("web+ web. web-0")
			if took := time.Since(began); !away && took != most {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestDestroy removes an allocation that runs: it ends first, and only then is
// its directory removed; what can not be removed may be tried again.
func TestDestroy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, service(with(mainTask("web"), func(t *n.Task) { t.ShutdownDelay = time.Second }), hooked("last", n.HookPoststop, false)),
			map[string][]plan{"web": {{ends: 3 * time.Second}}})
		w.hooks = append(w.hooks, &stubborn{fails: 1})
		a := w.start(nil)
		settle(time.Minute)
		began, destroyed := time.Now(), make(chan error, 1)
		go func() { destroyed <- a.runner.Destroy() }()
		settle(2 * time.Second)
		if _, err := os.Stat(a.runner.Dir()); err != nil {
			t.Errorf("the directory has gone before the task: %v", err)
		}
		if err := <-destroyed; err == nil || !strings.Contains(err.Error(), "busy") {
			t.Error(err)
		}
		if took := time.Since(began); took < 3*time.Second || took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		<-a.over
		a.destroy()
		w.saw("web+ web. web-0") // poststop does not run for what is removed
	})
}

// stubborn is a hook that can not remove what it made at first.
type stubborn struct {
	directory
	fails int
}

func (s *stubborn) Destroy(ctx context.Context, a *n.Allocation) error {
	if s.fails--; s.fails >= 0 {
		return errors.New("busy")
	}
	return nil
}

// TestAgentDiesStopping kills the agent at every step of the life of an allocation
// that is stopped. The next one ends it in order: the leader first, poststop at
// last and once, and no process is left.
func TestAgentDiesStopping(t *testing.T) {
	job := func() *n.Job {
		return service(mainTask("side"), with(mainTask("web"), leader), hooked("last", n.HookPoststop, false))
	}
	plans := map[string][]plan{"web": {{ends: time.Second}}, "side": {{ends: time.Second}}, "last": {{lasts: time.Second}}}
	life := func(t *testing.T, step int, flush bool) (ops int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, job(), plans)
			a := w.start(func(a *agent) { a.crashAt, a.flush = step, flush })
			settle(time.Minute)
			w.want(stop)
			<-a.over
			if !a.dead() { // its time comes with the removal
				_ = a.runner.Destroy()
			}
			settle(time.Second)
			ops = len(a.ops)
			if !a.dead() {
				_ = a.journal.Close()
				return
			}
			if !w.remembered() && w.count("web") > 0 {
				equal(t, "processes", w.left(), 0)
				return
			}
			a = w.start(nil)
			equal(t, "status", a.finish().ClientStatus, n.ClientComplete)
			story := " " + strings.Join(w.story(), " ") + " "
			for _, name := range []string{"web", "side", "last"} {
				if w.count(name) > 1 {
					t.Errorf("%s was started %d times: %s", name, w.count(name), story)
				}
			}
			if w.count("web") == 1 && w.count("last") != 1 {
				t.Errorf("poststop did not run: %s", story)
			}
			if w.count("web") == 1 && w.count("side") == 1 && strings.Index(story, " web-0 ") > strings.Index(story, " side. ") {
				t.Errorf("the leader did not end first: %s", story)
			}
		})
		return ops
	}
	steps := life(t, 0, false)
	if steps < 20 {
		t.Fatalf("there are %d steps", steps)
	}
	for step := 1; step <= steps; step++ {
		for _, flush := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d flush %v", step, flush), func(t *testing.T) { life(t, step, flush) })
		}
	}
}

// TestEndAlone ends an allocation as a failure at once, whatever delays it asks
// for, and an agent that comes later does not run it again.
func TestEndAlone(t *testing.T) {
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, service(with(mainTask("web"), func(t *n.Task) { t.ShutdownDelay = time.Hour })), map[string][]plan{"web": forever})
			a := w.start(nil)
			settle(time.Minute)
			began := time.Now()
			a.runner.EndAlone()
			if away {
				a.leave()
				a = w.start(nil)
			}
			last := a.finish()
			equal(t, "status", last.ClientStatus, n.ClientFailed)
			equal(t, "text", last.ClientDescription, "no server was heard of for stop_on_client_after")
			w.saw("web+ web. web-0")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			a.runner.EndAlone() // changes nothing any more
		})
	}
}
