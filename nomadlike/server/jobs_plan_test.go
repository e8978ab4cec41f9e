package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// planning is a server that only plans, on a state of its own.
type planning struct {
	*testing.T
	s     *Server
	index uint64
}

func newPlanning(t *testing.T) *planning {
	t.Helper()
	return &planning{T: t, s: &Server{Config: Config{Region: n.DefaultRegion, Logger: hclog.NewNullLogger()}, store: state.New()}, index: 10}
}

func (p *planning) parse(src string) *n.Job {
	p.Helper()
	file, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{Vars: []string{"command=x"}})
	if err != nil {
		p.Fatal(err)
	}
	return file.Job
}

// register stores a job as registering it would.
func (p *planning) register(job *n.Job) {
	p.Helper()
	if _, err := p.s.admit(p.s.store.Read(), &n.WriteOptions{RequestOptions: n.RequestOptions{Namespace: n.DefaultNamespace}}, job); err != nil {
		p.Fatal(err)
	}
	b, err := state.RegisterJob.Encode(&state.JobRegister{Job: job, Now: 1})
	if err != nil {
		p.Fatal(err)
	}
	p.index++
	if _, err := p.s.store.Apply(p.index, b); err != nil {
		p.Fatal(err)
	}
}

func (p *planning) plan(job *n.Job) *n.JobPlanned {
	p.Helper()
	req := &n.JobPlan{JobID: job.ID, Job: job, Diff: true}
	req.Namespace = n.DefaultNamespace
	out, err := p.s.jobPlan(p.Context(), req)
	if err != nil {
		p.Fatal(err)
	}
	return out
}

// unchanged plans what is stored already.
func (p *planning) unchanged(job, stored *n.Job) {
	p.Helper()
	out := p.plan(job)
	if out.JobModifyIndex != stored.JobModifyIndex || out.JobModifyIndex == 0 {
		p.Errorf("JobModifyIndex is %d, want %d", out.JobModifyIndex, stored.JobModifyIndex)
	}
	if out.Diff.Type != n.DiffNone {
		p.Errorf("the job is %s: %+v %+v", out.Diff.Type, out.Diff.Fields, out.Diff.Objects)
	}
	for _, g := range out.Diff.TaskGroups {
		if g.Type != n.DiffNone {
			p.Errorf("group %s is %s: %+v %+v", g.Name, g.Type, g.Fields, g.Objects)
		}
		for _, x := range g.Tasks {
			if x.Type != n.DiffNone {
				p.Errorf("task %s is %s: %+v %+v", x.Name, x.Type, x.Fields, x.Objects)
			}
		}
	}
}

// everyBlock is a job file with what admission, servers or other versions add to.
const everyBlock = `job "all" {
  update {
    max_parallel = 3
    stagger      = "7s"
    canary       = 1
  }
  migrate { max_parallel = 2 }
  reschedule { delay = "9s" }
  meta { a = "1" }
  group "g" {
    count = 2
    scaling {
      max = 9
      policy { cooldown = "1m" }
    }
    network {
      mode = "bridge"
      port "http" { to = 80 }
    }
    volume "data" {
      type   = "host"
      source = "data"
    }
    service {
      name = "${JOB}-api"
      port = "9001"
      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "db"
              local_bind_port  = 5432
            }
          }
        }
      }
      check {
        expose   = true
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "t" {
      driver      = "docker"
      kill_signal = "sigint"
      config {
        image = "a"
        ports = ["http"]
      }
      identity { env = true }
      identity {
        name = "other"
        aud  = ["x"]
        ttl  = "1h"
      }
      scaling "cpu" { max = 500 }
      template {
        data          = "x"
        destination   = "local/x"
        change_mode   = "signal"
        change_signal = "sighup"
      }
      volume_mount {
        volume      = "data"
        destination = "/data"
      }
    }
  }
  group "other" {
    network {
      port "http" {}
    }
    task "t" {
      driver = "raw_exec"
      service {
        provider = "nomad"
        port     = "http"
        check {
          type     = "tcp"
          interval = "10s"
          timeout  = "2s"
        }
      }
    }
  }
}`

