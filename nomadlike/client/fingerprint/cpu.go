package fingerprint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	cpuinfo "github.com/shirou/gopsutil/v4/cpu"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// guessMHz is said of processors that do not tell their speed.
const guessMHz = 1000

func cpu(ctx context.Context, c *Config, node *n.Node) error {
	info, err := cpuinfo.InfoWithContext(ctx)
	t := topology(os.DirFS("/sys/devices/system"), info)
	t.OverrideTotalCompute = int64(c.TotalCompute)
	t.OverrideWitholdCompute = int64(c.ReservedMHz)
	for i := range t.Cores {
		t.Cores[i].Disable = slices.Contains(c.ReservedCores, t.Cores[i].ID)
	}
	describe(node, t)
	if len(info) > 0 {
		put(node, "cpu.modelname", info[0].ModelName)
	}
	return err
}

// describe writes what a topology means for the node.
func describe(node *n.Node, t *n.Topology) {
	var total, usable uint64
	perNode := map[uint8][]uint16{}
	reservable := []uint16{}
	for _, core := range t.Cores {
		total += MHz(core)
		perNode[core.NodeID] = append(perNode[core.NodeID], core.ID)
		if !core.Disable {
			usable += MHz(core)
			reservable = append(reservable, core.ID)
		}
	}
	if t.OverrideTotalCompute > 0 {
		total = uint64(t.OverrideTotalCompute)
		usable = min(usable, total)
		if len(reservable) == len(t.Cores) {
			usable = total
		}
	}
	usable -= min(usable, uint64(t.OverrideWitholdCompute))
	r := &node.NodeResources
	r.Cpu = n.NodeCPU{CpuShares: int64(total), TotalCpuCores: uint16(len(t.Cores)), ReservableCpuCores: reservable}
	r.Processors.Topology = t
	put(node, "cpu.numcores", len(t.Cores))
	put(node, "cpu.reservablecores", len(reservable))
	if len(t.Cores) > 0 {
		put(node, "cpu.frequency", MHz(t.Cores[0]))
	}
	put(node, "cpu.totalcompute", total)
	put(node, "cpu.usablecompute", usable)
	put(node, "numa.node.count", len(t.Nodes))
	for _, id := range t.Nodes {
		put(node, fmt.Sprintf("numa.node%d.cores", id), FormatSet(perNode[id]))
	}
}

// MHz is the speed that a core counts for: what it can keep up, as far as that
// is known.
func MHz(c n.Core) uint64 {
	switch {
	case c.BaseSpeed > 0:
		return c.BaseSpeed
	case c.MaxSpeed > 0:
		return c.MaxSpeed
	}
	return c.GuessSpeed
}

// topology reads the processors that are online from the kernel's files, or,
// where it has none, from what was found of them otherwise.
func topology(sys fs.FS, info []cpuinfo.InfoStat) *n.Topology {
	guess := guesses(info)
	t := &n.Topology{}
	online, err := readSet(sys, "cpu/online")
	if err != nil {
		online = nil
		for i := range runtime.NumCPU() {
			online = append(online, uint16(i))
		}
	}
	nodes, err := readSet(sys, "node/online")
	if err != nil || len(nodes) == 0 {
		nodes = []uint16{0}
	}
	nodeOf := map[uint16]uint8{}
	for _, id := range nodes {
		t.Nodes = append(t.Nodes, uint8(id))
		t.Distances = append(t.Distances, distances(sys, id, len(nodes)))
		cores, _ := readSet(sys, fmt.Sprintf("node/node%d/cpulist", id)) // none: all are node 0's
		for _, c := range cores {
			nodeOf[c] = uint8(id)
		}
	}
	for _, id := range online {
		dir := fmt.Sprintf("cpu/cpu%d/", id)
		core := n.Core{ID: id, NodeID: nodeOf[id], GuessSpeed: guessMHz}
		core.SocketID = uint8(readUint(sys, dir+"topology/physical_package_id"))
		core.BaseSpeed = readUint(sys, dir+"cpufreq/base_frequency") / 1000
		core.MaxSpeed = readUint(sys, dir+"cpufreq/cpuinfo_max_freq") / 1000
		if mhz, ok := guess[id]; ok {
			core.GuessSpeed = mhz
		}
		t.Cores = append(t.Cores, core)
	}
	return t
}

// guesses are the speeds that the processors have at the moment, by core.
func guesses(info []cpuinfo.InfoStat) map[uint16]uint64 {
	out := map[uint16]uint64{}
	for _, i := range info {
		if i.Mhz >= 1 {
			out[uint16(i.CPU)] = uint64(i.Mhz)
		}
	}
	return out
}

func distances(sys fs.FS, node uint16, count int) []uint8 {
	out := make([]uint8, count)
	b, err := fs.ReadFile(sys, fmt.Sprintf("node/node%d/distance", node))
	fields := strings.Fields(string(b))
	if err != nil || len(fields) != count {
		for i := range out {
			out[i] = 10 // the kernel's word for "here"
		}
		return out
	}
	for i, f := range fields {
		v, _ := strconv.ParseUint(f, 10, 8)
		out[i] = uint8(v)
	}
	return out
}

// readUint reads a number from a file; 0 where there is none.
func readUint(sys fs.FS, name string) uint64 {
	b, err := fs.ReadFile(sys, name)
	if err != nil {
		return 0
	}
	v, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return v
}

func readSet(sys fs.FS, name string) ([]uint16, error) {
	b, err := fs.ReadFile(sys, name)
	if err != nil {
		return nil, err
	}
	return ParseSet(string(b))
}

var errSet = errors.New("is not a set of cores such as 0-3,8")

// ParseSet reads a set of cores such as "0-3,8". Nothing is the empty set.
func ParseSet(s string) ([]uint16, error) {
	var out []uint16
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		low, err := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
		high := low
		if err == nil && isRange {
			high, err = strconv.ParseUint(strings.TrimSpace(to), 10, 16)
		}
		if err != nil || high < low {
			return nil, fmt.Errorf("%q %w", strings.TrimSpace(s), errSet)
		}
		for i := low; i <= high; i++ {
			out = append(out, uint16(i))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// FormatSet writes a set of cores in its shortest form.
func FormatSet(set []uint16) string {
	var b strings.Builder
	for i := 0; i < len(set); {
		j := i
		for j+1 < len(set) && set[j+1] == set[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, set[i])
		if j > i {
			fmt.Fprintf(&b, "-%d", set[j])
		}
		i = j + 1
	}
	return b.String()
}
