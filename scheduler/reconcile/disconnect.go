package reconcile

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// groupOf is the group that an allocation runs, as its version of the job has it.
func groupOf(in *Input, a *n.Allocation) *n.Group {
	for _, j := range []*n.Job{in.Version(a.JobVersion), in.Job} {
		if j != nil && j.Group(a.TaskGroup) != nil {
			return j.Group(a.TaskGroup)
		}
	}
	return &n.Group{}
}

// expired reports an allocation that was unknown for too long.
func expired(in *Input, a *n.Allocation) bool {
	after := groupOf(in, a).DisconnectTimeout()
	return a.ClientStatus == n.ClientUnknown && after > 0 && !in.Now.Add(soon).Before(a.UnknownSince().Add(after))
}

// replacedAway reports an allocation that is out of reach and has a successor: it
// is left alone until it returns or is lost.
func replacedAway(a *n.Allocation) bool { return a.Returning() && a.NextAllocation != "" }

// disconnect makes allocations unknown, and has them looked at again when they
// are to count as lost. It returns those that were made so.
func (r *Result) disconnect(in *Input, list []*n.Allocation) []*n.Allocation {
	var out []*n.Allocation
	var late []due
	for _, a := range list {
		c := r.Changed(a)
		c.Became(a.ClientStatus, in.Now) // one that was heard of, but not for long enough
		c.ClientStatus, c.DesiredDescription, c.FollowupEvalID = n.ClientUnknown, n.DescUnknown, ""
		c.Became(n.ClientUnknown, in.Now)
		r.group(a.TaskGroup).Disconnect++
		out = append(out, c)
		if after := groupOf(in, a).DisconnectTimeout(); after > 0 && !in.Job.RunsEverywhere() {
			late = append(late, due{c, in.Now.Add(after)})
		}
	}
	for id, eval := range r.wakeFor(in, late, "created for delayed disconnect timeout", n.TriggerDisconnectTimeout) {
		r.changed[id].FollowupEvalID = eval
	}
	return out
}

// resume notes that an allocation that was unknown goes on.
func (r *Result) resume(in *Input, a *n.Allocation) *n.Allocation {
	c := r.Changed(a)
	c.Became(a.ClientStatus, in.Now)
	if c.DesiredDescription == n.DescUnknown {
		c.DesiredDescription = ""
	}
	r.group(a.TaskGroup).Reconnect++
	return c
}

// reconnect decides which of those that come back go on, in the place of what
// replaced them or not; see the scheduling reference, 5.6.
func (x *group) reconnect(list []*n.Allocation) {
	var stopped []*n.Allocation
	for _, a := range list {
		asked := a.DesiredTransition
		rivals := x.successors(a)
		switch {
		case set(stopped)[a.ID]:
			continue
		case a.ClientStatus == n.ClientFailed:
			x.end([]*n.Allocation{a}, n.DescRescheduled)
			continue
		case n.Asked(asked.Migrate), n.Asked(asked.Reschedule), n.Asked(asked.ForceReschedule), a.JobVersion < x.Job.Version,
			slices.ContainsFunc(rivals, func(b *n.Allocation) bool { return x.yields(a, b) }):
			x.end([]*n.Allocation{a}, n.DescNotNeeded)
			continue
		}
		x.end(rivals, n.DescReconnected)
		stopped = append(stopped, rivals...)
		x.untainted = append(x.untainted, x.resume(x.Input, a))
	}
	x.untainted, x.migrate, x.canaries = without(x.untainted, stopped), without(x.migrate, stopped), without(x.canaries, stopped)
}

// successors are the allocations that run in the place of one, or may.
func (x *group) successors(a *n.Allocation) (out []*n.Allocation) {
	seen := map[n.AllocID]bool{a.ID: true}
	for next := x.byID[a.NextAllocation]; next != nil && !seen[next.ID]; next = x.byID[next.NextAllocation] {
		seen[next.ID] = true
		if !next.Terminal() && !down(x.Node(next.NodeID)) {
			out = append(out, next)
		}
	}
	return out
}

