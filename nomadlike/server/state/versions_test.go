package state

import (
	"fmt"
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// remembered checks a job's versions: their numbers, with ! if they are stable and
// their tag.
func (f *fixture) remembered(want string) {
	f.t.Helper()
	var got []string
	for v := range f.s.Read().JobVersions(nil, web) {
		s := fmt.Sprint(v.Version)
		if v.Stable {
			s += "!"
		}
		if v.VersionTag != nil {
			s += "=" + v.VersionTag.Name
		}
		got = append(got, s)
	}
	if s := strings.Join(got, " "); s != want {
		f.t.Errorf("remembered are the versions %q, want %q", s, want)
	}
}

func (f *fixture) tag(version uint64, name string) {
	f.t.Helper()
	mustApply(f, TagJob, &JobTag{Key: web, Version: version, Name: name, Now: f.now})
}

// versions registers the job until it has a version.
func (f *fixture) versions(from, to int) {
	f.t.Helper()
	for i := from; i <= to; i++ {
		f.register(i+1, "e")
		if v := f.s.Read().Job(web).Version; v != uint64(i) {
			f.t.Fatalf("version %d, want %d", v, i)
		}
	}
}

// TestRemembered shows which versions of a job are remembered.
func TestRemembered(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(f *fixture)
		want string
	}{
		"the newest": {func(f *fixture) { f.versions(0, 8) }, "3 4 5 6 7 8"},
		"tagged ones besides": {func(f *fixture) {
			f.versions(0, 1)
			f.tag(0, "first")
			f.tag(1, "second")
			f.versions(2, 9)
		}, "0=first 1=second 4 5 6 7 8 9"},
		"the newest stable one, and another goes": {func(f *fixture) {
			f.versions(0, 2)
			mustApply(f, SetJobStability, &JobStability{Key: web, Version: 1, Stable: true})
			mustApply(f, SetJobStability, &JobStability{Key: web, Version: 2, Stable: true})
			f.versions(3, 9)
		}, "2! 5 6 7 8 9"},
		"a stable one that is tagged is enough": {func(f *fixture) {
			f.versions(0, 2)
			mustApply(f, SetJobStability, &JobStability{Key: web, Version: 1, Stable: true})
			mustApply(f, SetJobStability, &JobStability{Key: web, Version: 2, Stable: true})
			f.tag(2, "good")
			f.versions(3, 9)
		}, "2!=good 4 5 6 7 8 9"},
		"one that lost its tag goes with the next": {func(f *fixture) {
			f.versions(0, 0)
			f.tag(0, "first")
			f.versions(1, 7)
			mustApply(f, UntagJob, &JobUntag{Key: web, Name: "first"})
			f.remembered("0 2 3 4 5 6 7")
			f.versions(8, 8)
		}, "3 4 5 6 7 8"},
		"as many as the command says": {func(f *fixture) {
			for i := range 5 {
				mustApply(f, RegisterJob, &JobRegister{Job: webJob(i), Keep: 2, Now: f.now})
			}
			f.remembered("3 4")
			mustApply(f, DeregisterJob, &JobDeregister{Key: web, Keep: 1, Now: f.now})
		}, "5"},
		"never the current one": {func(f *fixture) {
			mustApply(f, RegisterJob, &JobRegister{Job: webJob(0), Keep: 1, Now: f.now})
			mustApply(f, SetJobStability, &JobStability{Key: web, Version: 0, Stable: true})
			mustApply(f, RegisterJob, &JobRegister{Job: webJob(1), Keep: 1, Now: f.now})
			mustApply(f, RegisterJob, &JobRegister{Job: webJob(2), Keep: 1, Now: f.now})
		}, "0! 2"},
		"none after a purge": {func(f *fixture) {
			f.versions(0, 3)
			f.tag(1, "x")
			f.place("a1")
			f.versions(4, 12)
			mustApply(f, DeregisterJob, &JobDeregister{Key: web, Purge: true, Now: f.now})
			if f.s.Read().JobVersion(web, 3) != nil {
				f.t.Error("a version was left behind")
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c.do(f)
			f.remembered(c.want)
		})
	}
}

// TestTags names versions, and takes names away.
func TestTags(t *testing.T) {
	f := newFixture(t)
	f.versions(0, 1)
	before := f.s.Read().Job(web)
	tag := mustApply(f, TagJob, &JobTag{Key: web, Name: "good", Description: "it works", Version: 1, Now: 77}).(*n.VersionTag)
	if *tag != (n.VersionTag{Name: "good", Description: "it works", TaggedTime: 77}) {
		t.Errorf("tag %+v", tag)
	}
	job := f.s.Read().Job(web)
	if job.VersionTag == nil || job.ModifyIndex != f.index || job.JobModifyIndex != before.JobModifyIndex || job.Version != 1 {
		t.Errorf("the tagged job is %+v", job)
	}
	fails := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	_, err := apply(f, TagJob, &JobTag{Key: web, Name: "good", Version: 0})
	fails(err, `tag "good" is on version 1 of job "web" already`)
	_, err = apply(f, TagJob, &JobTag{Key: web, Name: "x", Version: 9})
	fails(err, `job "web" has no version 9`)
	_, err = apply(f, TagJob, &JobTag{Key: n.JobKey{Namespace: "default", ID: "none"}, Name: "x"})
	fails(err, "job not found")
	_, err = apply(f, UntagJob, &JobUntag{Key: web, Name: "x"})
	fails(err, `job "web" has no tag "x"`)
	_, err = apply(f, SetJobStability, &JobStability{Key: web, Version: 9})
	fails(err, `job "web" has no version 9`)

	mustApply(f, TagJob, &JobTag{Key: web, Name: "good", Description: "again", Version: 1, Now: 78})
	if tag := f.s.Read().Job(web).VersionTag; tag.Description != "again" || tag.TaggedTime != 78 {
		t.Errorf("tagged again: %+v", tag)
	}
	f.tag(0, "old")
	f.tag(0, "older") // in its place
	f.remembered("0=older 1=good")

	f.register(2, "e") // as it was, but for the tag
	f.remembered("0=older 1=good 2")
	if job := f.s.Read().Job(web); job.Version != 2 || job.VersionTag != nil {
		t.Errorf("registered again after it was tagged: %+v", job)
	}
	f.register(2, "e")
	mustApply(f, TagJob, &JobTag{Key: web, Name: "newest", Latest: true})
	f.remembered("0=older 1=good 2=newest")

	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Now: f.now}) // the tag is of what ran
	f.remembered("0=older 1=good 2=newest 3")
	tag = mustApply(f, UntagJob, &JobUntag{Key: web, Name: "good"}).(*n.VersionTag)
	if tag.Name != "good" {
		t.Errorf("taken away: %+v", tag)
	}
	f.remembered("0=older 1 2=newest 3")
}

