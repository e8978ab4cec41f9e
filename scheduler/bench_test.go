package scheduler_test

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
)

// still is a world whose fleet is made once, as a server keeps it.
type still struct {
	*world
	fleet *fleet.Fleet
	on    map[n.NodeID][]*n.Allocation
}

func (s *still) NodeAllAllocs(_ table.WatchSet, id n.NodeID) iter.Seq[*n.Allocation] {
	return slices.Values(s.on[id])
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

// filled adds allocations of a job to all nodes until so many percent of their CPU is
// used, all of which are held by one job with a priority.
func filled(w *world, percent int64, priority int) *still {
	s := &still{world: w, on: map[n.NodeID][]*n.Allocation{}}
	job := jobOf("filler", 1)
	job.Priority, job.Status = priority, n.JobRunning
	w.put(job)
	resources := &n.AllocatedResources{
		Tasks:          map[string]*n.AllocatedTask{"t": {Cpu: n.AllocatedCPU{CpuShares: 10}, Memory: n.AllocatedMemory{MemoryMB: 10}}},
		TaskLifecycles: map[string]*n.Lifecycle{"t": nil}, Shared: n.AllocatedShared{DiskMB: 10},
	}
	for id := range w.nodes {
		for i := range 13_900 / 10 * percent / 100 {
			s.on[id] = append(s.on[id], &n.Allocation{
				ID: n.AllocID(fmt.Sprintf("%s-%d", id, i)), Namespace: "default", JobID: "filler", TaskGroup: "g", NodeID: id, NodeName: string(id), CreateIndex: 1,
				DesiredStatus: n.DesiredRun, ClientStatus: n.ClientRunning, AllocatedResources: resources,
			})
		}
	}
	s.fleet = fleet.Of(maps.Values(w.nodes), func(yield func(*n.Allocation) bool) {
		for _, list := range s.on {
			for _, a := range list {
				if !yield(a) {
					return
				}
			}
		}
	})
	return s
}

// BenchmarkFull places a job on a cluster that is filled to 80%, and one more
// important on a cluster that is full.
func BenchmarkFull(b *testing.B) {
	for _, size := range []int{1000, 5000} {
		for _, count := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("80 percent/nodes=%d/count=%d", size, count), func(b *testing.B) {
				place(b, filled(cluster(size), 80, 50), count, func(*n.Job) {})
			})
		}
		b.Run(fmt.Sprintf("preemption/nodes=%d/count=1000", size), func(b *testing.B) {
			s := filled(cluster(size), 100, 20)
			s.config.PreemptionConfig.ServiceSchedulerEnabled = true
			place(b, s, 1000, func(j *n.Job) { j.Priority = 70 })
		})
	}
}

// BenchmarkFigures places a job on a cluster, from its evaluation to the complete
// plan. docs/figures.md has the shapes.
func BenchmarkFigures(b *testing.B) {
	for _, size := range []int{1000, 5000, 10_000} {
		w := cluster(size)
		s := &still{world: w, fleet: fleet.Of(maps.Values(w.nodes), maps.Values(w.allocs))}
		for _, count := range []int{1000, 10_000} {
			for _, shape := range shapes {
				if shape.name == "distinct" && count > size {
					continue
				}
				b.Run(fmt.Sprintf("%s/nodes=%d/count=%d", shape.name, size, count), func(b *testing.B) { place(b, s, count, shape.change) })
			}
		}
	}
}

func place(b *testing.B, w *still, count int, change func(*n.Job)) {
	b.Helper()
	job := jobOf("bench", count)
	change(job)
	w.jobs[job.Key()] = job
	defer delete(w.jobs, job.Key())
	e := &n.Evaluation{ID: "e", Namespace: "default", JobID: job.ID, Type: job.Type, Priority: 50, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}
	b.ReportAllocs()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		d, err := scheduler.Process(w, e, scheduler.Options{Now: w.now, Seed: uint64(i)})
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
