package tasklife

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// An Effect is why the end of some tasks ends the others.
type Effect struct {
	Event   string // the event that the others get; empty: there is no effect
	Sibling string // the task that failed
}

// effectOf says whether the tasks that live have to be killed because of those
// that do not.
func effectOf(g *n.Group, s States) Effect {
	if allDead(g, s) {
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

// killNext returns the tasks to be killed now: the leader first, then the rest,
// then sidecars; each wave once the one before is dead. Poststop tasks run once
// everything else is dead; with all they do not, and those that do are killed.
func killNext(g *n.Group, s States, all bool) []string {
	waves := [4][]string{}
	for i := range g.Tasks {
		t := &g.Tasks[i]
		role, wave := RoleOf(t), 2
		switch {
		case s.of(t.Name) == n.TaskDead || role == Poststop && !all:
			continue
		case role == Poststop:
			wave = 0
		case t.Leader:
			wave = 1
		case role.Sidecar():
			wave = 3
		}
		waves[wave] = append(waves[wave], t.Name)
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
	DescAlone    = "no server was heard of for stop_on_client_after"
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

// ended reports that no task will run again, unless asked to.
func ended(g *n.Group, s States) bool {
	return every(g, s, func(_ Role, st string, _ bool) bool { return st == n.TaskDead })
}
