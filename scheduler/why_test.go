package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/schedulertest"
)

// TestWhy tells which nodes were ruled out when the last allocation of a group was
// placed, or the first was not, and decides no other way for it.
func TestWhy(t *testing.T) {
	small := func(j *n.Job) { j.TaskGroups[0].Tasks[0].Resources = &n.Resources{CPU: 10, MemoryMB: 600} }
	for _, c := range []struct {
		name, typ string
		count     int
		change    func(*n.Job)
		want      string
	}{
		{"all fit", n.JobTypeService, 2, func(*n.Job) {}, "absent datacenter n4, absent ineligible n5, absent not ready n6, filtered missing drivers n3"},
		{"one is taken", n.JobTypeBatch, 2, small, "absent datacenter n4, absent ineligible n5, absent not ready n6, exhausted memory n1 600>424, filtered missing drivers n3"},
		{"one has no place", n.JobTypeService, 3, small,
			"absent datacenter n4, absent ineligible n5, absent not ready n6, exhausted memory n1 600>424, exhausted memory n2 600>424, filtered missing drivers n3"},
		{"two are lacking", n.JobTypeService, 1, func(j *n.Job) { j.TaskGroups[0].Tasks[0].Resources = &n.Resources{CPU: 9000, MemoryMB: 9000} },
			"absent datacenter n4, absent ineligible n5, absent not ready n6, exhausted cpu n1 9000>1000, exhausted cpu n2 9000>1000, exhausted memory n1 9000>1024, exhausted memory n2 9000>1024, filtered missing drivers n3"},
		{"no two on one", n.JobTypeService, 2, func(j *n.Job) { j.Constraints = []n.Constraint{{Operand: n.OpDistinctHosts}} },
			"absent datacenter n4, absent ineligible n5, absent not ready n6, filtered distinct_hosts n1, filtered missing drivers n3"},
		{"on every node", n.JobTypeSystem, 1, small, "absent datacenter n4, absent ineligible n5, absent not ready n6, filtered missing drivers n3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			for i, change := range []func(*n.Node){
				func(node *n.Node) { node.Meta["first"] = "1" }, func(*n.Node) {},
				func(node *n.Node) { node.Drivers, node.Attributes = nil, nil }, func(node *n.Node) { node.Datacenter = "dc2" },
				func(node *n.Node) { node.SchedulingEligibility = n.NodeIneligible }, func(node *n.Node) { node.Status = n.NodeDown },
			} {
				w.addNode(fmt.Sprintf("n%d", i+1), 1000, 1024, change)
			}
			job := schedulertest.PlainJob("job", c.typ, c.count, 10, 10)
			job.Datacenters = []string{"dc1"}
			job.Affinities = []n.Affinity{{LTarget: "${meta.first}", Operand: n.OpIsSet, Weight: 100}}
			c.change(job)
			w.put(job)
			e := &n.Evaluation{ID: "e", Namespace: "default", JobID: "job", Type: c.typ, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}
			d, err := scheduler.Process(w, e, scheduler.Options{Now: w.now, Why: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := ruledOut(d.Why["g"]); got != c.want {
				t.Errorf("ruled out:\n%s; want\n%s", got, c.want)
			}
			plain, err := scheduler.Process(w, e, scheduler.Options{Now: w.now})
			if err != nil || plain.Why != nil || w.show(plain) != w.show(d) {
				t.Errorf("without being asked:\n%s; %v; with:\n%s", w.show(plain), err, w.show(d))
			}
			for g, m := range d.Eval.FailedTGAllocs {
				if m.ResourcesExhausted["t"] == nil || len(m.Obstacles) == 0 {
					t.Errorf("group %s: %v, %v", g, m.ResourcesExhausted, m.Obstacles)
				}
			}
		})
	}
}

// ruledOut lists nodes with reasons, and with amounts where there are any.
func ruledOut(w *n.GroupWhy) string {
	var out []string
	for _, r := range w.RuledOut {
		text := fmt.Sprintf("%s %s %s", r.Kind, r.Reason, r.NodeName)
		for _, o := range w.Obstacles {
			if o.Kind == r.Kind && o.Reason == r.Reason && o.Unit != "" {
				text += fmt.Sprintf(" %d>%d", o.Asked, o.Free)
			}
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
