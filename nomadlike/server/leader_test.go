package server

import (
	"testing"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// TestBlockedWhileVersionsGo shows that a job which waits for room goes on waiting
// when an old version of it is forgotten, and no longer when the job is.
func TestBlockedWhileVersionsGo(t *testing.T) {
	s := &Server{Config: Config{Logger: hclog.NewNullLogger()}, store: state.New()}
	l := newLeadership(s)
	l.blocked.SetEnabled(true)
	s.store.Subscribe(l.changed)
	index := uint64(10)
	apply := func(b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		index++
		if _, err := s.store.Apply(index, b); err != nil {
			t.Fatal(err)
		}
	}
	key := n.JobKey{Namespace: n.DefaultNamespace, ID: "big"}
	for i := range state.VersionsKept + 3 {
		job := &n.Job{ID: key.ID, Namespace: key.Namespace, Type: n.JobTypeService, TaskGroups: []n.Group{{Name: "g", Count: i}}}
		apply(state.RegisterJob.Encode(&state.JobRegister{Job: job, Now: 1}))
		if i == 0 {
			apply(state.UpsertEvals.Encode(&state.EvalUpsert{Now: 1, Evals: []*n.Evaluation{{
				ID: "e1", Namespace: key.Namespace, JobID: key.ID, Type: n.JobTypeService, Status: n.EvalBlocked, EscapedComputedClass: true,
			}}}))
		}
		if l.blocked.Len() != 1 {
			t.Fatalf("after version %d, %d evaluations wait for room, want 1", i, l.blocked.Len())
		}
	}
	apply(state.DeregisterJob.Encode(&state.JobDeregister{Key: key, Purge: true, Now: 1}))
	if l.blocked.Len() != 0 {
		t.Errorf("%d evaluations of a job that is gone wait for room", l.blocked.Len())
	}
}
