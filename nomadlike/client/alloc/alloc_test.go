package alloc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// forever is a plan of a task that stays until it is stopped.
var forever = []plan{{}}

func TestToTheEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		job    *n.Job
		plans  map[string][]plan
		host   func(*world)
		status n.ClientStatus
		story  string
		events string // of web
	}{
		{
			name: "a batch task ends", job: batch(mainTask("web")), plans: map[string][]plan{"web": {{lasts: time.Minute}}},
			status: n.ClientComplete, story: "web+ web-0", events: "Received, Task Setup, Started, Terminated",
		},
		{
			name: "a batch task fails until its attempts are used up", job: batch(mainTask("web")),
			plans:  map[string][]plan{"web": {{lasts: time.Second, exit: 3}}},
			status: n.ClientFailed, story: "web+ web-3 web+ web-3 web+ web-3",
			// The ten latest: the first, "Received", is gone.
			events: "Task Setup, Started, Terminated, Restarting, Started, Terminated, Restarting, Started, Terminated, Not Restarting",
		},
		{
			name: "a service that ends is restarted, whatever its code", job: service(mainTask("web")),
			plans:  map[string][]plan{"web": {{lasts: time.Second}}},
			status: n.ClientFailed, story: "web+ web-0 web+ web-0 web+ web-0",
		},
		{
			name: "a batch task recovers", job: batch(mainTask("web")),
			plans:  map[string][]plan{"web": {{lasts: time.Second, exit: 1}, {lasts: time.Second}}},
			status: n.ClientComplete, story: "web+ web-1 web+ web-0",
		},
		{
			name: "a start that fails is final", job: batch(mainTask("web")),
			plans:  map[string][]plan{"web": {{fails: errors.New("no such image")}}},
			status: n.ClientFailed, story: "web!",
		},
		{
			name: "a start that may succeed later is tried again", job: batch(mainTask("web")),
			plans:  map[string][]plan{"web": {{fails: drivers.Recoverable(errors.New("the engine is away"))}, {lasts: time.Second}}},
			status: n.ClientComplete, story: "web! web+ web-0",
		},
		{
			name: "a task that fails takes the others with it", job: service(with(mainTask("web"), noRestart), mainTask("side")),
			plans:  map[string][]plan{"web": {{lasts: time.Minute, exit: 1}}, "side": forever},
			status: n.ClientFailed, story: "web-1 side. side-0",
		},
		{
			name: "the leader's end is everybody's", job: batch(with(mainTask("web"), leader), mainTask("side")),
			plans:  map[string][]plan{"web": {{lasts: time.Minute}}, "side": forever},
			status: n.ClientComplete, story: "web-0 side. side-0",
		},
		{
			name: "prestart before, poststart after, poststop at last",
			job:  batch(mainTask("web"), hooked("pre", n.HookPrestart, false), hooked("post", n.HookPoststart, false), hooked("last", n.HookPoststop, false)),
			plans: map[string][]plan{
				"pre": {{lasts: time.Second}}, "web": {{lasts: time.Minute}}, "post": {{lasts: time.Second}}, "last": {{lasts: time.Second}},
			},
			status: n.ClientComplete, story: "pre+ pre-0 web+ post+ post-0 web-0 last+ last-0",
		},
		{
			name:  "sidecars live as long as the main tasks",
			job:   batch(mainTask("web"), hooked("proxy", n.HookPrestart, true)),
			plans: map[string][]plan{"proxy": forever, "web": {{lasts: time.Minute}}}, status: n.ClientComplete,
			story: "proxy+ web+ web-0 proxy. proxy-0",
		},
		{
			name:   "a prestart task that fails keeps the main one from starting",
			job:    batch(mainTask("web"), with(hooked("pre", n.HookPrestart, false), noRestart)),
			plans:  map[string][]plan{"pre": {{lasts: time.Second, exit: 1}}},
			status: n.ClientFailed, story: "pre+ pre-1",
		},
		{
			name: "a hook that fails", job: batch(mainTask("web")),
			host:   func(w *world) { w.hooks[0].(*directory).fail = errors.New("disk full") },
			status: n.ClientFailed, story: "",
		},
		{
			name: "an unknown driver", job: batch(with(mainTask("web"), func(t *n.Task) { t.Driver = "nonesuch" })),
			status: n.ClientFailed, story: "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, c.job, c.plans)
				if c.host != nil {
					c.host(w)
				}
				a := w.start(nil)
				last := a.finish()
				equal(t, "status", last.ClientStatus, c.status)
				if have := strings.Join(w.story(), " "); !strings.HasSuffix(have, c.story) || c.story == "" && have != "" {
					t.Errorf("have %s\nwant %s", have, c.story)
				}
				if c.events != "" {
					equal(t, "events", a.events("web"), c.events)
				}
			})
		})
	}
}

