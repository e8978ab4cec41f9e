package tasklife

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Role is a task's place in its group's life.
type Role int

const (
	Main Role = iota
	Prestart
	PrestartSidecar
	Poststart
	PoststartSidecar
	Poststop
)

// RoleOf returns a task's role.
func RoleOf(t *n.Task) Role {
	if t.Lifecycle == nil {
		return Main
	}
	switch t.Lifecycle.Hook {
	case n.HookPrestart:
		if t.Lifecycle.Sidecar {
			return PrestartSidecar
		}
		return Prestart
	case n.HookPoststart:
		if t.Lifecycle.Sidecar {
			return PoststartSidecar
		}
		return Poststart
	case n.HookPoststop:
		return Poststop
	}
	return Main
}

// Sidecar reports a role that accompanies the main tasks.
func (r Role) Sidecar() bool { return r == PrestartSidecar || r == PoststartSidecar }

// A Phase is how far an allocation's life has come.
type Phase int

const (
	PhaseInit Phase = iota
	PhasePrestart
	PhaseMain
	PhasePoststart
	PhaseWait // for what runs to end
	PhasePoststop
)

func (p Phase) String() string {
	return [...]string{"init", "prestart", "main", "poststart", "wait_alloc", "poststop"}[p]
}

// Open reports whether tasks of a role may start in a phase.
func (p Phase) Open(r Role) bool {
	switch r {
	case Prestart:
		return p == PhasePrestart
	case PrestartSidecar:
		return p >= PhasePrestart && p <= PhaseWait
	case Main:
		return p >= PhaseMain && p <= PhaseWait
	case Poststart:
		return p == PhasePoststart
	case PoststartSidecar:
		return p == PhasePoststart || p == PhaseWait
	}
	return p == PhasePoststop
}

// States are those of an allocation's tasks, by name. A missing one is pending.
type States map[string]*n.TaskState

func (s States) of(name string) string {
	if st := s[name]; st != nil && st.State != "" {
		return st.State
	}
	return n.TaskPending
}

func (s States) failed(name string) bool { return s[name] != nil && s[name].Failed }

// advance returns the phase that follows from the tasks' states. A phase never
// goes back by itself; stopping skips to the end once all else is dead.
func advance(p Phase, g *n.Group, s States) Phase {
	if allDead(g, s) {
		return PhasePoststop
	}
	for {
		next := p
		switch p {
		case PhaseInit:
			next = PhasePrestart
		case PhasePrestart:
			if every(g, s, func(r Role, st string, failed bool) bool {
				return r == Prestart && st == n.TaskDead && !failed || r == PrestartSidecar && st == n.TaskRunning || r != Prestart && r != PrestartSidecar
			}) {
				next = PhaseMain
			}
		case PhaseMain:
			if every(g, s, func(r Role, st string, _ bool) bool { return r != Main || st != n.TaskPending }) {
				next = PhasePoststart
			}
		case PhasePoststart:
			if every(g, s, func(r Role, st string, _ bool) bool {
				return r != Poststart || st == n.TaskDead
			}) {
				next = PhaseWait
			}
		}
		if next == p {
			return p
		}
		p = next
	}
}

func every(g *n.Group, s States, ok func(Role, string, bool) bool) bool {
	for i := range g.Tasks {
		t := &g.Tasks[i]
		if !ok(RoleOf(t), s.of(t.Name), s.failed(t.Name)) {
			return false
		}
	}
	return true
}

// allDead reports that no task but those of poststop is left, and that there is
// one.
func allDead(g *n.Group, s States) bool {
	return every(g, s, func(r Role, st string, _ bool) bool { return r == Poststop || st == n.TaskDead })
}