// yields reports whether a, which comes back, ends in favour of b, which replaced
// it.
func (x *group) yields(a, b *n.Allocation) bool {
	if b.JobVersion > a.JobVersion {
		return true
	}
	g := groupOf(x.Input, a)
	rule := ""
	if g.Disconnect != nil {
		rule = g.Disconnect.Reconcile
	}
	switch rule {
	case "keep_original":
		return false
	case "keep_replacement":
		return true
	case "longest_running":
		began, beganLater := lastStart(g, a), lastStart(g, b)
		if !began.IsZero() || !beganLater.IsZero() {
			return began.IsZero() || !beganLater.IsZero() && beganLater.Before(began)
		}
	}
	running := b.ClientStatus == n.ClientRunning || a.ClientStatus != n.ClientRunning
	mine, rated := bestScore(a)
	other, _ := bestScore(b)
	return running && (!rated || other > mine)
}

// lastStart is since when an allocation runs: its leader, or else the oldest of
// its main tasks.
func lastStart(g *n.Group, a *n.Allocation) (first time.Time) {
	for i := range g.Tasks {
		t := &g.Tasks[i]
		s := a.TaskStates[t.Name]
		if s == nil || s.StartedAt == nil || t.Lifecycle != nil && !t.Leader {
			continue
		}
		at := *s.StartedAt
		if s.LastRestart != nil && s.LastRestart.After(at) {
			at = *s.LastRestart
		}
		if t.Leader {
			return at
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// bestScore is how well an allocation's node was rated; not every one was.
func bestScore(a *n.Allocation) (best float64, rated bool) {
	if a.Metrics == nil {
		return 0, false
	}
	for _, s := range a.Metrics.ScoreMetaData {
		if !rated || s.NormScore > best {
			best, rated = s.NormScore, true
		}
	}
	return best, rated
}

// leastPatience is what clients are given at least to end tasks.
const leastPatience = 5 * time.Second

// surelyEnded is when an allocation has ended that its client ends by itself,
// once it has no servers; false if it does not.
func surelyEnded(in *Input, a *n.Allocation) (time.Time, bool) {
	g := groupOf(in, a)
	after := g.StopsAlone()
	if after == 0 {
		return time.Time{}, false
	}
	since := a.LostSince()
	if since.IsZero() {
		since = in.Now
	}
	patience := leastPatience
	for i := range g.Tasks {
		patience = max(patience, g.Tasks[i].KillTimeout)
	}
	return since.Add(after + patience), true
}

// awaitEnds loses what is lost, and says whether something may still run that is
// to end before the group places anything; see the scheduling reference, 5.2. What
// this very evaluation waited for is to be replaced now.
func (x *group) awaitEnds(all []*n.Allocation) (wait bool) {
	var late []due
	for _, a := range x.lost {
		if at, alone := surelyEnded(x.Input, a); alone {
			late = append(late, due{a, at})
		}
	}
	followUps := x.wakeFor(x.Input, late, descDelayed, n.TriggerAllocFailure)
	for _, a := range x.lost {
		x.Stop = append(x.Stop, Stop{Alloc: a, Reason: n.DescLost, Client: n.ClientLost, FollowUp: followUps[a.ID]})
	}
	x.counts.Stop += uint64(len(x.lost))
	for _, a := range all {
		if a.TaskGroup != x.tg.Name || a.ClientStatus != n.ClientLost || a.NextAllocation != "" || a.DesiredDescription != n.DescLost {
			continue
		}
		at, alone := surelyEnded(x.Input, a)
		switch {
		case !alone:
		case a.FollowupEvalID == x.Eval.ID && x.Eval.ID != "":
			x.lost = append(x.lost, a)
		case at.Sub(x.Now) > soon:
			wait = true
		}
	}
	return wait || len(late) > 0
}