// TestStop stops an allocation in its different conditions.
func TestStop(t *testing.T) {
	for _, c := range []struct {
		name  string
		job   *n.Job
		plans map[string][]plan
		after time.Duration
		story string
		took  time.Duration
	}{
		{"one that obeys", service(mainTask("web")), map[string][]plan{"web": {{ends: time.Second}}}, time.Minute, "web+ web. web-0", time.Second},
		{"one that does not", service(mainTask("web")), map[string][]plan{"web": {{ends: time.Hour}}}, time.Minute, "web+ web. web-137", 5 * time.Second},
		{
			"one whose start takes long", service(mainTask("web")), map[string][]plan{"web": {{begins: time.Hour}}}, time.Minute, "", 0,
		},
		{
			"one that waits for its restart", service(mainTask("web")), map[string][]plan{"web": {{lasts: time.Second, exit: 1}}},
			10 * time.Second, "web+ web-1", 0,
		},
		{
			"the leader goes first", service(mainTask("side"), with(mainTask("web"), leader)), map[string][]plan{"web": {{ends: time.Second}}, "side": forever},
			time.Minute, "web. web-0 side. side-0", time.Second,
		},
		{
			"one with a delay", service(with(mainTask("web"), func(t *n.Task) { t.ShutdownDelay = 20 * time.Second })), map[string][]plan{"web": forever},
			time.Minute, "web+ web. web-0", 20 * time.Second,
		},
		{
			"poststop tasks run", service(mainTask("web"), hooked("last", n.HookPoststop, false)), map[string][]plan{"web": forever, "last": {{lasts: time.Second}}},
			time.Minute, "web+ web. web-0 last+ last-0", time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, c.job, c.plans)
				a := w.start(nil)
				settle(c.after)
				began := time.Now()
				w.want(stop)
				last := a.finish()
				equal(t, "status", last.ClientStatus, n.ClientComplete)
				if have := strings.Join(w.story(), " "); !strings.HasSuffix(have, c.story) {
					t.Errorf("have %s\nwant %s", have, c.story)
				}
				if took := time.Since(began); took < c.took || took > c.took+time.Second {
					t.Errorf("it took %v; want %v", took, c.took)
				}
			})
		})
	}
}

// TestAgentLeaves starts the agent anew, and the task does not notice.
func TestAgentLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, service(mainTask("web")), map[string][]plan{"web": forever})
		a := w.start(nil)
		settle(time.Minute)
		a.leave()
		settle(time.Hour)
		equal(t, "alive", strings.Join(w.alive(), " "), "web")
		a = w.start(nil)
		settle(time.Minute)
		equal(t, "status", a.runner.Observed().ClientStatus, n.ClientRunning)
		w.crash("web", 1) // and the next agent watches over it
		settle(time.Minute)
		equal(t, "starts", w.count("web"), 2)
		w.want(stop)
		a.finish()
		w.saw("web+ web-1 web+ web. web-0")
	})
}

// TestAgentDies kills the agent at every single step of an allocation's life, with
// and without its last words on disk. The next one brings it to the same end:
// nothing is started twice, nothing is left.
func TestAgentDies(t *testing.T) {
	job := func() *n.Job {
		return batch(mainTask("web"), hooked("pre", n.HookPrestart, false), hooked("side", n.HookPrestart, true))
	}
	plans := map[string][]plan{
		"pre": {{lasts: time.Second}}, "side": {{ends: time.Second}}, "web": {{lasts: 20 * time.Second, exit: 1}, {lasts: 20 * time.Second}},
	}
	steps := 0
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, job(), plans)
		a := w.start(nil)
		equal(t, "status", a.finish().ClientStatus, n.ClientComplete)
		steps = len(a.ops)
	})
	if steps < 20 {
		t.Fatalf("there are %d steps", steps)
	}
	for step := 1; step <= steps; step++ {
		for _, flush := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d flush %v", step, flush), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, job(), plans)
					a := w.start(func(a *agent) { a.crashAt, a.flush = step, flush })
					select {
					case <-a.over:
					case <-time.After(time.Hour):
					}
					if !a.dead() { // its time comes with the removal
						_ = a.runner.Destroy()
					}
					settle(time.Second)
					if !w.remembered() {
						equal(t, "processes", w.left(), 0)
						return
					}
					a = w.start(nil)
					last := a.finish()
					equal(t, "status", last.ClientStatus, n.ClientComplete)
					if web := w.count("web"); web != 2 {
						t.Errorf("web was started %d times: %v", web, w.story())
					}
					if pre := w.count("pre"); pre != 1 {
						t.Errorf("pre was started %d times: %v", pre, w.story())
					}
				})
			})
		}
	}
}
