package periodic_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/periodic"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// A world is a state with a clock. Time begins at midnight of 2000-01-01, UTC.
type world struct {
	t     *testing.T
	store *state.Store
	clock *periodic.Clock

	mu    sync.Mutex
	index uint64
	fail  bool // commits
	stop  func()
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: state.New(), index: 10}
	w.clock = periodic.New(periodic.Deps{Store: w.store, Commit: w.commit, Logger: hclog.NewNullLogger()})
	w.store.Subscribe(w.clock.Changed)
	return w
}

func (w *world) commit(_ context.Context, entry []byte) (any, uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail {
		return nil, 0, errors.New("no quorum")
	}
	w.index++
	out, err := w.store.Apply(w.index, entry)
	return out, w.index, err
}

func (w *world) failing(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = yes
}

func apply[C any](w *world, e raftlog.Encoder[C], c *C) any {
	w.t.Helper()
	b, err := e.Encode(c)
	if err != nil {
		w.t.Fatal(err)
	}
	out, _, err := w.commit(w.t.Context(), b)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// lead runs the clock until the function that it sets is called.
func (w *world) lead() {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.clock.Run(ctx) // its end is that of ctx
	}()
	w.stop = func() { cancel(); <-done }
	synctest.Wait()
}

func (w *world) register(id n.JobID, p n.Periodic) {
	w.t.Helper()
	p.Enabled = true
	job := &n.Job{ID: id, Namespace: n.DefaultNamespace, Type: n.JobTypeBatch, Priority: 50, Periodic: &p, TaskGroups: []n.Group{{Name: "g", Count: 1}}}
	apply(w, state.RegisterJob, &state.JobRegister{Job: job, Now: time.Now().UnixNano()})
	synctest.Wait()
}

func key(id n.JobID) n.JobKey { return n.JobKey{Namespace: n.DefaultNamespace, ID: id} }

// end completes all evaluations of a job's children, so that they are dead.
func (w *world) end(parent n.JobID) {
	w.t.Helper()
	up := &state.EvalUpsert{Now: time.Now().UnixNano()}
	for child := range w.store.Read().Children(nil, key(parent)) {
		for e := range w.store.Read().JobEvals(nil, child.Key()) {
			done := *e
			done.Status = n.EvalComplete
			up.Evals = append(up.Evals, &done)
		}
	}
	apply(w, state.UpsertEvals, up)
}

// wait lets time pass, and everything settle.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want compares the times of a job's launches, as the clock shows them.
func (w *world) want(id n.JobID, times ...string) {
	w.t.Helper()
	var got []string
	for child := range w.store.Read().Children(nil, key(id)) {
		var at int64
		if _, err := fmt.Sscanf(strings.TrimPrefix(string(child.ID), string(id)), "/periodic-%d", &at); err != nil {
			w.t.Fatalf("child %s: %v", child.ID, err)
		}
		got = append(got, time.Unix(at, 0).UTC().Format("15:04:05"))
		evals := slices.Collect(w.store.Read().JobEvals(nil, child.Key()))
		if len(evals) == 0 || evals[0].TriggeredBy != n.TriggerPeriodicJob || evals[0].Type != n.JobTypeBatch {
			w.t.Errorf("child %s has evaluations %v", child.ID, evals)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, times) {
		w.t.Errorf("%s was launched at %v, want %v", id, got, times)
	}
}

func in(t *testing.T, name string, fn func(w *world)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.lead()
			defer func() { w.stop() }()
			fn(w)
		})
	})
}

