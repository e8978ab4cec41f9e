package planner

import (
	"fmt"
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// jobs are those of a view.
type jobs struct {
	view
	list []*n.Job
}

func (j jobs) Job(k n.JobKey) *n.Job {
	for _, job := range j.list {
		if job.Key() == k {
			return job
		}
	}
	return nil
}

// TestPreempted shows what becomes of those that leave for others: what ended
// meanwhile is left alone, and each job is evaluated once, as what it is.
func TestPreempted(t *testing.T) {
	alloc := func(id n.AllocID, job n.JobID, desired n.DesiredStatus) *n.Allocation {
		return &n.Allocation{ID: id, Namespace: "default", JobID: job, NodeID: "a", DesiredStatus: desired, ClientStatus: n.ClientRunning}
	}
	job := func(id n.JobID, typ string, priority int) *n.Job {
		return &n.Job{ID: id, Namespace: "default", Type: typ, Priority: priority, JobModifyIndex: 7}
	}
	all := []*n.Job{job("high", "service", 80), job("low", "batch", 20), job("agent", "system", 30)}
	stopped := job("high", "service", 80)
	stopped.Stop = true
	for _, c := range []struct {
		name   string
		there  []*n.Allocation
		jobs   []*n.Job
		leaves []n.AllocID
		want   string
	}{
		{
			"two of a job and one of another", []*n.Allocation{alloc("1", "low", "run"), alloc("2", "low", "run"), alloc("3", "agent", "run")}, all,
			[]n.AllocID{"1", "3", "2"}, "evict 1, evict 3, evict 2, system agent 30 at 7, batch low 20 at 7",
		},
		{
			"one that is told to stop", []*n.Allocation{alloc("1", "low", "stop"), alloc("3", "agent", "run")}, all,
			[]n.AllocID{"1", "3"}, "evict 3, system agent 30 at 7",
		},
		{"one that left for another already", []*n.Allocation{alloc("1", "low", "evict")}, all, []n.AllocID{"1"}, ""},
		{"one that is gone", nil, all, []n.AllocID{"1"}, ""},
		{"one whose job is gone", []*n.Allocation{alloc("1", "low", "run")}, all[:1], []n.AllocID{"1"}, "evict 1"},
		{"for a job that was stopped", []*n.Allocation{alloc("1", "low", "run")}, []*n.Job{stopped, all[1]}, []n.AllocID{"1"}, ""},
		{"for a job that is gone", []*n.Allocation{alloc("1", "low", "run")}, all[1:], []n.AllocID{"1"}, ""},
	} {
		v := jobs{view: view{allocs: map[n.AllocID]*n.Allocation{}}, list: c.jobs}
		for _, a := range c.there {
			v.allocs[a.ID] = a
		}
		r := &n.PlanResult{NodePreemptions: map[n.NodeID][]*n.Allocation{}}
		for _, id := range c.leaves {
			of := n.JobID("low")
			if id == "3" {
				of = "agent"
			}
			a := alloc(id, of, n.DesiredEvict)
			a.PreemptedByAllocation = "new"
			r.NodePreemptions["a"] = append(r.NodePreemptions["a"], a)
		}
		var got []string
		stops, evals := preempted(v, &n.Plan{Job: all[0]}, r)
		for _, s := range stops {
			if s.PreemptedByAllocation != "new" {
				t.Errorf("%s: %s does not know for whom it leaves", c.name, s.ID)
			}
			got = append(got, fmt.Sprintf("%s %s", s.DesiredStatus, s.ID))
		}
		for _, e := range evals {
			if e.TriggeredBy != n.TriggerPreemption || e.Status != n.EvalPending || e.ID == "" {
				t.Errorf("%s: evaluation %+v", c.name, e)
			}
			got = append(got, fmt.Sprintf("%s %s %d at %d", e.Type, e.JobID, e.Priority, e.JobModifyIndex))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %q; want %q", c.name, text, c.want)
		}
	}
}