// TestUnchangedFileHasNoDiff plans what was registered, again: whatever admission
// adds is on both sides, and nothing is done.
func TestUnchangedFileHasNoDiff(t *testing.T) {
	files := map[string]string{"every block": everyBlock}
	examples, err := filepath.Glob("../../examples/*.nomad.hcl")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, path := range examples {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(src)
	}
	for name, src := range files {
		t.Run(name, func(t *testing.T) {
			p := newPlanning(t)
			p.register(p.parse(src))
			stored := p.s.store.Read().Job(p.parse(src).Key())
			p.unchanged(p.parse(src), stored)
			p.unchanged(walk.Clone(stored), stored) // somebody inspected it
			p.register(p.parse(src))
			if again := p.s.store.Read().Job(stored.Key()); again.Version != stored.Version {
				t.Errorf("registering it again made version %d", again.Version)
			}
		})
	}
}

// TestPlanAnswers looks at the parts of the answer beside the diff.
func TestPlanAnswers(t *testing.T) {
	p := newPlanning(t)
	file := `job "j" {
  type = "batch"
  periodic {
    crons            = ["@hourly"]
    prohibit_overlap = true
  }
  group "g" {
    count = 2
    task "t" { driver = "raw_exec" }
  }
}`
	out := p.plan(p.parse(file))
	if out.Diff.Type != n.DiffAdded || out.JobModifyIndex != 0 {
		t.Errorf("a new job: %s, JobModifyIndex %d", out.Diff.Type, out.JobModifyIndex)
	}
	if out.NextPeriodicLaunch == nil {
		t.Error("it is not said when the job would be launched")
	}
	if f := out.FailedTGAllocs["g"]; f == nil || f.CoalescedFailures != 1 {
		t.Errorf("without nodes, what failed is %+v", f)
	}
	if len(out.CreatedEvals) != 1 || out.CreatedEvals[0].Status != n.EvalBlocked || out.CreatedEvals[0].CreateIndex != 0 {
		t.Errorf("evaluations: %+v", out.CreatedEvals)
	}
	if u := out.Annotations.DesiredTGUpdates["g"]; u == nil || u.Place != 2 || out.Diff.TaskGroups[0].Updates["create"] != 2 {
		t.Errorf("updates: %+v, in the diff %v", u, out.Diff.TaskGroups[0].Updates)
	}
	if !strings.HasPrefix(out.Warnings, "1 warning:\n\n* ") {
		t.Errorf("warnings: %q", out.Warnings)
	}
	if p.s.store.Read().Job(n.JobKey{Namespace: n.DefaultNamespace, ID: "j"}) != nil {
		t.Error("planning stored the job")
	}
	off := p.plan(p.parse(strings.Replace(file, "crons ", "enabled = false\ncrons ", 1)))
	if off.NextPeriodicLaunch != nil {
		t.Errorf("a job that is switched off would be launched at %s", off.NextPeriodicLaunch)
	}
}

// TestPlanOfASubmittedState shows that a submitted job can not say what is the
// servers' to say, in a plan as little as when it is registered.
func TestPlanOfASubmittedState(t *testing.T) {
	p := newPlanning(t)
	const file = `job "j" {
  group "g" {
    task "t" { driver = "raw_exec" }
  }
}`
	p.register(p.parse(file))
	job := p.parse(file)
	job.Stop, job.Dispatched, job.ParentID = true, true, "p"
	job.Version, job.Status, job.ModifyIndex, job.SubmitTime, job.Stable = 7, n.JobDead, 99, 99, true
	if out := p.plan(job); out.Diff.Type != n.DiffNone {
		t.Errorf("the job is %s: %+v", out.Diff.Type, out.Diff.Fields)
	}
}
