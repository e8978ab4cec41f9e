package scheduler_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
)

// still is a world whose fleet is made once, as a server keeps it.
type still struct {
	*world
	fleet *fleet.Fleet
}

func (s *still) Fleet() *fleet.Fleet { return s.fleet }

// cluster has nodes of the shape that the figures of the documentation are for.
func cluster(size int) *world {
	w := newWorld()
	for i := range size {
		id := n.NodeID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", i*2654435761%(1<<32)))
		node := &n.Node{
			ID: id, Name: fmt.Sprint("node", i), Datacenter: fmt.Sprint("dc", i%3+1), NodePool: "default", Status: n.NodeReady, SchedulingEligibility: n.NodeEligible,
			Attributes: map[string]string{"kernel.name": "linux", "driver.docker": "1"},
			Meta:       map[string]string{"rack": fmt.Sprint("r", i%50), "ssd": fmt.Sprint(i%2 == 0)},
			Drivers:    map[string]*n.DriverInfo{"docker": {Detected: true, Healthy: true}},
			NodeResources: n.NodeResources{
				Cpu: n.NodeCPU{CpuShares: 14_000, TotalCpuCores: 4}, Memory: n.NodeMemory{MemoryMB: 65_536}, Disk: n.NodeDisk{DiskMB: 100 << 10},
			},
			ReservedResources: n.ReservedResources{Cpu: n.ReservedCPU{CpuShares: 100}, Memory: n.NodeMemory{MemoryMB: 256}},
		}
		node.ComputedClass = feasible.ComputeClass(node)
		w.nodes[id] = node
	}
	return w
}

// shapes are what is placed.
var shapes = []struct {
	name   string
	change func(*n.Job)
}{
	{"plain", func(*n.Job) {}},
	{"spread", func(j *n.Job) { j.Spreads = []n.Spread{{Attribute: "${node.datacenter}", Weight: 100}} }},
	{"affinity", func(j *n.Job) {
		j.Affinities = []n.Affinity{{LTarget: "${meta.ssd}", Operand: "=", RTarget: "true", Weight: 50}}
		j.Constraints = []n.Constraint{{LTarget: "${attr.kernel.name}", Operand: "=", RTarget: "linux"}}
	}},
	{"distinct", func(j *n.Job) { j.Constraints = []n.Constraint{{Operand: n.OpDistinctHosts, RTarget: "true"}} }},
}

func jobOf(name string, count int) *n.Job {
	job := &n.Job{}
	d := n.Defaults{JobType: n.JobTypeService}
	d.Fill(job)
	job.ID, job.Name, job.Datacenters, job.NodePool = n.JobID(name), name, []string{"dc1", "dc2", "dc3"}, "default"
	g := n.Group{}
	d.Job = job
	d.Fill(&g)
	g.Name, g.Count, g.EphemeralDisk.SizeMB = "g", count, 10
	g.Update = nil
	task := n.Task{Name: "t", Driver: "docker", Resources: &n.Resources{CPU: 10, MemoryMB: 10}, RestartPolicy: g.RestartPolicy, LogConfig: &n.LogConfig{MaxFiles: 1, MaxFileSizeMB: 1}}
	g.Tasks = []n.Task{task}
	job.TaskGroups = []n.Group{g}
	return job
}

// BenchmarkFigures places a job on a cluster, from its evaluation to the complete
// plan. See docs of figures for the shapes.
func BenchmarkFigures(b *testing.B) {
	for _, size := range []int{1000, 5000, 10_000} {
		w := cluster(size)
		for _, count := range []int{1000, 10_000} {
			for _, s := range shapes {
				if s.name == "distinct" && count > size {
					continue
				}
				b.Run(fmt.Sprintf("%s/nodes=%d/count=%d", s.name, size, count), func(b *testing.B) { place(b, w, count, s.change) })
			}
		}
	}
}

func place(b *testing.B, w *world, count int, change func(*n.Job)) {
	view := &still{w, fleet.Of(maps.Values(w.nodes), maps.Values(w.allocs))}
	job := jobOf("bench", count)
	change(job)
	w.jobs[job.Key()] = job
	defer delete(w.jobs, job.Key())
	e := &n.Evaluation{ID: "e", Namespace: "default", JobID: job.ID, Type: job.Type, Priority: 50, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}
	b.ReportAllocs()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		d, err := scheduler.Process(view, e, scheduler.Options{Now: w.now, Seed: uint64(i)})
		took = append(took, time.Since(began))
		if err != nil || len(d.Eval.FailedTGAllocs) > 0 {
			b.Fatal(d.Eval, err)
		}
	}
	slices.Sort(took)
	median := took[len(took)/2]
	b.ReportMetric(float64(count)/median.Seconds(), "placements/s")
	b.ReportMetric(float64(median.Nanoseconds())/float64(count), "ns/placement")
}
