package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
)

// children lists the jobs that a job has launched, by status.
func (a *agent) children(job string) map[string][]string {
	a.t.Helper()
	list, _, err := a.client().Jobs().PrefixList(job + "/")
	if err != nil {
		a.t.Fatal(err)
	}
	out := map[string][]string{}
	for _, j := range list {
		if j.ParentID == job {
			out[j.Status] = append(out[j.Status], j.ID)
		}
	}
	return out
}

// TestPeriodic runs a job every second, over a crash of the agent, and forgets
// what has ended.
func TestPeriodic(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	a.must("job", "run", a.file("tick.hcl", `
job "tick" {
  type = "batch"
  periodic {
    crons = ["* * * * * * *"]
  }
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/true"
      }
    }
  }
}
`))
	ended := func(want int) func() error {
		return func() error {
			if all := a.children("tick"); len(all["dead"]) < want {
				return fmt.Errorf("there are %v", all)
			}
			return nil
		}
	}
	eventually(t, 30*time.Second, "three launches end", ended(3))
	a.kill()
	time.Sleep(2 * time.Second)
	a.start()
	a.ready(1)
	before := len(a.children("tick")["dead"])
	eventually(t, 30*time.Second, "more launches end", ended(before+2))

	resp, _, err := a.client().Jobs().PeriodicForce("tick", nil)
	if err != nil || resp == "" {
		t.Errorf("forcing a launch gave evaluation %q, %v", resp, err)
	}
	if _, _, err := a.client().Jobs().Deregister("tick", false, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "all launches end", func() error {
		if all := a.children("tick"); len(all["running"])+len(all["pending"]) > 0 {
			return fmt.Errorf("there are %v", all)
		}
		return nil
	})
	launched := a.children("tick")["dead"]
	time.Sleep(1500 * time.Millisecond)
	if later := a.children("tick")["dead"]; len(later) != len(launched) {
		t.Errorf("a stopped job was launched: %v", later)
	}
	a.must("system", "gc")
	if left := a.must("job", "status"); !strings.Contains(left, "No running jobs") {
		t.Errorf("after the garbage collection there is\n%s", left)
	}
}

// TestDispatched runs a copy of a parameterized job with its payload and meta.
func TestDispatched(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	a.must("job", "run", a.file("encode.hcl", `
job "encode" {
  type = "batch"
  meta {
    bucket = "b"
    input  = "none"
  }
  parameterized {
    meta_required = ["input"]
    meta_optional = ["quality"]
  }
  group "g" {
    task "t" {
      driver = "raw_exec"
      dispatch_payload {
        file = "in/settings.json"
      }
      config {
        command = "/bin/sh"
        args    = ["-c", "cat local/in/settings.json; echo $NOMAD_META_INPUT,$NOMAD_META_quality,$NOMAD_META_bucket of $NOMAD_JOB_PARENT_ID; test $NOMAD_META_input = good"]
      }
      restart {
        attempts = 0
      }
    }
    reschedule {
      attempts = 0
    }
  }
}
`))
	settings := strings.Repeat("settings ", 1000) + "\n"
	file := a.file("settings.json", settings)
	out := a.must("job", "dispatch", "-wait", "-meta", "input=good", "encode", file)
	child := strings.Fields(out)[4]
	if !strings.HasPrefix(child, "encode/dispatch-") {
		t.Fatalf("no child in\n%s", out)
	}
	allocs := a.allocs(child)
	if len(allocs) != 1 {
		t.Fatalf("%d allocations of %s", len(allocs), child)
	}
	if logs := a.must("alloc", "logs", allocs[0].ID); logs != settings+"good,,b of encode\n" {
		t.Errorf("the task wrote %q", logs)
	}
	job, _, err := a.client().Jobs().Info(child, nil)
	if err != nil || string(job.Payload) != settings || !job.Dispatched || *job.ParentID != "encode" || job.Meta["input"] != "good" {
		t.Errorf("the child is %+v, %v", job, err)
	}
	if out, code := a.cli("job", "dispatch", "-wait", "-meta", "input=bad", "encode", file); code != 2 {
		t.Errorf("one that fails gave %d\n%s", code, out)
	}
	if res, body := a.do("PUT", "/v1/job/encode/dispatch/payload", "x"); res.StatusCode != 500 || !strings.Contains(body, "required meta keys: input") {
		t.Errorf("a payload alone gave %d %s", res.StatusCode, body)
	}
	if _, _, err := a.client().Jobs().Dispatch("encode", map[string]string{"input": "x"}, make([]byte, 16385), "", nil); err == nil {
		t.Error("a payload of 16385 bytes was taken")
	}
	once := &api.WriteOptions{IdempotencyToken: "once"}
	first, _, err := a.client().Jobs().Dispatch("encode", map[string]string{"input": "good"}, nil, "pre", once)
	if err != nil || !strings.HasPrefix(first.DispatchedJobID, "encode/dispatch-pre-") {
		t.Fatalf("%+v, %v", first, err)
	}
	again, _, err := a.client().Jobs().Dispatch("encode", map[string]string{"input": "good"}, nil, "pre", once)
	if err != nil || again.DispatchedJobID != first.DispatchedJobID || again.EvalID != "" || again.JobCreateIndex != first.JobCreateIndex {
		t.Errorf("the same token again gave %+v, %v", again, err)
	}
}

