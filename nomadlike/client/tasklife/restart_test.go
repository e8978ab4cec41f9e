package tasklife_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// An occasion is the end of one run, some time after the one before.
type occasion struct {
	after  time.Duration
	end    tasklife.End
	random float64
	want   string // verdict, delay, reason
}

var (
	failed    = tasklife.End{Failed: true}
	succeeded = tasklife.End{}
)

// TestRestart follows a policy through the ends of several runs.
func TestRestart(t *testing.T) {
	policy := n.Restart{Attempts: 2, Interval: time.Minute, Delay: 10 * time.Second, Mode: n.RestartModeFail}
	delay, none := policy, policy
	delay.Mode, none.Attempts = n.RestartModeDelay, 0
	const (
		within   = "restart 10s Restart within policy"
		exceeded = `fail 0s Exceeded allowed attempts 2 in interval 1m0s and mode is "fail"`
	)
	for _, c := range []struct {
		name      string
		policy    n.Restart
		onSuccess bool
		ends      []occasion
	}{
		{"attempts are used up", policy, false, []occasion{{end: failed, want: within}, {end: failed, want: within}, {end: failed, want: exceeded}}},
		{"at the very end of the interval nothing is forgotten", policy, false, []occasion{
			{end: failed, want: within}, {after: time.Minute, end: failed, want: within}, {end: failed, want: exceeded},
		}},
		{"after the interval it counts anew", policy, false, []occasion{
			{end: failed, want: within}, {end: failed, want: within}, {after: time.Minute + 1, end: failed, want: within},
			{end: failed, want: within}, {end: failed, want: exceeded},
		}},
		{"mode delay waits for the rest of the interval", delay, false, []occasion{
			{end: failed, want: within}, {after: 15 * time.Second, end: failed, want: within},
			{after: 5 * time.Second, end: failed, want: "restart 40s Exceeded allowed attempts, applying a delay"},
			{after: 40*time.Second + 1, end: failed, want: within},
		}},
		{"a service that ends well counts, too", policy, true, []occasion{
			{end: succeeded, want: within}, {end: succeeded, want: within}, {end: succeeded, want: exceeded},
		}},
		{"a batch task that ends well is finished", policy, false, []occasion{{end: failed, want: within}, {end: succeeded, want: "finish 0s "}}},
		{"no attempts", none, false, []occasion{{end: failed, want: "fail 0s Policy allows no restarts"}}},
		{"no attempts and a service ends well", none, true, []occasion{{end: succeeded, want: "fail 0s Policy allows no restarts"}}},
		{"no attempts and a batch task ends well", none, false, []occasion{{end: succeeded, want: "finish 0s "}}},
		{"the jitter is less than a quarter", policy, false, []occasion{
			{end: failed, random: 0.5, want: "restart 11.25s Restart within policy"}, {end: failed, random: 0.9999, want: "restart 12.49975s Restart within policy"},
		}},
		{"an order to end it wins over all", none, true, []occasion{{end: tasklife.End{Killed: true, Failed: true}, want: "finish 0s "}}},
		{"restarts that users want are free", policy, false, []occasion{
			{end: tasklife.End{Asked: true, Reason: "I say so"}, want: "restart 0s I say so"}, {end: tasklife.End{Asked: true}, want: "restart 0s "},
			{end: tasklife.End{Asked: true}, want: "restart 0s "}, {end: failed, want: within}, {end: failed, want: within},
		}},
		{"and allowed where no others are", none, false, []occasion{{end: tasklife.End{Asked: true}, want: "restart 0s "}}},
		{"those that checks want are counted", policy, false, []occasion{
			{end: tasklife.End{Asked: true, Failed: true, Reason: "unwell"}, want: "restart 10s unwell"}, {end: failed, want: within},
			{end: tasklife.End{Asked: true, Failed: true, Reason: "unwell"}, want: exceeded},
		}},
		{"a start that can not succeed", policy, false, []occasion{{end: tasklife.End{StartFailed: true}, want: "fail 0s Error was unrecoverable"}}},
		{"a start that may succeed", policy, false, []occasion{
			{end: tasklife.End{StartFailed: true, Recoverable: true}, want: within}, {end: failed, want: within},
			{end: tasklife.End{StartFailed: true, Recoverable: true}, want: exceeded},
		}},
		{"a start that fails with no attempts", none, false, []occasion{
			{end: tasklife.End{StartFailed: true, Recoverable: true}, want: "fail 0s Policy allows no restarts"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracker, now := tasklife.Tracker{Policy: c.policy, OnSuccess: c.onSuccess}, start
			for i, o := range c.ends {
				now = now.Add(o.after)
				var d tasklife.Decision
				tracker, d = tracker.Next(o.end, now, o.random)
				if have := fmt.Sprintf("%v %v %s", d.Verdict, d.Delay, d.Reason); have != o.want {
					t.Errorf("end %d: have %q, want %q", i+1, have, o.want)
				}
			}
		})
	}
}

// TestPolicyOf finds the policy of a task, and whether its good end is one.
func TestPolicyOf(t *testing.T) {
	group := &n.Group{RestartPolicy: &n.Restart{Attempts: 7}}
	own := &n.Restart{Attempts: 3}
	for _, c := range []struct {
		kind      string
		lifecycle *n.Lifecycle
		own       *n.Restart
		attempts  int
		onSuccess bool
	}{
		{kind: n.JobTypeService, attempts: 7, onSuccess: true},
		{kind: n.JobTypeSystem, own: own, attempts: 3, onSuccess: true},
		{kind: n.JobTypeBatch, attempts: 7},
		{kind: n.JobTypeSysBatch, attempts: 7},
		{kind: n.JobTypeService, lifecycle: &n.Lifecycle{Hook: n.HookPrestart}, attempts: 7},
		{kind: n.JobTypeBatch, lifecycle: &n.Lifecycle{Hook: n.HookPrestart, Sidecar: true}, attempts: 7, onSuccess: true},
		{kind: n.JobTypeService, lifecycle: &n.Lifecycle{Hook: n.HookPoststart}, attempts: 7},
		{kind: n.JobTypeBatch, lifecycle: &n.Lifecycle{Hook: n.HookPoststart, Sidecar: true}, attempts: 7, onSuccess: true},
		{kind: n.JobTypeService, lifecycle: &n.Lifecycle{Hook: n.HookPoststop}, attempts: 7},
	} {
		tr := tasklife.NewTracker(c.kind, group, &n.Task{Lifecycle: c.lifecycle, RestartPolicy: c.own})
		if tr.Policy.Attempts != c.attempts || tr.OnSuccess != c.onSuccess {
			t.Errorf("%s %+v: %+v", c.kind, c.lifecycle, tr)
		}
	}
}

// TestApply follows a task's state through its changes.
func TestApply(t *testing.T) {
	var s *n.TaskState
	for i, c := range []struct {
		change   tasklife.Change
		state    string
		failed   bool
		restarts uint64
		started  time.Duration // after start; -1: not
		finished time.Duration
	}{
		{tasklife.Change{}, n.TaskPending, false, 0, -1, -1},
		{tasklife.Change{State: n.TaskRunning}, n.TaskRunning, false, 0, 1, -1},
		{tasklife.Change{State: n.TaskRunning}, n.TaskRunning, false, 0, 1, -1},
		{tasklife.Change{State: n.TaskPending, Restart: true}, n.TaskPending, false, 1, 1, -1},
		{tasklife.Change{State: n.TaskRunning}, n.TaskRunning, false, 1, 4, -1},
		{tasklife.Change{State: n.TaskDead, Failed: true}, n.TaskDead, true, 1, 4, 5},
		{tasklife.Change{State: n.TaskRunning}, n.TaskDead, true, 1, 4, 5}, // the dead stay dead
		{tasklife.Change{State: n.TaskDead}, n.TaskDead, true, 1, 4, 5},
		{tasklife.Change{State: n.TaskPending, Restart: true}, n.TaskPending, false, 2, 4, -1},
	} {
		old := s
		var copied n.TaskState
		if old != nil {
			copied = *old
		}
		s = tasklife.Apply(old, c.change, start.Add(time.Duration(i)))
		at := func(p *time.Time) time.Duration {
			if p == nil {
				return -1
			}
			return p.Sub(start)
		}
		if s.State != c.state || s.Failed != c.failed || s.Restarts != c.restarts || at(s.StartedAt) != c.started || at(s.FinishedAt) != c.finished {
			t.Errorf("%d: %+v, started %v, finished %v", i, s, at(s.StartedAt), at(s.FinishedAt))
		}
		if old != nil && (old.State != copied.State || old.Restarts != copied.Restarts || old.FinishedAt != copied.FinishedAt) {
			t.Errorf("%d: what was before has changed", i)
		}
	}
}

// TestEventsKept keeps the latest events, and never writes into older states.
func TestEventsKept(t *testing.T) {
	var s, ninth *n.TaskState
	for i := range 25 {
		s = tasklife.Apply(s, tasklife.Change{Events: []n.TaskEvent{{Type: fmt.Sprint(i)}}}, start)
		if i == 8 {
			ninth = s
			tasklife.Apply(ninth, tasklife.Change{Events: []n.TaskEvent{{Type: "another future"}}}, start)
		}
	}
	types := func(s *n.TaskState) string {
		var out []string
		for _, e := range s.Events {
			out = append(out, e.Type)
		}
		return strings.Join(out, " ")
	}
	if have := types(s); have != "15 16 17 18 19 20 21 22 23 24" {
		t.Error(have)
	}
	if have := types(ninth); have != "0 1 2 3 4 5 6 7 8" {
		t.Error(have)
	}
}

// TestDisplay reads what people read of events; texts are those of the API.
func TestDisplay(t *testing.T) {
	for _, c := range []struct {
		kind    string
		details []string
		want    string
	}{
		{n.EventReceived, nil, "Task received by client"},
		{n.EventStarted, nil, "Task started by client"},
		{n.EventTerminated, []string{tasklife.KeyExitCode, "3", tasklife.KeySignal, "0"}, "Exit Code: 3"},
		{n.EventTerminated, []string{tasklife.KeyExitCode, "137", tasklife.KeySignal, "9", tasklife.KeyExitMessage, "OOM Killed"}, `Exit Code: 137, Signal: 9, Exit Message: "OOM Killed"`},
		{n.EventRestarting, []string{tasklife.KeyStartDelay, "2484560890", tasklife.KeyRestartReason, tasklife.ReasonWithinPolicy}, "Task restarting in 2.48456089s"},
		{n.EventRestarting, []string{tasklife.KeyStartDelay, "40000000000", tasklife.KeyRestartReason, tasklife.ReasonDelay}, "Exceeded allowed attempts, applying a delay - Task restarting in 40s"},
		{n.EventNotRestarting, []string{tasklife.KeyRestartReason, tasklife.ReasonNoRestarts}, "Policy allows no restarts"},
		{n.EventNotRestarting, nil, "Task exceeded restart policy"},
		{n.EventKilling, []string{tasklife.KeyKillTimeout, "5000000000"}, "Sent interrupt. Waiting 5s before force killing"},
		{n.EventKilling, []string{tasklife.KeyKillTimeout, "5000000000", tasklife.KeyKillReason, tasklife.DescMaxRun}, "allocation exceeded max_run_duration"},
		{n.EventKilled, nil, "Task successfully killed"},
		{n.EventKilled, []string{tasklife.KeyKillError, "it sticks"}, "it sticks"},
		{n.EventSignaling, []string{tasklife.KeySignal, "SIGHUP"}, "Task being sent signal SIGHUP"},
		{n.EventSiblingFailed, []string{tasklife.KeyFailedSibling, "web"}, `Task's sibling "web" failed`},
		{n.EventLeaderDead, nil, "Leader Task in Group dead"},
		{n.EventMainDead, nil, "Main tasks in the group died"},
		{n.EventRestartSignaled, nil, "Task signaled to restart"},
		{n.EventRestartSignaled, []string{tasklife.KeyRestartReason, "User requested"}, "User requested"},
		{n.EventDriverFailure, []string{tasklife.KeyDriverError, "no image"}, "no image"},
	} {
		e := tasklife.Event(start, c.kind, c.details...)
		if e.DisplayMessage != c.want || e.Time != start.UnixNano() || e.Type != c.kind {
			t.Errorf("%s: %q, want %q", c.kind, e.DisplayMessage, c.want)
		}
	}
}
