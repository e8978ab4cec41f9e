package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/launch"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// wantChildren compares the summary of a job's children.
func (f *fixture) wantChildren(pending, running, dead int) {
	f.t.Helper()
	c := f.s.Read().Summary(nil, web).Children
	if c == nil || c.Pending != pending || c.Running != running || c.Dead != dead {
		f.t.Errorf("children are %+v, want %d pending, %d running, %d dead", c, pending, running, dead)
	}
}

func (f *fixture) completeEvals(k n.JobKey) {
	f.t.Helper()
	up := &EvalUpsert{Now: f.now}
	for e := range f.s.Read().JobEvals(nil, k) {
		done := *e
		done.Status = n.EvalComplete
		up.Evals = append(up.Evals, &done)
	}
	mustApply(f, UpsertEvals, up)
}

// TestChildren follows the children of a periodic job in its summary.
func TestChildren(t *testing.T) {
	f := newFixture(t)
	job := webJob(1)
	job.Type, job.Periodic = n.JobTypeBatch, &n.Periodic{Enabled: true, Specs: []string{"@hourly"}}
	mustApply(f, RegisterJob, &JobRegister{Job: job, Now: f.now})
	f.wantChildren(0, 0, 0)
	launch := func(at int64, force bool) JobLaunched {
		t.Helper()
		return mustApply(f, LaunchJob, &JobLaunch{Key: web, At: at * 1e9, EvalID: n.EvalID(fmt.Sprint("e", f.index)), Force: force, Now: f.now}).(JobLaunched)
	}
	first := launch(100, false)
	f.wantChildren(1, 0, 0)
	if again := launch(100, false); again.EvalID != "" {
		t.Errorf("a time was launched twice: %+v", again)
	}
	if again := launch(100, true); again.Child != first.Child || again.EvalID == "" {
		t.Errorf("forcing a time that was launched gave %+v", again)
	}
	child := n.JobKey{Namespace: "default", ID: first.Child}
	f.completeEvals(child)
	f.wantChildren(0, 0, 1)
	launch(200, false)
	f.wantChildren(1, 0, 1)
	if at := f.s.Read().LastLaunch(web); !at.Equal(time.Unix(200, 0)) {
		t.Errorf("the last launch was at %s", at)
	}

	mustApply(f, DeregisterJob, &JobDeregister{Key: child, Purge: true, Now: f.now})
	f.wantChildren(1, 0, 0)
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Now: f.now})
	if _, err := apply(f, LaunchJob, &JobLaunch{Key: web, At: 300e9, EvalID: "e", Force: true}); err == nil {
		t.Error("a stopped job was launched")
	}
	if !f.s.Read().LastLaunch(web).IsZero() || len(slices.Collect(f.s.Read().Children(nil, web))) != 1 {
		t.Error("stopping a job forgets its last launch, and leaves its children alone")
	}
}

// TestDispatch makes children of a parameterized job.
func TestDispatch(t *testing.T) {
	f := newFixture(t)
	job := webJob(1)
	job.Type, job.ParameterizedJob = n.JobTypeBatch, &n.Parameterized{Payload: "optional"}
	mustApply(f, RegisterJob, &JobRegister{Job: walk.Clone(job), Now: f.now})
	job.Priority = 60
	mustApply(f, RegisterJob, &JobRegister{Job: job, Now: f.now})
	index := f.s.Read().Job(web).JobModifyIndex
	dispatch := func(child n.JobID, index uint64, d launch.Dispatch) (any, error) {
		return apply(f, DispatchJob, &JobDispatch{Key: web, JobModifyIndex: index, Child: child, Dispatch: d, EvalID: n.EvalID("e-" + child), Now: f.now})
	}
	out, err := dispatch("web/dispatch-1", index, launch.Dispatch{Payload: []byte("x"), Token: "once"})
	made, _ := out.(JobDispatched)
	if err != nil || made.EvalID != "e-web/dispatch-1" || made.CreateIndex != f.index {
		t.Fatalf("%+v, %v", out, err)
	}
	child := f.s.Read().Job(n.JobKey{Namespace: "default", ID: made.Child})
	if child.Version != 1 || child.Status != n.JobPending || string(child.Payload) != "x" || !child.Dispatched {
		t.Errorf("the child is %+v", child)
	}
	if e := f.s.Read().Eval(nil, made.EvalID); e.TriggeredBy != n.TriggerJobRegister || e.Priority != 60 || e.Type != n.JobTypeBatch {
		t.Errorf("its evaluation is %+v", e)
	}
	out, err = dispatch("web/dispatch-2", index, launch.Dispatch{Token: "once"})
	if again, _ := out.(JobDispatched); err != nil || again.Child != made.Child || again.EvalID != "" || again.CreateIndex != made.CreateIndex {
		t.Errorf("the same token again: %+v, %v", out, err)
	}
	if _, err = dispatch("web/dispatch-1", index, launch.Dispatch{}); err == nil {
		t.Error("a second child of one id")
	}
	if _, err = dispatch("web/dispatch-3", index-1, launch.Dispatch{}); !errors.Is(err, ErrOtherIndex) {
		t.Errorf("a job that has changed: %v", err)
	}
	mustApply(f, DeregisterJob, &JobDeregister{Key: child.Key(), Purge: true, Now: f.now})
	out, _ = dispatch("web/dispatch-2", index, launch.Dispatch{Token: "once"})
	if again, _ := out.(JobDispatched); again.Child != "web/dispatch-2" {
		t.Errorf("the token of a job that is gone: %+v", again)
	}
}

