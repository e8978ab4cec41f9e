package jobdiff_test

import (
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	"github.com/nomadlike/nomadlike/jobspec/jobdiff"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// usual is a job file of about twenty lines.
const usual = `job "web" {
  datacenters = ["dc1"]
  group "front" {
    count = 3
    network {
      port "http" { to = 8080 }
    }
    task "server" {
      driver = "docker"
      config {
        image = "nginx:1.27"
        ports = ["http"]
      }
      env { LISTEN = "8080" }
      resources {
        cpu    = 200
        memory = 128
      }
    }
  }
}
`

// longest is what all of a plan but its scheduling may take for a usual file.
const longest = 2 * time.Millisecond

// BenchmarkPlan reads, admits and compares a usual job file.
func BenchmarkPlan(b *testing.B) {
	old := admitted(b)
	old.TaskGroups[0].Tasks[0].Resources.CPU++
	b.ReportAllocs()
	for b.Loop() {
		d := jobdiff.Diff(old, admitted(b), true)
		jobdiff.Annotate(d, nil)
		if d.Type != n.DiffEdited {
			b.Fatal(d.Type)
		}
	}
	if each := b.Elapsed() / time.Duration(b.N); b.N > 1 && each > longest {
		b.Errorf("it took %s, more than %s", each, longest)
	}
}

func admitted(b *testing.B) *n.Job {
	b.Helper()
	file, err := jobspec.Parse("web.hcl", []byte(usual), jobspec.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := admission.Admit(file.Job, admission.Options{}); err != nil {
		b.Fatal(err)
	}
	return file.Job
}
