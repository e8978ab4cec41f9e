package rank

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// equipped is a node with four cores, two of them faster, and two kinds of devices.
func equipped() *n.Node {
	node := testNode()
	node.NodeResources.Cpu = n.NodeCPU{CpuShares: 8000, TotalCpuCores: 4, ReservableCpuCores: []uint16{0, 1, 2, 3}}
	for i, speed := range []uint64{1000, 1000, 3000, 3000} {
		if node.NodeResources.Processors.Topology == nil {
			node.NodeResources.Processors.Topology = &n.Topology{}
		}
		node.NodeResources.Processors.Topology.Cores = append(node.NodeResources.Processors.Topology.Cores, n.Core{ID: uint16(i), BaseSpeed: speed})
	}
	node.NodeResources.Devices = []n.NodeDevice{
		{Vendor: "acme", Type: "gpu", Name: "small", Instances: []n.DeviceInstance{{ID: "s1", Healthy: true}, {ID: "s2", Healthy: true}}, Attributes: map[string]string{"memory": "4 GiB"}},
		{Vendor: "acme", Type: "gpu", Name: "large", Instances: []n.DeviceInstance{{ID: "l1"}, {ID: "l2", Healthy: true}}, Attributes: map[string]string{"memory": "16 GiB"}},
	}
	return node
}

// TestGive gives one group after the other what it asks for.
func TestGive(t *testing.T) {
	task := func(name string, r n.Resources) *n.Group {
		r.MemoryMB = 10
		return &n.Group{Name: name, Tasks: []n.Task{{Name: "t", Resources: &r}}}
	}
	prefersLarge := n.DeviceRequest{Name: "gpu", Count: 1, Affinities: []n.Affinity{{LTarget: "${device.attr.memory}", Operand: ">", RTarget: "8 GiB", Weight: 50}}}
	for name, c := range map[string]struct {
		groups []*n.Group
		want   string
	}{
		"cores":          {[]*n.Group{task("a", n.Resources{Cores: 2}), task("b", n.Resources{Cores: 1}), task("c", n.Resources{Cores: 2})}, "cores 0,1 (2000 MHz); cores 2 (3000 MHz); none: cores"},
		"cores and cpu":  {[]*n.Group{task("a", n.Resources{CPU: 6000}), task("b", n.Resources{Cores: 2}), task("c", n.Resources{Cores: 1})}, "6000 MHz; cores 0,1 (2000 MHz); none: cpu"},
		"devices":        {[]*n.Group{task("a", n.Resources{Devices: []n.DeviceRequest{{Name: "gpu", Count: 2}}}), task("b", n.Resources{Devices: []n.DeviceRequest{{Name: "acme/gpu/large", Count: 1}}}), task("c", n.Resources{Devices: []n.DeviceRequest{{Name: "gpu", Count: 1}}})}, "0 MHz small s1,s2; 0 MHz large l2; none: devices: no devices match request"},
		"preferred":      {[]*n.Group{task("a", n.Resources{Devices: []n.DeviceRequest{prefersLarge}}), task("b", n.Resources{Devices: []n.DeviceRequest{prefersLarge}})}, "0 MHz large l2; 0 MHz small s1"},
		"two of one":     {[]*n.Group{task("a", n.Resources{Devices: []n.DeviceRequest{{Name: "acme/gpu/small", Count: 1}, {Name: "acme/gpu/small", Count: 1}}})}, "0 MHz small s1 small s2"},
		"more than fits": {[]*n.Group{task("a", n.Resources{Devices: []n.DeviceRequest{{Name: "gpu", Count: 3}}})}, "none: devices: no devices match request"},
	} {
		t.Run(name, func(t *testing.T) {
			node := equipped()
			var allocs []*n.Allocation
			var got []string
			for _, g := range c.groups {
				given, lacking := Give(node, func(n.NodeID) []*n.Allocation { return allocs }, g, Ask(g, false), rand.New(rand.NewPCG(1, 1)))
				if lacking != "" {
					got = append(got, "none: "+lacking)
					continue
				}
				allocs = append(allocs, &n.Allocation{AllocatedResources: given})
				got = append(got, shown(given.Tasks["t"]))
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("%s; want %s", text, c.want)
			}
			if ok, lacking := Fits(node, allocs); !ok {
				t.Errorf("what was given does not fit: %s", lacking)
			}
			if len(allocs) > 0 && (allocs[0].AllocatedResources.Tasks["t"].Devices != nil || len(allocs[0].AllocatedResources.Tasks["t"].Cpu.ReservedCores) > 0) {
				if ok, lacking := Fits(node, append(slices.Clone(allocs[:1]), allocs[0])); ok {
					t.Errorf("one thing fits twice (%s)", lacking)
				}
			}
		})
	}
}

func shown(t *n.AllocatedTask) string {
	s := fmt.Sprintf("%d MHz", t.Cpu.CpuShares)
	if c := t.Cpu.ReservedCores; len(c) > 0 {
		s = fmt.Sprintf("cores %s (%d MHz)", strings.Trim(strings.ReplaceAll(fmt.Sprint(c), " ", ","), "[]"), t.Cpu.CpuShares)
	}
	for _, d := range t.Devices {
		s += " " + d.Name + " " + strings.Join(d.DeviceIDs, ",")
	}
	return s
}

// TestDeviceAffinity is the part of the weights that the free devices meet.
func TestDeviceAffinity(t *testing.T) {
	g := &n.Group{Name: "g", Count: 1, Tasks: []n.Task{{Name: "t", Resources: &n.Resources{Devices: []n.DeviceRequest{{
		Name: "gpu", Count: 1, Affinities: []n.Affinity{
			{LTarget: "${device.attr.memory}", Operand: ">", RTarget: "8 GiB", Weight: 75}, {LTarget: "${device.model}", Operand: "=", RTarget: "small", Weight: 25},
		},
	}}}}}}
	r := For(&Request{Job: &n.Job{}, Group: g})
	for taken, want := range map[string]float64{"": 0.75, "l2": 0.25} {
		on := func(n.NodeID) []*n.Allocation {
			return []*n.Allocation{{AllocatedResources: &n.AllocatedResources{Tasks: map[string]*n.AllocatedTask{"t": {Devices: []n.AllocatedDevice{{Vendor: "acme", Type: "gpu", Name: "large", DeviceIDs: []string{taken}}}}}}}}
		}
		if got := r.Explain(&Candidate{Node: equipped(), On: on}, 0).Scores.Of(Devices); got != want {
			t.Errorf("with %q taken: %v; want %v", taken, got, want)
		}
	}
}
