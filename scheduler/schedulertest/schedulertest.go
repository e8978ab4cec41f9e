// Package schedulertest checks what is promised of every scheduler: on the state that
// servers have, with the planner that they have, in clusters that a seed decides.
//
//	func TestMine(t *testing.T) {
//		schedulertest.Run(t, mine.Scheduler, nomadlike.JobTypeService, nomadlike.JobTypeBatch)
//	}
package schedulertest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/simulate"
	"github.com/nomadlike/nomadlike/scheduler"
)

// Run checks a scheduler with jobs of the types that it handles:
//
//   - no node has more than it can hold, and no port is used twice;
//   - counts are reached when they can be, and what is missing is explained;
//   - nobody leaves for another job but for a more important one that may have it so;
//   - what is stopped ends, and what is lost is replaced;
//   - to decide again, when nothing has changed, changes nothing;
//   - a decision depends on state, evaluation and seed alone: not on the order of maps,
//     nor on that in which nodes came;
//   - what the view returns stays as it is, and many may decide at once.
func Run(t *testing.T, s scheduler.Scheduler, types ...string) {
	for _, check := range []struct {
		name string
		fn   func(*testing.T, *suite, uint64)
		runs uint64
	}{
		{"any cluster", anyCluster, 100},
		{"counts are reached", countsReached, 40},
		{"what is lost is replaced", lostReplaced, 15},
		{"what is stopped ends", stoppedEnds, 10},
		{"a seed decides", seedDecides, 40},
		{"order of nodes", orderOfNodes, 40},
		{"many at once", manyAtOnce, 5},
	} {
		t.Run(check.name, func(t *testing.T) {
			for seed := range check.runs {
				x := &suite{schedule: s, types: types, rand: rand.New(rand.NewPCG(seed, 1))}
				x.Cluster = simulate.New(simulate.Options{Seed: seed, Schedule: s})
				t.Cleanup(x.Close)
				check.fn(t, x, seed)
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

// suite is one cluster that a scheduler is tried on.
type suite struct {
	*simulate.Cluster
	schedule scheduler.Scheduler
	types    []string
	rand     *rand.Rand
	nodes    []n.NodeID
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (x *suite) addNodes(t *testing.T, list ...*n.Node) {
	t.Helper()
	for _, node := range list {
		must(t, x.AddNode(node))
		x.nodes = append(x.nodes, node.ID)
	}
}

// node is one with room for cpu MHz and memory MB.
func node(i int, cpu, memory int64) *n.Node {
	node := simulate.NodeLike("n", i)
	node.NodeResources.Cpu.CpuShares, node.NodeResources.Memory.MemoryMB = cpu, memory
	return node
}

// RandomJob asks for a little of everything.
func RandomJob(r *rand.Rand, id string, types ...string) *n.Job {
	job := PlainJob(id, types[r.IntN(len(types))], 1+r.IntN(8), 50+r.IntN(900), 50+r.IntN(2000))
	job.Priority = 10 * (1 + r.IntN(9))
	g := &job.TaskGroups[0]
	if r.IntN(2) == 0 && !job.RunsEverywhere() {
		g.ReschedulePolicy = &n.Reschedule{Unlimited: true, Delay: 5 * time.Second, DelayFunction: "constant"}
	}
	if job.Type == n.JobTypeService && r.IntN(2) == 0 {
		g.Update = &n.Update{MaxParallel: 1 + r.IntN(3), HealthCheck: "task_states", MinHealthyTime: time.Second, HealthyDeadline: time.Minute, ProgressDeadline: time.Minute}
	}
	if r.IntN(2) == 0 {
		g.Networks = []n.Network{{DynamicPorts: []n.Port{{Label: "a"}, {Label: "b"}}}}
		if r.IntN(2) == 0 {
			g.Networks[0].ReservedPorts = []n.Port{{Label: "s", Value: 8000 + r.IntN(3)}}
		}
	}
	if r.IntN(3) == 0 {
		job.Constraints = []n.Constraint{{Operand: n.OpDistinctHosts, RTarget: "true"}}
	}
	if r.IntN(3) == 0 {
		job.Constraints = append(job.Constraints, n.Constraint{LTarget: "${node.class}", Operand: n.OpEqual, RTarget: "a"})
	}
	return job
}

// PlainJob has one group, which asks for no more than this.
func PlainJob(id, typ string, count, cpu, memory int) *n.Job {
	return &n.Job{
		ID: n.JobID(id), Name: id, Namespace: n.DefaultNamespace, Type: typ, Priority: 50, Datacenters: []string{"*"}, NodePool: n.DefaultNodePool,
		TaskGroups: []n.Group{{
			Name: "g", Count: count, EphemeralDisk: &n.EphemeralDisk{SizeMB: 10},
			Tasks: []n.Task{{
				Name: "t", Driver: "raw_exec", Resources: &n.Resources{CPU: cpu, MemoryMB: memory},
				LogConfig: &n.LogConfig{MaxFiles: 1, MaxFileSizeMB: 1},
			}},
		}},
	}
}

func key(id string) n.JobKey { return n.JobKey{Namespace: n.DefaultNamespace, ID: n.JobID(id)} }

// live are the allocations of a job that run or will.
func (x *suite) live(k n.JobKey) (list []*n.Allocation) {
	for a := range x.View().JobAllocs(nil, k) {
		if !a.Terminal() {
			list = append(list, a)
		}
	}
	return list
}

// sound checks what runs on every node.
func (x *suite) sound(t *testing.T) {
	t.Helper()
	v := x.View()
	for _, id := range x.nodes {
		ports, on := map[int]string{}, v.NodeAllocs(id)
		for _, a := range on {
			for _, p := range a.AllocatedResources.Shared.Ports {
				if ports[p.Value] != "" {
					t.Errorf("port %d of %s is that of %s and of %s", p.Value, id, ports[p.Value], a.Name)
				}
				ports[p.Value] = a.Name
			}
		}
		if ok, lacking := scheduler.Fits(v.Node(id), on); !ok {
			t.Errorf("%s has too little %s for what is on it", id, lacking)
		}
	}
}

// counted checks that a service has all that it asks for, or an explanation.
func (x *suite) counted(t *testing.T, k n.JobKey, d *scheduler.Decision) {
	t.Helper()
	job := x.View().Job(k)
	if job.Type != n.JobTypeService {
		return
	}
	failed := false
	for a := range x.View().JobAllocs(nil, k) {
		failed = failed || a.ClientStatus == n.ClientFailed && a.DesiredStatus == n.DesiredRun // a matter of policy
	}
	have, want := len(x.live(k)), job.TaskGroups[0].Count
	if have > want {
		t.Errorf("%s asks for %d and has %d", k.ID, want, have)
	}
	if have < want && len(d.Eval.FailedTGAllocs) == 0 && x.settled(k) && !failed {
		t.Errorf("%s asks for %d and has %d, and nobody says why", k.ID, want, have)
	}
	if len(d.Eval.FailedTGAllocs) > 0 && len(d.NewEvals) == 0 && d.Eval.Status != n.EvalBlocked {
		t.Errorf("%s lacks room and nothing waits for it", k.ID)
	}
	for g, m := range d.Eval.FailedTGAllocs {
		if len(m.Obstacles) == 0 && m.NodesEvaluated > 0 {
			t.Errorf("%s, %s: nodes were looked at, and nothing was in the way", k.ID, g)
		}
	}
}

// settled reports a job of which nothing waits for a rolling update, whose next
// step another evaluation may well take.
func (x *suite) settled(k n.JobKey) bool {
	d := x.View().LatestDeployment(k)
	return d == nil || !d.Status.Active()
}

// evaluate decides about a job and has the decision take effect.
func (x *suite) evaluate(t *testing.T, k n.JobKey) *scheduler.Decision {
	t.Helper()
	d, err := x.Evaluate(x.Eval(x.View().Job(k), n.TriggerNodeUpdate))
	must(t, err)
	return d
}

// decide decides about a job, and no more.
func (x *suite) decide(t *testing.T, k n.JobKey, seed uint64) string {
	t.Helper()
	job := x.View().Job(k)
	e := &n.Evaluation{ID: "e", Namespace: k.Namespace, JobID: k.ID, Type: job.Type, Priority: job.Priority, TriggeredBy: n.TriggerJobRegister, Status: n.EvalPending}
	d, err := x.schedule(x.View(), e, scheduler.Options{Now: x.Now(), Seed: seed})
	must(t, err)
	return told(t, d)
}

// told is all that a decision says, but for how long it took.
func told(t *testing.T, d *scheduler.Decision) string {
	t.Helper()
	for _, m := range d.Eval.FailedTGAllocs {
		m.AllocationTime = 0
	}
	if d.Plan != nil {
		for _, list := range d.Plan.NodeAllocation {
			for _, a := range list {
				if a.CreateIndex == 0 && a.Metrics != nil {
					a.Metrics.AllocationTime = 0
				}
			}
		}
	}
	b, err := json.Marshal(d)
	must(t, err)
	return string(b)
}

// where lists the allocations that run, with nodes and ports.
func (x *suite) where(k n.JobKey) (list []string) {
	for _, a := range x.live(k) {
		text := fmt.Sprintf("%s on %s", a.Name, a.NodeID)
		for _, p := range a.AllocatedResources.Shared.Ports {
			text += fmt.Sprintf(" %s=%d", p.Label, p.Value)
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}
