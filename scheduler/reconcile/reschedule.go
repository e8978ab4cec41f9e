package reconcile

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// due is an allocation that is to be replaced at a time.
type due struct {
	alloc *n.Allocation
	at    time.Time
}

// reschedulable splits allocations into those that keep their place, those that
// are replaced now and those, also kept, whose time will come; see the
// scheduling reference, 5.4. vanished are those of them that just became unknown.
func reschedulable(in *Input, r *Result, g *n.Group, current *n.Deployment, allocs, vanished []*n.Allocation) (keep, now []*n.Allocation, later []due) {
	gone := set(vanished)
	for _, a := range allocs {
		switch candidate(in.Job, a) {
		case dropped:
			continue
		case kept:
			keep = append(keep, a)
			continue
		}
		switch at, ok := when(in, g, current, a, gone[a.ID]); {
		case !ok:
			keep = append(keep, a)
		case a.FollowupEvalID == in.Eval.ID && in.Eval.ID != "" || at.Sub(in.Now) <= soon:
			now = append(now, a)
		default:
			if a.FollowupEvalID == "" || gone[a.ID] { // it is looked at again sooner than it is lost
				a = r.Changed(a)
				r.group(a.TaskGroup).RescheduleLater++
				later = append(later, due{a, at})
			}
			keep = append(keep, a)
		}
	}
	return keep, now, later
}

// soon is what is not worth waiting for.
const soon = time.Second

type candidacy int

const (
	dropped candidacy = iota // its name is free
	kept
	mayFollow
)

func candidate(job *n.Job, a *n.Allocation) candidacy {
	switch {
	case a.Terminal() && a.NextAllocation != "":
		return dropped
	case job.RunsToCompletion():
		return batchCandidate(a)
	case a.ServerTerminal():
		return ifUnplaced(a)
	case a.ClientStatus == n.ClientComplete || a.ClientStatus == n.ClientLost:
		return dropped
	}
	return mayFollow
}

func batchCandidate(a *n.Allocation) candidacy {
	switch {
	case n.Asked(a.DesiredTransition.MigrateDisablePlacement):
		return kept
	case n.Asked(a.DesiredTransition.Reschedule), a.ClientStatus == n.ClientUnknown && !a.ServerTerminal():
		return mayFollow
	case a.DesiredStatus == n.DesiredStop && succeeded(a):
		return kept
	case a.DesiredStatus == n.DesiredStop:
		return ifUnplaced(a)
	case a.DesiredStatus == n.DesiredEvict:
		return dropped
	case a.ClientStatus == n.ClientFailed:
		return mayFollow
	}
	return kept
}

// unplaced is what a tracker says when there was no room for a replacement.
const unplaced = "no placement"

func ifUnplaced(a *n.Allocation) candidacy {
	if a.RescheduleTracker != nil && a.RescheduleTracker.LastReschedule == unplaced {
		return mayFollow
	}
	return dropped
}

// succeeded reports an allocation all of whose tasks ended well.
func succeeded(a *n.Allocation) bool {
	for _, t := range a.TaskStates {
		if t.State != n.TaskDead || t.Failed {
			return false
		}
	}
	return len(a.TaskStates) > 0
}

// when says at what time an allocation is to be replaced, if at all. vanished says
// that it just became unknown; those that were are left alone, but for one whose
// time has come and one for which there was no room.
func when(in *Input, g *n.Group, current *n.Deployment, a *n.Allocation, vanished bool) (time.Time, bool) {
	asked := n.Asked(a.DesiredTransition.Reschedule)
	if current != nil && a.DeploymentID == current.ID && current.Status.Active() && !asked {
		return time.Time{}, false // the deployment decides
	}
	if n.Asked(a.DesiredTransition.ForceReschedule) && a.ClientStatus.Terminal() {
		return in.Now, true
	}
	switch {
	case a.ClientStatus == n.ClientUnknown:
		again := a.FollowupEvalID == in.Eval.ID && in.Eval.ID != "" || ifUnplaced(a) == mayFollow
		if !groupOf(in, a).ReplacesUnknown() || !vanished && !again {
			return time.Time{}, false
		}
	case a.ClientStatus != n.ClientFailed && a.ClientStatus != n.ClientLost && (!asked || !in.Job.RunsToCompletion()):
		return time.Time{}, false
	}
	if !MayReschedule(g, a) {
		return time.Time{}, false
	}
	return Ended(a).Add(NextDelay(g.ReschedulePolicy, a)), true
}

// Ended is when an allocation's last task ended, as far as anybody knows.
func Ended(a *n.Allocation) time.Time {
	if since := a.UnknownSince(); a.ClientStatus == n.ClientUnknown && !since.IsZero() {
		return since
	}
	var last time.Time
	for _, t := range a.TaskStates {
		if t.FinishedAt != nil && t.FinishedAt.After(last) {
			last = *t.FinishedAt
		}
	}
	if last.IsZero() {
		return time.Unix(0, a.ModifyTime)
	}
	return last
}