// TestScaled scales a job as an autoscaler does.
func TestScaled(t *testing.T) {
	a := newAgent(t, serverAndClient+mockDriver)
	a.start()
	a.ready(1)
	c := a.client()
	a.must("job", "run", a.file("web.hcl", `
job "web" {
  group "g" {
    count = 1
    scaling {
      min = 1
      max = 3
      policy {
        cooldown = "1m"
      }
    }
    update {
      health_check     = "task_states"
      min_healthy_time = "0s"
    }
    task "t" {
      driver = "mock_driver"
      config {
        run_for = "1h"
      }
    }
  }
}
`))
	list, meta, err := c.Scaling().ListPolicies(nil)
	if err != nil || len(list) != 1 || list[0].Target["Group"] != "g" || meta.LastIndex == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	policy, _, err := c.Scaling().GetPolicy(list[0].ID, nil)
	if err != nil || *policy.Min != 1 || *policy.Max != 3 || policy.Policy["cooldown"] != "1m" {
		t.Fatalf("%+v, %v", policy, err)
	}
	number := func(n int) *int { return &n }
	if _, _, err := c.Jobs().Scale("web", "g", number(3), "load", false, map[string]any{"cpu": 97}, nil); err != nil {
		t.Fatal(err)
	}
	a.running("web", 3)
	eventually(t, 20*time.Second, "the deployment ends", func() error {
		status, _, err := c.Jobs().ScaleStatus("web", nil)
		if err == nil && status.TaskGroups["g"].Healthy != 3 {
			err = fmt.Errorf("%+v", status.TaskGroups["g"])
		}
		return err
	})
	if _, _, err := c.Jobs().Scale("web", "g", nil, "no metrics", true, nil, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Jobs().Scale("web", "g", number(4), "", false, nil, nil); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("above the maximum: %v", err)
	}
	status, _, err := c.Jobs().ScaleStatus("web", nil)
	if err != nil {
		t.Fatal(err)
	}
	g := status.TaskGroups["g"]
	var events []string
	for _, e := range g.Events {
		events = append(events, fmt.Sprint(e.Message, " ", e.Error, " ", e.PreviousCount, " ", e.Count != nil, " ", e.Meta))
	}
	if !slices.Equal(events, []string{"no metrics true 3 false map[]", "load false 1 true map[cpu:97]"}) || g.Desired != 3 || g.Running != 3 || status.JobStopped {
		t.Errorf("%+v with %q", g, events)
	}
	if again, _, err := c.Scaling().ListPolicies(nil); err != nil || again[0].ID != list[0].ID || again[0].ModifyIndex != list[0].ModifyIndex {
		t.Errorf("scaling changed the policy: %+v, %v", again[0], err)
	}
}
