package admission_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestPoliciesOfTheJobSettleInGroups registers what inspecting the job showed:
// the second time must change nothing.
func TestPoliciesOfTheJobSettleInGroups(t *testing.T) {
	file, err := jobspec.Parse("x.hcl", []byte(`job "j" {
  update {
    max_parallel = 3
    stagger      = "7s"
    canary       = 1
  }
  migrate { max_parallel = 2 }
  reschedule { delay = "9s" }
  group "g" {
    task "t" { driver = "raw_exec" }
  }
}`), jobspec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	job := file.Job
	if _, err := admission.Admit(job, admission.Options{}); err != nil {
		t.Fatal(err)
	}
	if job.Migrate != nil || job.Reschedule != nil {
		t.Errorf("the job still has migrate %v, reschedule %v", job.Migrate, job.Reschedule)
	}
	if diff := cmp.Diff(&n.Update{MaxParallel: 3, Stagger: 7 * time.Second}, job.Update); diff != "" {
		t.Error(diff)
	}
	g := job.TaskGroups[0]
	if g.Update.Canary != 1 || g.Update.MaxParallel != 3 || g.Migrate.MaxParallel != 2 || g.ReschedulePolicy.Delay != 9*time.Second {
		t.Errorf("the group has update %+v, migrate %+v, reschedule %+v", g.Update, g.Migrate, g.ReschedulePolicy)
	}
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	again, err := jobspec.DecodeJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admission.Admit(again, admission.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(job, again); diff != "" {
		t.Error(diff)
	}
}
