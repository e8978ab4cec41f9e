package tasklife

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// An Effect is why the end of some tasks ends the others.
type Effect struct {
	Event   string // the event that the others get; empty: there is no effect
	Sibling string // the task that failed
}

// EffectOf says whether the tasks that live have to be killed because of those
// that do not.
func EffectOf(g *n.Group, s States) Effect {
	if !anyAlive(g, s) {
		return Effect{}
	}
	var failed string
	onlySidecars, had := true, false
	for i := range g.Tasks {
		t := &g.Tasks[i]
		role, state := RoleOf(t), s.of(t.Name)
		if role == Poststop {
			continue
		}
		if state != n.TaskDead {
			onlySidecars = onlySidecars && role.Sidecar()
			continue
		}
		if s.failed(t.Name) && failed == "" {
			failed = t.Name
		}
		if t.Leader && !s.failed(t.Name) {
			return Effect{Event: n.EventLeaderDead}
		}
		had = had || !role.Sidecar()
	}
	switch {
	case failed != "":
		return Effect{Event: n.EventSiblingFailed, Sibling: failed}
	case onlySidecars && had:
		return Effect{Event: n.EventMainDead}
	}
	return Effect{}
}

func anyAlive(g *n.Group, s States) bool {
	return !every(g, s, func(r Role, st string, _ bool) bool { return r == Poststop || st == n.TaskDead })
}

// KillNext returns the tasks to be killed now: the leader first, then the rest,
// then sidecars; each wave once the one before is dead. Poststop tasks are never
// killed but run once everything else is dead.
func KillNext(g *n.Group, s States) []string {
	waves := [3][]string{}
	for i := range g.Tasks {
		t := &g.Tasks[i]
		role := RoleOf(t)
		if role == Poststop || s.of(t.Name) == n.TaskDead {
			continue
		}
		switch {
		case t.Leader:
			waves[0] = append(waves[0], t.Name)
		case role.Sidecar():
			waves[2] = append(waves[2], t.Name)
		default:
			waves[1] = append(waves[1], t.Name)
		}
	}
	for _, w := range waves {
		if len(w) > 0 {
			return w
		}
	}
	return nil
}

// Descriptions of client statuses.
const (
	DescFailed   = "Failed tasks"
	DescRunning  = "Tasks are running"
	DescPending  = "No tasks have started"
	DescComplete = "All tasks have completed"
	DescMaxRun   = "allocation exceeded max_run_duration"
)

// Status derives an allocation's status from its tasks' states.
func Status(g *n.Group, s States) (n.ClientStatus, string) {
	var failed, running, pending bool
	for i := range g.Tasks {
		name := g.Tasks[i].Name
		switch s.of(name) {
		case n.TaskRunning:
			running = true
		case n.TaskPending:
			pending = true
		case n.TaskDead:
			failed = failed || s.failed(name)
		}
	}
	switch {
	case failed:
		return n.ClientFailed, DescFailed
	case running:
		return n.ClientRunning, DescRunning
	case pending:
		return n.ClientPending, DescPending
	}
	return n.ClientComplete, DescComplete
}

// Ended reports that no task will run again, unless asked to.
func Ended(g *n.Group, s States) bool {
	return every(g, s, func(_ Role, st string, _ bool) bool { return st == n.TaskDead })
}