func scalable(min, max int64) *n.Job {
	job := webJob(2)
	g := &job.TaskGroups[0]
	g.Scaling = &n.ScalingPolicy{Enabled: true, Min: &min, Max: &max}
	g.Scaling.Aim(job.Key(), g.Name)
	return job
}

func (f *fixture) scale(c JobScale) (JobScaled, error) {
	c.Key, c.Now = web, f.now
	if c.Group == "" {
		c.Group = "g"
	}
	c.EvalID = n.EvalID(fmt.Sprint("e", f.index))
	out, err := apply(f, ScaleJob, &c)
	scaled, _ := out.(JobScaled)
	return scaled, err
}

// TestScale changes the count of a group, within what it may be.
func TestScale(t *testing.T) {
	f := newFixture(t)
	mustApply(f, RegisterJob, &JobRegister{Job: scalable(1, 5), Now: f.now})
	for _, c := range []struct {
		name    string
		scale   JobScale
		problem string // "": none
	}{
		{"up", JobScale{Count: ptr(int64(4))}, ""},
		{"what it is", JobScale{Count: ptr(int64(4))}, ""},
		{"only an event", JobScale{Message: "no metrics", Error: true}, ""},
		{"too many", JobScale{Count: ptr(int64(6))}, "greater than scaling policy maximum: 6 > 5"},
		{"too few", JobScale{Count: ptr(int64(0))}, "less than scaling policy minimum: 0 < 1"},
		{"no group", JobScale{Group: "zz"}, `task group "zz" specified for scaling does not exist in job`},
		{"of another index", JobScale{Count: ptr(int64(4)), JobModifyIndex: 3}, "Enforcing job modify index 3"},
		{"above the limit of all", JobScale{Count: ptr(int64(4)), MaxCount: 3}, "job_max_count"},
	} {
		if c.scale.MaxCount == 0 {
			c.scale.MaxCount = -1
		}
		before := f.s.Read().Job(web)
		out, err := f.scale(c.scale)
		if (err != nil) != (c.problem != "") || err != nil && !strings.Contains(errs.Text(err), c.problem) {
			t.Errorf("%s: %v", c.name, err)
		}
		after := f.s.Read().Job(web)
		if err != nil && after.ModifyIndex != before.ModifyIndex {
			t.Errorf("%s: refused and done", c.name)
		}
		if err == nil && (out.EvalID == "") != (c.scale.Count == nil) {
			t.Errorf("%s: evaluation %q", c.name, out.EvalID)
		}
	}
	job := f.s.Read().Job(web)
	events, _ := f.s.Read().ScalingEvents(nil, web)
	if job.Version != 1 || job.TaskGroups[0].Count != 4 || len(events["g"]) != 3 {
		t.Errorf("version %d with count %d and %d events", job.Version, job.TaskGroups[0].Count, len(events["g"]))
	}
	if e := events["g"][2]; e.PreviousCount != 2 || *e.Count != 4 || e.EvalID == nil || f.s.Read().Eval(nil, *e.EvalID).TriggeredBy != n.TriggerJobScaling {
		t.Errorf("the oldest event is %+v", e)
	}
	for i := range 30 {
		if _, err := f.scale(JobScale{Message: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if events, _ = f.s.Read().ScalingEvents(nil, web); len(events["g"]) != n.ScalingEventsKept || events["g"][0].Message != "29" {
		t.Errorf("%d events, the newest %+v", len(events["g"]), events["g"][0])
	}
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Deployment: &n.Deployment{
		ID: "d", Namespace: "default", JobID: "web", JobCreateIndex: job.CreateIndex, Status: n.DeploymentRunning,
	}})
	if _, err := f.scale(JobScale{Count: ptr(int64(3)), MaxCount: -1}); err == nil || !strings.Contains(err.Error(), "active deployment") {
		t.Errorf("during a deployment: %v", err)
	}
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Purge: true, Now: f.now})
	if events, _ = f.s.Read().ScalingEvents(nil, web); len(events) > 0 || len(slices.Collect(f.s.Read().Policies(nil, ""))) > 0 {
		t.Error("purging left something behind")
	}
}

// TestPolicies follows a group's policy through the versions of its job.
func TestPolicies(t *testing.T) {
	f := newFixture(t)
	policies := func() []*n.ScalingPolicy { return slices.Collect(f.s.Read().Policies(nil, "")) }
	register := func(job *n.Job) uint64 {
		t.Helper()
		mustApply(f, RegisterJob, &JobRegister{Job: job, Now: f.now})
		return f.index
	}
	made := register(scalable(1, 5))
	first := policies()[0]
	if first.Target["Job"] != "web" || first.Target["Group"] != "g" || first.Type != n.ScalingHorizontal || first.CreateIndex != made {
		t.Fatalf("the policy is %+v", first)
	}
	job := scalable(1, 5)
	job.Priority = 70
	register(job)
	if p := policies()[0]; p.ModifyIndex != made {
		t.Errorf("a policy changed that is what it was: %+v", p)
	}
	changed := register(scalable(1, 9))
	if p := policies()[0]; p.ID != first.ID || p.CreateIndex != made || p.ModifyIndex != changed || *p.Max != 9 {
		t.Errorf("after a change it is %+v", p)
	}
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Now: f.now})
	if p := policies()[0]; p.Enabled || !f.s.Read().Job(web).TaskGroups[0].Scaling.Enabled {
		t.Error("of a stopped job, the policy is off, and the specification as it was")
	}
	register(scalable(1, 9))
	if p := policies()[0]; !p.Enabled || p.ID != first.ID {
		t.Errorf("started again, it is %+v", p)
	}
	register(webJob(1))
	if len(policies()) != 0 {
		t.Error("a group without the block has a policy")
	}
}
