package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPreemption has a job fill the only node and a more important one come. The
// first gives way once preemption is on, and has its place back in the end. Each
// notes when it is there and when it is gone, so that it shows if they meet.
func TestPreemption(t *testing.T) {
	a := newAgent(t, serverAndClient+"client {\n memory_total_mb = 500\n}\n")
	a.start()
	a.ready(1)
	diary := filepath.Join(a.dir, "diary")
	job := func(name string, priority int) string {
		return a.file(name+".hcl", fmt.Sprintf(`
job %[1]q {
  priority = %[2]d
  group "g" {
    update {
      max_parallel = 0
    }
    task "t" {
      driver       = "raw_exec"
      kill_timeout = "20s"
      config {
        command = "/bin/sh"
        args    = ["-c", "trap 'sleep 1; echo %[1]s ends >> %[3]s; exit 0' INT; echo %[1]s begins >> %[3]s; while :; do sleep 0.1; done"]
      }
      resources {
        cpu    = 10
        memory = 300
      }
    }
  }
}
`, name, priority, diary))
	}
	low, high := job("low", 20), job("high", 80)
	a.must("job", "run", "-detach", low)
	first := a.running("low", 1)[0]

	// As a cluster begins, services wait.
	out, code := a.cli("job", "plan", high)
	if code != 1 || !strings.Contains(out, `Dimension "memory" exhausted on 1 node`) || strings.Contains(out, "Preemptions:") {
		t.Errorf("job plan without preemption: exit code %d\n%s", code, out)
	}
	a.must("operator", "scheduler", "set-config", "-preempt-service-scheduler=true")
	out, code = a.cli("job", "plan", high)
	if code != 1 || !strings.Contains(out, "Preemptions:") || !strings.Contains(out, first.ID) || !strings.Contains(out, "All tasks successfully allocated") {
		t.Errorf("job plan: exit code %d\n%s", code, out)
	}
	if now := a.running("low", 1)[0]; now.ID != first.ID {
		t.Error("to plan has changed something")
	}

	a.must("job", "run", "-detach", high)
	second := a.running("high", 1)[0]
	c := a.client()
	eventually(t, 10*time.Second, "the first job ends and waits", func() error {
		v, _, err := c.Allocations().Info(first.ID, nil)
		if err != nil {
			return err
		}
		if v.DesiredStatus != "evict" || v.ClientStatus != "complete" || v.PreemptedByAllocation != second.ID || v.DesiredDescription != "Preempted by alloc ID "+second.ID {
			return fmt.Errorf("it is %s and %s by %q: %s", v.DesiredStatus, v.ClientStatus, v.PreemptedByAllocation, v.DesiredDescription)
		}
		evals, _, err := c.Jobs().Evaluations("low", nil)
		if err != nil {
			return err
		}
		has := map[string]int{}
		for _, e := range evals {
			has[e.TriggeredBy+" "+e.Status]++
		}
		if has["preemption complete"] != 1 || has["queued-allocs blocked"] != 1 {
			return fmt.Errorf("its evaluations are %v", has)
		}
		return nil
	})
	info, _, err := c.Allocations().Info(second.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := info.PreemptedAllocations; len(p) != 1 || p[0] != first.ID {
		t.Errorf("the second job displaced %v", p)
	}
	if len(info.Metrics.ScoreMetaData) != 1 || info.Metrics.ScoreMetaData[0].Scores["preemption"] <= 0 {
		t.Errorf("its node was rated as %v", info.Metrics.ScoreMetaData)
	}
	if out := a.must("job", "status", "low"); !strings.Contains(out, `Dimension "memory" exhausted on 1 node`) {
		t.Errorf("job status does not say why it waits:\n%s", out)
	}

	// It comes back after the agent did, too.
	a.kill()
	a.start()
	a.ready(1)
	a.running("high", 1)
	a.must("job", "stop", "-detach", "high")
	if back := a.running("low", 1)[0]; back.ID == first.ID || back.Name != first.Name {
		t.Errorf("%s came back as %s", first.Name, back.Name)
	}
	a.must("job", "stop", "-purge", "low")
	eventually(t, 10*time.Second, "the diary is complete", func() error {
		const want = "low begins\nlow ends\nhigh begins\nhigh ends\nlow begins\nlow ends\n"
		got, err := os.ReadFile(diary)
		if err == nil && string(got) != want {
			err = fmt.Errorf("it says\n%s", got)
		}
		return err
	})
}
