package state

import (
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// states lists what servers noted of an allocation's client status.
func states(a *n.Allocation) string {
	var out []string
	for _, s := range a.AllocStates {
		out = append(out, s.Value)
	}
	return strings.Join(out, " ")
}

// TestUnknown follows an allocation whose node is silent: what a plan knows of its
// status stays, also when the same plan places its successor, until its client
// speaks; that it may go on is for another plan to say.
func TestUnknown(t *testing.T) {
	f := newFixture(t)
	f.register(2, "e1")
	f.place("a1")
	f.observe("a1", n.ClientRunning)
	since := time.Unix(0, f.now).Add(-time.Hour)
	change := func(status n.ClientStatus, states ...n.ClientStatus) *n.Allocation {
		a := *f.s.Read().Alloc("a1")
		for _, s := range states {
			a.Became(s, since)
		}
		a.ClientStatus = status
		return &a
	}
	next := &n.Allocation{ID: "a2", Namespace: "default", JobID: "web", TaskGroup: "g", NodeID: "n2", Name: n.AllocName("web", "g", 0),
		DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending, PreviousAllocation: "a1"}
	// The successor comes first, the older record after it must not undo the link.
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Places: []*n.Allocation{next, change(n.ClientUnknown, n.ClientUnknown)}})
	a := f.s.Read().Alloc("a1")
	if a.ClientStatus != n.ClientUnknown || a.NextAllocation != "a2" || states(a) != "unknown" || !a.UnknownSince().Equal(since) {
		t.Errorf("unknown: %+v", a)
	}
	evals := func() (triggers string) {
		for e := range f.s.Read().JobEvals(nil, web) {
			if e.ID != "e1" {
				triggers += e.TriggeredBy
			}
		}
		return triggers
	}
	stale := change(n.ClientUnknown) // decided before the client spoke
	f.observe("a1", n.ClientRunning)
	if a := f.s.Read().Alloc("a1"); a.ClientStatus != n.ClientRunning || !a.Returning() || evals() != n.TriggerReconnect {
		t.Errorf("it spoke: %+v, evaluations %s", a, evals())
	}
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Places: []*n.Allocation{stale}})
	if a := f.s.Read().Alloc("a1"); a.ClientStatus != n.ClientRunning || !a.Returning() {
		t.Errorf("a plan of before changed it: %+v", a)
	}
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Places: []*n.Allocation{change(n.ClientRunning, n.ClientRunning)}})
	if a := f.s.Read().Alloc("a1"); a.ClientStatus != n.ClientRunning || a.Returning() || states(a) != "unknown running" {
		t.Errorf("it goes on: %+v", a)
	}
	f.observe("a1", n.ClientRunning)
	if got := evals(); got != n.TriggerReconnect {
		t.Errorf("evaluations: %s", got)
	}
}

// TestSummaryOfUnknown counts unknown allocations as such.
func TestSummaryOfUnknown(t *testing.T) {
	f := newFixture(t)
	f.register(1, "e1")
	f.place("a1")
	f.observe("a1", n.ClientRunning)
	a := *f.s.Read().Alloc("a1")
	a.ClientStatus = n.ClientUnknown
	a.Became(n.ClientUnknown, time.Unix(0, f.now))
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Places: []*n.Allocation{&a}})
	if g := f.s.Read().Summary(nil, web).Summary["g"]; g.Unknown != 1 || g.Running != 0 {
		t.Errorf("summary %+v", g)
	}
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Stops: []StoppedAlloc{{ID: "a1", DesiredStatus: n.DesiredStop, DesiredDescription: n.DescLost, ClientStatus: n.ClientLost}}})
	if g := f.s.Read().Summary(nil, web).Summary["g"]; g.Unknown != 0 || g.Lost != 1 {
		t.Errorf("summary %+v", g)
	}
	if got := states(f.s.Read().Alloc("a1")); got != "unknown lost" {
		t.Errorf("states %s", got)
	}
}
