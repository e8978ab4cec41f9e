package drainer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/drainer"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// A world is a state of two nodes and its drainer; the test is scheduler and
// client.
type world struct {
	*testing.T
	store *state.Store
	stop  func()

	mu    sync.Mutex
	index uint64
	fail  int // commits that the log refuses
	count int // of commits
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, store: state.New(), index: 10}
	for _, id := range []n.NodeID{"one", "two"} {
		do(w, state.RegisterNode, &state.NodeRegister{Node: &n.Node{ID: id, Name: string(id), NodePool: "default"}, SecretID: "s", Now: 1})
		do(w, state.SetNodeStatus, &state.NodeStatus{NodeID: id, Status: n.NodeReady, Now: 1})
	}
	w.run()
	return w
}

// run begins to lead.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = drainer.Run(ctx, drainer.Deps{Store: w.store, Commit: w.commit, Logger: hclog.NewNullLogger()})
	}()
	w.stop = func() { cancel(); <-done }
}

func (w *world) commit(_ context.Context, entry []byte) (any, uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail > 0 {
		w.fail--
		return nil, 0, errors.New("no quorum")
	}
	w.count++
	w.index++
	v, err := w.store.Apply(w.index, entry)
	return v, w.index, err
}

func do[C any](w *world, e raftlog.Encoder[C], c *C) {
	w.Helper()
	b, err := e.Encode(c)
	if err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.index++
	if _, err := w.store.Apply(w.index, b); err != nil {
		w.Fatal(err)
	}
}

func now() int64 { return time.Now().UnixNano() }

func (w *world) job(id, typ string, count int) {
	w.Helper()
	do(w, state.RegisterJob, &state.JobRegister{Now: now(), Job: &n.Job{
		ID: n.JobID(id), Namespace: "default", Type: typ, Priority: 50,
		TaskGroups: []n.Group{{Name: "g", Count: count, Migrate: &n.Migrate{MaxParallel: 1}}},
	}})
}

// place puts allocations of a job on a node.
func (w *world) place(job string, node n.NodeID, ids ...n.AllocID) {
	w.Helper()
	p := &state.PlanApply{Now: now()}
	for _, id := range ids {
		p.Places = append(p.Places, &n.Allocation{ID: id, Namespace: "default", JobID: n.JobID(job), TaskGroup: "g", NodeID: node,
			Name: string(id), DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending})
	}
	do(w, state.ApplyPlan, p)
}

// says has a client say how an allocation is.
func (w *world) says(id n.AllocID, status n.ClientStatus, healthy bool) {
	w.Helper()
	u := n.AllocUpdate{ID: id, ClientStatus: status}
	if healthy {
		u.DeploymentHealth = &healthy
	}
	do(w, state.UpdateAllocs, &state.AllocUpdate{NodeID: w.store.Read().Alloc(id).NodeID, Updates: []n.AllocUpdate{u}, Now: now(), Seed: w.index})
}

// stops has the scheduler stop an allocation.
func (w *world) stops(id n.AllocID) {
	w.Helper()
	do(w, state.ApplyPlan, &state.PlanApply{Now: now(), Stops: []state.StoppedAlloc{{ID: id, DesiredStatus: n.DesiredStop, DesiredDescription: n.DescMigrating}}})
}

func (w *world) drain(node n.NodeID, deadline time.Duration, change ...func(*n.DrainStrategy)) {
	w.Helper()
	at := time.Now().UTC()
	s := &n.DrainStrategy{DrainSpec: n.DrainSpec{Deadline: deadline}, StartedAt: &at}
	if deadline > 0 {
		end := at.Add(deadline)
		s.ForceDeadline = &end
	}
	for _, c := range change {
		c(s)
	}
	do(w, state.DrainNode, &state.NodeDrain{NodeID: node, Strategy: s, Now: now()})
}

// wants checks which allocations are told to leave, after all has settled.
func (w *world) wants(want string) {
	w.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	var out []string
	for a := range w.store.Read().AllAllocs(nil, "") {
		word := string(a.ID)
		if !n.Asked(a.DesiredTransition.Migrate) {
			continue
		}
		if n.Asked(a.DesiredTransition.MigrateDisablePlacement) {
			word += " for good"
		}
		out = append(out, word)
	}
	if got := strings.Join(out, ", "); got != want {
		w.Errorf("to leave: %s; want %s", got, want)
	}
}

// evals counts the drain's evaluations by job.
func (w *world) evals() string {
	found := map[n.JobID]int{}
	for e := range w.store.Read().Evals(nil, "") {
		if e.TriggeredBy == n.TriggerNodeDrain {
			found[e.JobID]++
		}
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(found)) {
		out = append(out, fmt.Sprintf("%s %d", id, found[id]))
	}
	return strings.Join(out, ", ")
}

