package blocked_test

import (
	"slices"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/blocked"
)

// TestBlocked blocks an evaluation that was decided on state 10, and looks whether
// room wakes it.
func TestBlocked(t *testing.T) {
	some := func(change func(*n.Evaluation)) *n.Evaluation {
		e := &n.Evaluation{ID: "e", Namespace: "default", JobID: "j", SnapshotIndex: 10, CreateIndex: 11, ClassEligibility: map[string]bool{"good": true, "bad": false}}
		if change != nil {
			change(e)
		}
		return e
	}
	escaped := some(func(e *n.Evaluation) { e.EscapedComputedClass, e.ClassEligibility = true, nil })
	system := some(func(e *n.Evaluation) { e.NodeID = "n1" })
	for _, c := range []struct {
		name  string
		eval  *n.Evaluation
		class string
		node  n.NodeID
		index uint64
		woken bool // when the room appears afterwards
		early bool // when it had appeared before
	}{
		{"a class that fits", some(nil), "good", "n1", 20, true, true},
		{"a class that was never seen", some(nil), "new", "n1", 20, true, true},
		{"a class that does not fit", some(nil), "bad", "n1", 20, false, false},
		{"any class, for who depends on single nodes", escaped, "bad", "n1", 20, true, true},
		{"room that the decision has seen", some(nil), "good", "n1", 10, true, false},
		{"a system job's node", system, "bad", "n1", 20, true, true},
		{"another node than a system job's", system, "bad", "n2", 20, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var woken []n.EvalID
			fresh := func() *blocked.Evaluations {
				woken = nil
				b := blocked.New(func(all ...*n.Evaluation) {
					for _, e := range all {
						woken = append(woken, e.ID)
					}
				})
				b.SetEnabled(true)
				return b
			}
			b := fresh()
			b.Block(c.eval)
			b.Unblock(c.class, c.node, c.index)
			if got := len(woken) == 1; got != c.woken {
				t.Errorf("afterwards: woken %v", woken)
			}
			b.Unblock(c.class, c.node, c.index+1)
			if len(woken) > 1 {
				t.Errorf("woken twice: %v", woken)
			}
			b = fresh()
			b.Unblock(c.class, c.node, c.index)
			b.Block(c.eval)
			if got := len(woken) == 1; got != c.early {
				t.Errorf("before: woken %v", woken)
			}
		})
	}
}

// TestOneForAJob keeps the one that was decided on the newest state.
func TestOneForAJob(t *testing.T) {
	for _, newest := range []n.EvalID{"a", "b"} {
		var woken []n.EvalID
		b := blocked.New(func(all ...*n.Evaluation) {
			for _, e := range all {
				woken = append(woken, e.ID)
			}
		})
		b.SetEnabled(true)
		for _, id := range []n.EvalID{"a", "b"} {
			e := &n.Evaluation{ID: id, Namespace: "default", JobID: "j", SnapshotIndex: 10}
			if id == newest {
				e.SnapshotIndex = 11
			}
			b.Block(e)
		}
		b.Unblock("x", "n1", 20)
		if !slices.Equal(woken, []n.EvalID{newest}) {
			t.Errorf("woken %v; want %s", woken, newest)
		}
	}
}

// TestForgotten does not wake what was placed, or what a former leader kept.
func TestForgotten(t *testing.T) {
	for name, end := range map[string]func(*blocked.Evaluations){
		"forgotten":        func(b *blocked.Evaluations) { b.Forget(n.JobKey{Namespace: "default", ID: "j"}) },
		"no leader":        func(b *blocked.Evaluations) { b.SetEnabled(false) },
		"no leader, again": func(b *blocked.Evaluations) { b.SetEnabled(false); b.SetEnabled(true) },
	} {
		b := blocked.New(func(...*n.Evaluation) { t.Errorf("%s: woken", name) })
		b.SetEnabled(true)
		b.Block(&n.Evaluation{ID: "e", Namespace: "default", JobID: "j"})
		end(b)
		b.Unblock("x", "n1", 20)
	}
}