// MayReschedule reports whether the group's policy allows one more replacement.
func MayReschedule(g *n.Group, a *n.Allocation) bool {
	if g == nil || !g.ReschedulePolicy.Enabled() {
		return false
	}
	p := g.ReschedulePolicy
	if p.Unlimited || a.RescheduleTracker == nil {
		return true
	}
	return len(within(a, p.Interval)) < p.Attempts && NextDelay(p, a) < p.Interval
}

// within returns the tracked events that happened at most interval before the
// allocation ended.
func within(a *n.Allocation, interval time.Duration) []n.RescheduleEvent {
	if a.RescheduleTracker == nil {
		return nil
	}
	since := Ended(a).Add(-interval).UnixNano()
	return slices.DeleteFunc(slices.Clone(a.RescheduleTracker.Events), func(e n.RescheduleEvent) bool { return e.RescheduleTime <= since })
}

// NextDelay is how long after its end an allocation is replaced.
func NextDelay(p *n.Reschedule, a *n.Allocation) time.Duration {
	if a.RescheduleTracker == nil || len(a.RescheduleTracker.Events) == 0 {
		return p.Delay
	}
	events := a.RescheduleTracker.Events
	last := events[len(events)-1]
	delay := p.Delay
	switch p.DelayFunction {
	case "exponential":
		delay = 2 * last.Delay
	case "fibonacci":
		if len(events) > 1 {
			before := events[len(events)-2].Delay
			delay = before + last.Delay
			if before == p.MaxDelay && last.Delay == p.Delay { // it was reset
				delay = last.Delay
			}
		}
	default:
		return delay
	}
	if p.MaxDelay > 0 && delay > p.MaxDelay {
		delay = p.MaxDelay
		if Ended(a).Sub(time.Unix(0, last.RescheduleTime)) > p.MaxDelay {
			delay = p.Delay // it ran long enough to begin again
		}
	}
	return delay
}

// keptEvents is how much of the history goes on where attempts are unlimited.
const keptEvents = 5

// Track makes the history of an allocation's successor.
func Track(g *n.Group, prev *n.Allocation, now time.Time) *n.RescheduleTracker {
	t := &n.RescheduleTracker{LastReschedule: "ok"}
	p := g.ReschedulePolicy
	if prev.RescheduleTracker != nil {
		t.Events = slices.Clone(prev.RescheduleTracker.Events)
		if p != nil && p.Attempts > 0 && !p.Unlimited {
			t.Events = within(prev, p.Interval)
		} else if drop := len(t.Events) - keptEvents; drop > 0 {
			t.Events = t.Events[drop:]
		}
	}
	e := n.RescheduleEvent{RescheduleTime: now.UnixNano(), PrevAllocID: prev.ID, PrevNodeID: prev.NodeID}
	if p != nil {
		e.Delay = NextDelay(p, prev)
	}
	t.Events = append(t.Events, e)
	return t
}

// Unplaced notes that there was no room for a replacement.
func Unplaced(prev *n.Allocation) *n.RescheduleTracker {
	t := &n.RescheduleTracker{LastReschedule: unplaced}
	if prev.RescheduleTracker != nil {
		t.Events = prev.RescheduleTracker.Events
	}
	return t
}

// window is within which follow-up evaluations are made one.
const window = 5 * time.Second

// descDelayed describes evaluations that wait to replace something.
const descDelayed = "created for delayed rescheduling"

// followUp makes evaluations for replacements whose time will come.
func followUp(in *Input, r *Result, later []due) {
	for id, eval := range r.wakeFor(in, later, descDelayed, n.TriggerAllocReschedule, n.TriggerAllocFailure) {
		r.changed[id].FollowupEvalID = eval
	}
}

// wakeFor makes evaluations for the times at which allocations are due, and
// says which is whose. The first is triggered by the first of the triggers, and
// so on; the last trigger is that of all others.
func (r *Result) wakeFor(in *Input, list []due, description string, triggers ...string) map[n.AllocID]n.EvalID {
	slices.SortStableFunc(list, func(a, b due) int { return a.at.Compare(b.at) })
	var eval *n.Evaluation
	out := map[n.AllocID]n.EvalID{}
	for _, d := range list {
		if eval == nil || d.at.Sub(*eval.WaitUntil) > window {
			at := d.at
			eval = &n.Evaluation{
				ID: n.EvalID(in.NewID()), Namespace: in.Key.Namespace, JobID: in.Key.ID, Priority: in.Job.Priority, Type: in.Job.Type,
				TriggeredBy: triggers[0], JobModifyIndex: in.Job.JobModifyIndex, Status: n.EvalPending,
				StatusDescription: description, WaitUntil: &at, PreviousEval: in.Eval.ID,
			}
			r.FollowUps = append(r.FollowUps, eval)
			triggers = triggers[min(1, len(triggers)-1):]
		}
		out[d.alloc.ID] = eval.ID
	}
	return out
}