func (w *world) done(node n.NodeID, want bool) *n.Node {
	w.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	got := w.store.Read().Node(node)
	if done := got.DrainStrategy == nil; done != want {
		w.Errorf("the drain of %s is over: %v", node, done)
	}
	return got
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: have %v, want %v", what, got, want)
	}
}

// TestWaves moves a service one by one, by leaders that change, and says that it
// is done when the last has ended and not before.
func TestWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.job("web", n.JobTypeService, 2)
		w.place("web", "one", "a1", "a2")
		w.says("a1", n.ClientRunning, true)
		w.says("a2", n.ClientRunning, true)
		w.wants("")
		w.drain("one", time.Hour)
		w.wants("a1")
		w.stops("a1")
		w.place("web", "two", "b1")
		w.says("b1", n.ClientRunning, false)
		w.wants("a1")
		w.stop()
		w.run()
		w.wants("a1")
		w.says("b1", n.ClientRunning, true)
		w.wants("a1, a2")
		equal(t, "evaluations", w.evals(), "web 2")
		w.stops("a2")
		w.says("a1", n.ClientComplete, false)
		w.done("one", false)
		w.says("a2", n.ClientComplete, false)
		node := w.done("one", true)
		equal(t, "eligibility", node.SchedulingEligibility, n.NodeIneligible)
		equal(t, "status", node.LastDrain.Status, n.DrainComplete)
		last := node.Events[len(node.Events)-1]
		if last.Message != "Node drain complete" || last.Subsystem != "Drain" || last.Details != nil {
			t.Errorf("last event %+v", last)
		}
		commits := w.count
		time.Sleep(24 * time.Hour)
		equal(t, "commits while nothing happens", w.count-commits, 0)
		w.stop()
	})
}

// TestDeadline has everything leave when the time is up, whatever the log did
// meanwhile.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.job("web", n.JobTypeService, 2)
		w.job("count", n.JobTypeBatch, 1)
		w.job("all", n.JobTypeSystem, 1)
		w.place("web", "one", "a1", "a2")
		w.place("count", "one", "c1")
		w.place("all", "one", "s1")
		w.drain("one", time.Minute)
		w.wants("")
		time.Sleep(57 * time.Second)
		w.wants("")
		w.mu.Lock()
		w.fail = 3
		w.mu.Unlock()
		time.Sleep(time.Minute)
		w.wants("a1, a2, c1 for good, s1")
		equal(t, "evaluations", w.evals(), "all 1, count 1, web 1")
		for _, id := range []n.AllocID{"a1", "a2", "c1", "s1"} {
			w.stops(id)
			w.says(id, n.ClientComplete, false)
		}
		node := w.done("one", true)
		equal(t, "deadline_reached", node.Events[len(node.Events)-1].Details["deadline_reached"], "true")
		w.stop()
	})
}

// TestTwoNodes moves no more of a job than if it were on one.
func TestTwoNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.job("web", n.JobTypeService, 2)
		w.place("web", "one", "a1")
		w.place("web", "two", "a2")
		w.says("a1", n.ClientRunning, true)
		w.says("a2", n.ClientRunning, true)
		w.stop()
		w.drain("one", time.Hour)
		w.drain("two", time.Hour)
		w.run()
		w.wants("a1")
		w.stop()
	})
}

// TestChanged carries out a drain as it was changed last, and none that was ended.
func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.job("all", n.JobTypeSystem, 1)
		w.job("count", n.JobTypeBatch, 1)
		w.place("all", "one", "s1")
		w.place("count", "one", "c1")
		w.drain("one", time.Hour, func(s *n.DrainStrategy) { s.IgnoreSystemJobs = true })
		w.wants("")
		do(w, state.DrainNode, &state.NodeDrain{NodeID: "one", MarkEligible: true, Now: now(), Meta: map[string]string{"cancel_message": "oops"}})
		time.Sleep(2 * time.Hour)
		w.wants("")
		node := w.done("one", true)
		equal(t, "eligibility", node.SchedulingEligibility, n.NodeEligible)
		equal(t, "status", node.LastDrain.Status, n.DrainCanceled)
		equal(t, "message", node.LastDrain.Meta["cancel_message"], "oops")

		w.drain("one", 0, func(s *n.DrainStrategy) { s.IgnoreSystemJobs = true })
		began := *w.done("one", false).DrainStrategy.StartedAt
		w.says("c1", n.ClientComplete, false)
		w.done("one", true)
		w.drain("one", 0)
		w.wants("s1")
		w.drain("one", -1)
		if node := w.done("one", false); !node.DrainStrategy.StartedAt.After(began) || node.DrainStrategy.Deadline != -1 {
			t.Errorf("drain %+v", node.DrainStrategy)
		}
		w.stop()
	})
}
