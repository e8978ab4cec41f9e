package rank

import (
	"math"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func testNode() *n.Node {
	return &n.Node{
		ID: "n1",
		NodeResources: n.NodeResources{
			Cpu: n.NodeCPU{CpuShares: 4000}, Memory: n.NodeMemory{MemoryMB: 8192}, Disk: n.NodeDisk{DiskMB: 10000},
			NodeNetworks:   []n.NodeNetwork{{Mode: "host", Device: "eth0", Addresses: []n.NodeAddress{{Alias: "default", Address: "10.0.0.1", Family: "ipv4"}}}},
			MinDynamicPort: 20000, MaxDynamicPort: 20004,
		},
		ReservedResources: n.ReservedResources{Networks: n.ReservedNetworks{ReservedHostPorts: "22,8500-8501"}},
	}
}

// TestScores holds the formulas of the scheduling reference: best fit is
// (20 - 10^free(cpu) - 10^free(memory)) / 18.
func TestScores(t *testing.T) {
	yes := func(*n.Node, n.Affinity) bool { return true }
	for _, c := range []struct {
		name, score string
		request     Request
		used        Usage
		mates       int
		want        float64
	}{
		{"empty", Binpack, Request{}, Usage{}, 0, 0},
		{"half full", Binpack, Request{}, Usage{CPU: 2000, MemoryMB: 4096}, 0, (20 - 2*math.Sqrt(10)) / 18},
		{"full", Binpack, Request{}, Usage{CPU: 4000, MemoryMB: 8192}, 0, 1},
		{"one dimension full", Binpack, Request{}, Usage{CPU: 4000}, 0, (20.0 - 1 - 10) / 18},
		{"spread, empty", Binpack, Request{Algorithm: n.AlgorithmSpread}, Usage{}, 0, 1},
		{"spread, full", Binpack, Request{Algorithm: n.AlgorithmSpread}, Usage{CPU: 4000, MemoryMB: 8192}, 0, 0},
		{"alone", AntiAffinity, Request{}, Usage{}, 0, 0},
		{"one mate of four", AntiAffinity, Request{}, Usage{}, 1, -2.0 / 4},
		{"failed here", Penalty, Request{Penalty: map[n.NodeID]bool{"n1": true}}, Usage{}, 0, -1},
		{"affinities", NodeAffinity, Request{Prefers: yes, Job: &n.Job{ID: "j", Namespace: "default", Affinities: []n.Affinity{{Weight: 50}, {Weight: -100}}}}, Usage{}, 0, -50.0 / 150},
		{"one leaves", Preempted, Request{Preempts: true}, Usage{}, 0, 1 / (1 + math.Exp(0.0048*(20+20.0/20-2048)))},
		{"nobody leaves", Preempted, Request{Preempts: true}, Usage{}, 0, 0},
		{"three leave", Preempted, Request{Preempts: true}, Usage{}, 0, 1 / (1 + math.Exp(0.0048*(40+70.0/40-2048)))},
	} {
		r := c.request
		if r.Job == nil {
			r.Job = &n.Job{ID: "j", Namespace: "default"}
		}
		r.Group = &n.Group{Name: "g", Count: 4}
		leaving := map[string][]int{"one leaves": {20}, "three leave": {20, 40, 10}}[c.name]
		got := For(&r).Explain(&Candidate{Node: testNode(), Class: -1, Mates: c.mates, Used: c.used, Leaving: leaving}, 0)
		if math.Abs(got.Scores.Of(c.score)-c.want) > 1e-9 {
			t.Errorf("%s: %v is %v; want %v", c.name, c.score, got.Scores.Of(c.score), c.want)
		}
	}
}

// TestMean is over the scores that apply alone.
func TestMean(t *testing.T) {
	r := &Request{Job: &n.Job{ID: "j", Namespace: "default"}, Group: &n.Group{Name: "g", Count: 2}, Penalty: map[n.NodeID]bool{"n1": true}}
	full := Usage{CPU: 4000, MemoryMB: 8192}
	if got := For(r).Explain(&Candidate{Node: testNode(), Used: full}, 0).NormScore; got != 0 { // 1 and -1
		t.Errorf("with a penalty: %v", got)
	}
	r.Penalty = nil
	if got := For(r).Explain(&Candidate{Node: testNode(), Used: full}, 0).NormScore; got != 1 {
		t.Errorf("without: %v", got)
	}
}

func TestUsed(t *testing.T) {
	r := &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{}, TaskLifecycles: map[string]*n.Lifecycle{}}
	add := func(name string, mb int64, l *n.Lifecycle) {
		r.Tasks[name] = &n.AllocatedTask{Memory: n.AllocatedMemory{MemoryMB: mb}}
		r.TaskLifecycles[name] = l
	}
	add("main", 100, nil)
	add("before", 300, &n.Lifecycle{Hook: n.HookPrestart})
	add("beside", 50, &n.Lifecycle{Hook: n.HookPrestart, Sidecar: true})
	add("after", 10, &n.Lifecycle{Hook: n.HookPoststart})
	add("last", 200, &n.Lifecycle{Hook: n.HookPoststop})
	if got := Used(r).MemoryMB; got != 350 { // while the prestart task runs
		t.Errorf("%d MB", got)
	}
	add("main", 400, nil)
	if got := Used(r).MemoryMB; got != 460 { // main, its sidecar, the poststart task
		t.Errorf("%d MB", got)
	}
}

func TestParsePorts(t *testing.T) {
	for list, want := range map[string]int{"": 0, "22": 1, "22,80, 443": 3, "8500-8503": 4, "9-5": 0, "x,1": 1, "65530-70000": 6} {
		if got := len(ParsePorts(list)); got != want {
			t.Errorf("%q: %d ports; want %d", list, got, want)
		}
	}
}
