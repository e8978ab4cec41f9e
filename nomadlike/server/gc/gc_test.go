package gc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/gc"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// begin is when the world of the tests begins; times in it are hours since.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A world is a state that commands change.
type world struct {
	t     *testing.T
	store *state.Store
	index uint64
	now   time.Time
}

func (w *world) commit(_ context.Context, entry []byte) (any, uint64, error) {
	w.index++
	out, err := w.store.Apply(w.index, entry)
	return out, w.index, err
}

func apply[C any](w *world, e raftlog.Encoder[C], c *C) {
	w.t.Helper()
	b, err := e.Encode(c)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, _, err = w.commit(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}

// TestRules shows what is garbage. Commands; those that make things begin a new
// state at hour 0 unless more is given:
//
//	at hour=           lets time pass
//	job id= [stop]     registers a job; the input is JSON over a default batch job
//	stop id= / tag id=
//	eval id= job= [status=complete] [type=batch]
//	alloc id= eval= job= [client=complete] [desired=run]   the input is JSON over that
//	deployment id= job= [status=successful]
//	node id= [status=down]
//	garbage [now]      what is forgotten by the default ages, or however new
func TestRules(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := &world{t: t, store: state.New(), index: 10, now: begin}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return w.play(d)
		})
	})
}

func (w *world) play(d *datadriven.TestData) string {
	arg := func(name, value string) string {
		d.MaybeScanArgs(w.t, name, &value)
		return value
	}
	key := n.JobKey{Namespace: n.DefaultNamespace, ID: n.JobID(arg("job", arg("id", "")))}
	now := w.now.UnixNano()
	switch d.Cmd {
	case "new":
		w.store, w.now = state.New(), begin
	case "at":
		var hour int
		d.ScanArgs(w.t, "hour", &hour)
		w.now = begin.Add(time.Duration(hour) * time.Hour)
	case "job":
		job := &n.Job{ID: key.ID, Namespace: key.Namespace, Type: n.JobTypeBatch, TaskGroups: []n.Group{{Name: "g", Count: 1}}}
		w.read(d.Input, job)
		apply(w, state.RegisterJob, &state.JobRegister{Job: job, Now: now})
	case "stop":
		apply(w, state.DeregisterJob, &state.JobDeregister{Key: key, Now: now})
	case "tag":
		apply(w, state.TagJob, &state.JobTag{Key: key, Name: "keep", Latest: true, Now: now})
	case "eval":
		e := &n.Evaluation{ID: n.EvalID(arg("id", "")), Namespace: key.Namespace, JobID: key.ID, Type: arg("type", n.JobTypeBatch), Status: n.EvalStatus(arg("status", "complete"))}
		apply(w, state.UpsertEvals, &state.EvalUpsert{Evals: []*n.Evaluation{e}, Now: now})
	case "alloc":
		a := &n.Allocation{
			ID: n.AllocID(arg("id", "")), EvalID: n.EvalID(arg("eval", "")), Namespace: key.Namespace, JobID: key.ID, TaskGroup: "g", NodeID: n.NodeID(arg("node", "n1")),
			DeploymentID: n.DeploymentID(arg("deployment", "")), ClientStatus: n.ClientPending, DesiredStatus: n.DesiredStatus(arg("desired", "run")),
		}
		w.read(d.Input, a)
		apply(w, state.ApplyPlan, &state.PlanApply{Places: []*n.Allocation{a}, Now: now})
		apply(w, state.UpdateAllocs, &state.AllocUpdate{NodeID: a.NodeID, Updates: []n.AllocUpdate{{ID: a.ID, ClientStatus: n.ClientStatus(arg("client", "complete"))}}, Now: now})
	case "deployment":
		dep := &n.Deployment{ID: n.DeploymentID(arg("id", "")), Namespace: key.Namespace, JobID: key.ID, Status: n.DeploymentStatus(arg("status", "successful"))}
		apply(w, state.ApplyPlan, &state.PlanApply{Deployment: dep, Now: now})
	case "node":
		node := &n.Node{ID: n.NodeID(arg("id", "")), Status: n.NodeReady, StatusUpdatedAt: w.now.Unix()}
		apply(w, state.RegisterNode, &state.NodeRegister{Node: node, SecretID: "s", Now: now})
		apply(w, state.SetNodeStatus, &state.NodeStatus{NodeID: node.ID, Status: n.NodeStatus(arg("status", "down")), Now: now})
	case "garbage":
		return w.garbage(d.HasArg("now"))
	default:
		w.t.Fatalf("unknown command %q", d.Cmd)
	}
	return ""
}