// TestStableVersion shows that marking the current version changes nothing else.
func TestStableVersion(t *testing.T) {
	f := newFixture(t)
	f.register(1, "e1")
	f.place("a1")
	mustApply(f, SetJobStability, &JobStability{Key: web, Version: 0, Stable: true})
	if j := f.s.Read().Job(web); !j.Stable || j.Status != n.JobRunning || j.ModifyIndex != f.index || j.JobModifyIndex == f.index {
		t.Errorf("job %+v", j)
	}
	mustApply(f, SetJobStability, &JobStability{Key: web, Version: 0})
	f.remembered("0")
}

// TestSources follows the text of a job from version to version.
func TestSources(t *testing.T) {
	f := newFixture(t)
	register := func(count int, source string) {
		var sub *n.JobSubmission
		if source != "" {
			sub = &n.JobSubmission{Source: source, Format: "hcl2"}
		}
		mustApply(f, RegisterJob, &JobRegister{Job: webJob(count), Submission: sub, Now: f.now})
	}
	want := func(version uint64, source string) {
		t.Helper()
		sub := f.s.Read().Submission(nil, web, version)
		switch {
		case sub == nil && source != "":
			t.Errorf("the text of version %d is lost", version)
		case sub != nil && (sub.Source != source || sub.JobID != "web" || sub.Version != version || sub.JobModifyIndex != f.s.Read().JobVersion(web, version).JobModifyIndex):
			t.Errorf("version %d: %+v, want %q", version, sub, source)
		}
	}
	register(1, "one")
	want(0, "one")
	register(1, "one # explained") // the same job
	want(0, "one # explained")
	register(1, "") // by who has no text
	want(0, "one # explained")
	register(2, "two")
	register(3, "")
	want(1, "two")
	want(2, "")

	mustApply(f, SetJobStability, &JobStability{Key: web, Version: 1, Stable: true})
	mustApply(f, ApplyPlan, &PlanApply{Now: f.now, Deployment: &n.Deployment{ID: "d", Namespace: "default", JobID: "web", JobVersion: 2, Status: n.DeploymentRunning}})
	back := *f.s.Read().JobVersion(web, 1)
	mustApply(f, ChangeDeployment, &DeploymentChange{Job: &back, Update: n.DeploymentStatusUpdate{DeploymentID: "d", Status: n.DeploymentFailed}, Now: f.now})
	want(3, "two")
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Now: f.now})
	want(4, "two")
	for i := range 8 {
		register(10+i, fmt.Sprint("text ", i))
	}
	want(4, "")
	want(1, "two") // of the stable version
	want(9, "text 4")
	mustApply(f, DeregisterJob, &JobDeregister{Key: web, Purge: true, Now: f.now})
	if f.s.Read().Submission(nil, web, 9) != nil {
		t.Error("a purged job's text is left")
	}
}