// TestClock launches jobs when they are due.
func TestClock(t *testing.T) {
	in(t, "every time", func(w *world) {
		w.register("hourly", n.Periodic{Specs: []string{"@hourly"}})
		w.register("quarter", n.Periodic{Specs: []string{"15 * * * *", "45 1 * * *"}})
		w.want("hourly")
		w.wait(2*time.Hour + time.Minute)
		w.want("hourly", "01:00:00", "02:00:00")
		w.want("quarter", "00:15:00", "01:15:00", "01:45:00")
	})
	in(t, "every second", func(w *world) {
		w.register("tick", n.Periodic{Specs: []string{"* * * * * * *"}})
		w.wait(3*time.Second + time.Millisecond)
		w.want("tick", "00:00:01", "00:00:02", "00:00:03")
	})
	in(t, "many at once", func(w *world) {
		for i := range 100 {
			w.register(n.JobID(fmt.Sprint("j", i)), n.Periodic{Specs: []string{"30 * * * *"}})
		}
		w.wait(time.Hour)
		for i := range 100 {
			w.want(n.JobID(fmt.Sprint("j", i)), "00:30:00")
		}
	})
	in(t, "a changed schedule", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"30 * * * *"}})
		w.wait(40 * time.Minute)
		w.register("j", n.Periodic{Specs: []string{"50 * * * *"}})
		w.wait(time.Hour)
		w.want("j", "00:30:00", "00:50:00")
	})
	in(t, "a change of nothing keeps what is due", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"30 * * * *"}})
		w.wait(30*time.Minute - time.Millisecond)
		apply(w, state.SetJobStability, &state.JobStability{Key: key("j"), Stable: true})
		w.wait(time.Second)
		w.want("j", "00:30:00")
	})
	in(t, "disabled, stopped and purged", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"@hourly"}})
		w.wait(time.Hour)
		apply(w, state.DeregisterJob, &state.JobDeregister{Key: key("j"), Now: time.Now().UnixNano()})
		w.wait(time.Hour)
		w.want("j", "01:00:00")
		w.register("j", n.Periodic{Specs: []string{"@hourly"}}) // again
		w.wait(time.Hour)
		w.want("j", "01:00:00", "03:00:00")
		apply(w, state.DeregisterJob, &state.JobDeregister{Key: key("j"), Purge: true, Now: time.Now().UnixNano()})
		w.wait(time.Hour)
		w.want("j", "01:00:00", "03:00:00")
	})
	in(t, "a commit that fails", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"30 * * * *"}})
		w.failing(true)
		w.wait(30*time.Minute + 7*time.Second)
		w.failing(false)
		w.want("j")
		w.wait(10 * time.Second)
		w.want("j", "00:30:00")
	})
}

// TestOverlap leaves times out while a child has not ended.
func TestOverlap(t *testing.T) {
	in(t, "prohibited", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"@hourly"}, ProhibitOverlap: true})
		w.wait(2*time.Hour + time.Minute)
		w.want("j", "01:00:00")
		w.end("j")
		w.wait(time.Minute)
		w.want("j", "01:00:00") // what was left out is lost
		w.wait(time.Hour)
		w.want("j", "01:00:00", "03:00:00")
	})
	in(t, "of a forced launch", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"@hourly"}, ProhibitOverlap: true})
		w.wait(time.Minute)
		for range 2 { // in the same second it is the same launch
			apply(w, state.LaunchJob, &state.JobLaunch{Key: key("j"), At: time.Now().UnixNano(), EvalID: n.EvalID(fmt.Sprint("e", w.index)), Force: true, Now: time.Now().UnixNano()})
		}
		w.wait(time.Hour)
		w.want("j", "00:01:00")
	})
}

// TestNewLeader launches once what was missed while nobody led.
func TestNewLeader(t *testing.T) {
	in(t, "missed", func(w *world) {
		w.register("missed", n.Periodic{Specs: []string{"@hourly"}})
		w.register("overlaps", n.Periodic{Specs: []string{"@hourly"}, ProhibitOverlap: true})
		w.register("later", n.Periodic{Specs: []string{"0 7 * * *"}})
		w.wait(time.Hour + time.Minute)
		w.stop()
		w.wait(3 * time.Hour)
		w.lead()
		w.want("missed", "01:00:00", "04:01:00")
		w.want("overlaps", "01:00:00")
		w.want("later")
		w.wait(time.Hour)
		w.want("missed", "01:00:00", "04:01:00", "05:00:00")
	})
	in(t, "before the first launch", func(w *world) {
		w.stop()
		w.register("j", n.Periodic{Specs: []string{"@hourly"}})
		w.wait(time.Hour + time.Minute)
		w.lead()
		w.want("j", "01:01:00")
	})
	in(t, "nothing missed", func(w *world) {
		w.register("j", n.Periodic{Specs: []string{"@hourly"}})
		w.wait(time.Hour)
		w.stop()
		w.wait(59 * time.Minute)
		w.lead()
		w.want("j", "01:00:00")
		w.wait(time.Minute)
		w.want("j", "01:00:00", "02:00:00")
	})
}