func (w *world) read(input string, v any) {
	w.t.Helper()
	if input == "" {
		return
	}
	if err := json.Unmarshal([]byte(input), v); err != nil {
		w.t.Fatal(err)
	}
}

// garbage lists what is forgotten. Evaluations that the state made itself are
// left out.
func (w *world) garbage(now bool) string {
	c := gc.Config{EvalAge: time.Hour, BatchEvalAge: 24 * time.Hour, JobAge: 4 * time.Hour, DeploymentAge: time.Hour, NodeAge: 24 * time.Hour}
	if now {
		c = gc.Config{}
	}
	r := gc.All(w.store.Read(), c, w.now)
	var out strings.Builder
	line := func(kind string, ids []string) {
		ids = slices.DeleteFunc(ids, func(id string) bool { return len(id) == 36 })
		if slices.Sort(ids); len(ids) > 0 {
			fmt.Fprintf(&out, "%s %s\n", kind, strings.Join(ids, " "))
		}
	}
	line("jobs", texts(r.Jobs, func(k n.JobKey) string { return string(k.ID) }))
	line("evals", texts(r.Evals, func(id n.EvalID) string { return string(id) }))
	line("allocs", texts(r.Allocs, func(id n.AllocID) string { return string(id) }))
	line("deployments", texts(r.Deployments, func(id n.DeploymentID) string { return string(id) }))
	line("nodes", texts(r.Nodes, func(id n.NodeID) string { return string(id) }))
	if out.Len() == 0 {
		return "nothing\n"
	}
	return out.String()
}

func texts[T any](list []T, text func(T) string) (out []string) {
	for _, x := range list {
		out = append(out, text(x))
	}
	return out
}

// TestRun forgets things when their time has come, with jobs on their own beat.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, store: state.New(), index: 10, now: time.Now()}
		d := gc.Deps{Store: w.store, Commit: w.commit, Logger: hclog.NewNullLogger()}
		for i := range 2500 { // more than a log entry takes
			job := &n.Job{ID: n.JobID(fmt.Sprint("j", i)), Namespace: n.DefaultNamespace, Type: n.JobTypeBatch}
			apply(w, state.RegisterJob, &state.JobRegister{Job: job, Now: w.now.UnixNano(), Eval: &n.Evaluation{
				ID: n.EvalID(fmt.Sprint("e", i)), Namespace: job.Namespace, JobID: job.ID, Type: job.Type, Status: n.EvalComplete,
			}})
		}
		count := func() int { return len(slices.Collect(w.store.Read().Jobs(nil, n.AllNamespaces, ""))) }
		go func() { _ = gc.Run(t.Context(), d, gc.Config{Interval: 20 * time.Minute}) }() // ends with the test
		time.Sleep(4*time.Hour - time.Second)
		synctest.Wait()
		if count() != 2500 {
			t.Errorf("before their time, %d jobs are left", count())
		}
		time.Sleep(20*time.Minute + 2*time.Second)
		synctest.Wait()
		if count() != 0 || len(slices.Collect(w.store.Read().Evals(nil, ""))) != 0 {
			t.Errorf("after their time, %d jobs are left", count())
		}
	})
}

// TestWantedAfterAll keeps a job that somebody registers again while it is
// collected.
func TestWantedAfterAll(t *testing.T) {
	w := &world{t: t, store: state.New(), index: 10, now: begin}
	key := n.JobKey{Namespace: n.DefaultNamespace, ID: "j"}
	register := func(eval n.EvalStatus) {
		apply(w, state.RegisterJob, &state.JobRegister{
			Job:  &n.Job{ID: key.ID, Namespace: key.Namespace, Type: n.JobTypeBatch},
			Eval: &n.Evaluation{ID: "e-" + n.EvalID(eval), Namespace: key.Namespace, JobID: key.ID, Type: n.JobTypeBatch, Status: eval},
		})
	}
	register(n.EvalComplete)
	r := gc.All(w.store.Read(), gc.Config{}, begin)
	register(n.EvalPending)
	apply(w, state.ReapGarbage, r)
	if len(r.Jobs) != 1 || w.store.Read().Job(key) == nil {
		t.Errorf("%v was to be forgotten, and the job is %v", r.Jobs, w.store.Read().Job(key))
	}
}
