package scheduler_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestStories tells of jobs in a small cluster, a file each. The commands:
//
//	nodes count=<n> cpu=<MHz> memory=<MB> [dc=] [class=] [first=<number of the first>]
//	config [preempt=<type of job>+...] [algorithm=]
//	job                     a job file; it is registered and evaluated
//	run job= priority= cpu= memory= [type=] [count=] [port=<static>] [max_parallel=<of migrate>] [class=<of nodes>]
//	                        a job with one group, in short
//	evaluate job= [trigger=]
//	deregister job=
//	node id= status=ready|initializing|disconnected|down|drain|ineligible|gone
//	client alloc=<name> [node=] status=running|failed|complete [score=<of its node>]
//	health alloc=<name> [bad]
//	promote job=
//	fail job=               fails the latest deployment
//	wait for=<duration>
//	due                     lets the time come that the next evaluation waits for, and handles it
//	allocs job=             what runs, or may
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return w.do(t, d)
		})
	})
}

func (w *world) do(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	arg := func(name string) string {
		var s string
		d.MaybeScanArgs(t, name, &s)
		return s
	}
	number := func(name string) int {
		var i int
		d.MaybeScanArgs(t, name, &i)
		return i
	}
	decide := func(job, trigger string) string {
		got, err := w.evaluate(job, trigger)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		return w.show(got)
	}
	switch d.Cmd {
	case "nodes":
		for i := range number("count") {
			w.addNode(fmt.Sprintf("n%d", max(number("first"), 1)+i), int64(number("cpu")), int64(number("memory")), func(node *n.Node) {
				node.NodeClass = arg("class")
				if dc := arg("dc"); dc != "" {
					node.Datacenter = dc
				}
			})
		}
		return ""
	case "config":
		w.configure(t, d)
		return ""
	case "job":
		job, err := w.register(d.Input)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		return decide(string(job.ID), n.TriggerJobRegister)
	case "run":
		job, err := w.register(inShort(arg))
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		return decide(string(job.ID), n.TriggerJobRegister)
	case "evaluate":
		trigger := arg("trigger")
		if trigger == "" {
			trigger = n.TriggerNodeUpdate
		}
		return decide(arg("job"), trigger)
	case "deregister":
		job := *w.jobs[key(arg("job"))]
		job.Stop = true
		w.jobs[key(arg("job"))] = &job
		return decide(arg("job"), n.TriggerJobDeregister)
	case "node":
		w.index++
		id := n.NodeID(arg("id"))
		node := *w.nodes[id]
		w.nodes[id] = &node
		switch arg("status") {
		case "ready":
			node.Status, node.SchedulingEligibility, node.DrainStrategy = n.NodeReady, n.NodeEligible, nil
		case "down", "disconnected", "initializing":
			node.Status = n.NodeStatus(arg("status"))
		case "ineligible":
			node.SchedulingEligibility = n.NodeIneligible
		case "drain":
			node.SchedulingEligibility, node.DrainStrategy = n.NodeIneligible, &n.DrainStrategy{}
			for _, x := range w.allocs {
				if x.NodeID == id && !x.Terminal() {
					c, yes := *x, true
					c.DesiredTransition.Migrate = &yes
					w.allocs[x.ID] = &c
				}
			}
		case "gone":
			delete(w.nodes, id)
		default:
			t.Fatalf("status %q", arg("status"))
		}
		return ""
	case "client":
		a := w.find(arg("alloc"), n.NodeID(arg("node")))
		if a == nil {
			t.Fatalf("%s: there is no %s", d.Pos, arg("alloc"))
		}
		w.observe(a, n.ClientStatus(arg("status")))
		if s := arg("score"); s != "" {
			score, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			w.allocs[a.ID].Metrics = &n.AllocMetric{ScoreMetaData: []*n.NodeScore{{NormScore: score}}}
		}
		return ""
	case "health":
		a := w.find(arg("alloc"), "")
		if a == nil {
			t.Fatalf("%s: there is no %s", d.Pos, arg("alloc"))
		}
		w.healthy(a, !d.HasArg("bad"))
		return ""
	case "promote":
		for _, g := range w.deploys[key(arg("job"))].TaskGroups {
			g.Promoted = true
		}
		return decide(arg("job"), n.TriggerDeployment)
	case "fail":
		w.deploys[key(arg("job"))].Status = n.DeploymentFailed
		return decide(arg("job"), n.TriggerDeployment)
	case "wait":
		by, err := time.ParseDuration(arg("for"))
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(by)
		return ""
	case "due":
		return w.due()
	case "allocs":
		var out strings.Builder
		for a := range w.JobAllocs(nil, key(arg("job"))) {
			if !a.Terminal() {
				fmt.Fprintf(&out, "%s on %s, version %d, %s\n", a.Name, a.NodeID, a.JobVersion, a.ClientStatus)
			}
		}
		return out.String()
	}
	t.Fatalf("unknown command %q", d.Cmd)
	return ""
}

// configure sets what operators can: which jobs may preempt, and the algorithm.
func (w *world) configure(t *testing.T, d *datadriven.TestData) {
	t.Helper()
	w.config = n.SchedulerConfiguration{SchedulerAlgorithm: n.AlgorithmBinpack}
	d.MaybeScanArgs(t, "algorithm", &w.config.SchedulerAlgorithm)
	may := &w.config.PreemptionConfig
	var types string
	d.MaybeScanArgs(t, "preempt", &types)
	for typ := range strings.SplitSeq(types, "+") {
		switch typ {
		case "":
		case n.JobTypeService:
			may.ServiceSchedulerEnabled = true
		case n.JobTypeBatch:
			may.BatchSchedulerEnabled = true
		case n.JobTypeSystem:
			may.SystemSchedulerEnabled = true
		case n.JobTypeSysBatch:
			may.SysBatchSchedulerEnabled = true
		default:
			t.Fatalf("%s: type %q", d.Pos, typ)
		}
	}
}

// inShort writes the file of a job of one group.
func inShort(arg func(string) string) string {
	line := func(format, name string) string {
		if arg(name) == "" {
			return ""
		}
		return fmt.Sprintf(format+"\n", arg(name))
	}
	return fmt.Sprintf("job %q {\n", arg("job")) + line("type = %q", "type") + line("priority = %s", "priority") +
		line("constraint {\n attribute = \"${node.class}\"\n value = %q\n}", "class") + "group \"g\" {\n" + line("count = %s", "count") +
		line("network {\n port \"p\" {\n static = %s\n}\n}", "port") + line("migrate {\n max_parallel = %s\n}", "max_parallel") +
		"task \"t\" {\n driver = \"raw_exec\"\n config {\n command = \"a\"\n}\n resources {\n" +
		line("cpu = %s", "cpu") + line("memory = %s", "memory") + "}\n}\n}\n}\n"
}
