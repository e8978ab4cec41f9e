package tasklife

import (
	"fmt"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Tracker counts a task's restarts against its policy.
type Tracker struct {
	Policy    n.Restart
	OnSuccess bool // restart after a successful exit as well
	Count     int
	Start     time.Time // of the interval that Count is about
}

// NewTracker makes the tracker of a task.
func NewTracker(jobType string, g *n.Group, t *n.Task) Tracker {
	tr := Tracker{OnSuccess: onSuccess(jobType, t.Lifecycle)}
	switch {
	case t.RestartPolicy != nil:
		tr.Policy = *t.RestartPolicy
	case g != nil && g.RestartPolicy != nil:
		tr.Policy = *g.RestartPolicy
	}
	return tr
}

func onSuccess(jobType string, l *n.Lifecycle) bool {
	switch {
	case l == nil || l.Hook == "":
		return jobType != n.JobTypeBatch && jobType != n.JobTypeSysBatch
	case l.Hook == n.HookPoststop:
		return false
	}
	return l.Sidecar
}

// An End is how one run of a task came to its end. One of its fields is set,
// Reason aside; none means a successful exit.
type End struct {
	Killed      bool // asked to end for good
	Asked       bool // asked to restart
	Failed      bool // exit or check; with Asked: the restart counts
	StartFailed bool // it never ran
	Recoverable bool // with StartFailed: it may pass by itself
	Reason      string
}

// A Verdict says what follows the end of a run.
type Verdict int

const (
	Finish  Verdict = iota // dead, and well
	Fail                   // dead, and not well
	Restart                // once more, after a delay
)

func (v Verdict) String() string { return [...]string{"finish", "fail", "restart"}[v] }

// A Decision is a verdict with its reason.
type Decision struct {
	Verdict Verdict
	Delay   time.Duration
	Reason  string
}

// Reasons, which tools match on.
const (
	ReasonNoRestarts    = "Policy allows no restarts"
	ReasonUnrecoverable = "Error was unrecoverable"
	ReasonWithinPolicy  = "Restart within policy"
	ReasonDelay         = "Exceeded allowed attempts, applying a delay"
)

// Next decides what follows an end. random is in [0,1).
func (t Tracker) Next(e End, now time.Time, random float64) (Tracker, Decision) {
	succeeded := !e.Failed && !e.StartFailed
	switch {
	case e.Killed:
		return t, Decision{Verdict: Finish}
	case e.Asked && !e.Failed:
		return t, Decision{Verdict: Restart, Reason: e.Reason}
	case t.Policy.Attempts == 0 && succeeded && !t.OnSuccess:
		return t, Decision{Verdict: Finish}
	case t.Policy.Attempts == 0:
		return t, Decision{Verdict: Fail, Reason: ReasonNoRestarts}
	}
	if now.After(t.Start.Add(t.Policy.Interval)) {
		t.Count, t.Start = 0, now
	}
	t.Count++
	switch {
	case e.StartFailed && !e.Recoverable:
		return t, Decision{Verdict: Fail, Reason: ReasonUnrecoverable}
	case succeeded && !t.OnSuccess:
		return t, Decision{Verdict: Finish}
	case t.Count > t.Policy.Attempts && t.Policy.Mode == n.RestartModeDelay:
		return t, Decision{Restart, max(0, t.Start.Add(t.Policy.Interval).Sub(now)), ReasonDelay}
	case t.Count > t.Policy.Attempts:
		return t, Decision{Verdict: Fail, Reason: t.exceeded()}
	}
	d := Decision{Restart, t.Policy.Delay + time.Duration(random*float64(t.Policy.Delay)*0.25), ReasonWithinPolicy}
	if e.Asked && e.Reason != "" {
		d.Reason = e.Reason
	}
	return t, d
}

func (t Tracker) exceeded() string {
	return fmt.Sprintf("Exceeded allowed attempts %d in interval %v and mode is \"fail\"", t.Policy.Attempts, t.Policy.Interval)
}
