package fingerprint

import (
	"net"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/go-hclog"
	cpuinfo "github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// What this machine has is not known to the test, but that it has it is.
func TestLook(t *testing.T) {
	var warnings strings.Builder
	log := hclog.New(&hclog.LoggerOptions{Output: &warnings})
	node := Look(t.Context(), Config{AllocDir: t.TempDir() + "/not/there", Loopback: true, HTTPAddr: "127.0.0.1:4646"}, log)
	if warnings.Len() > 0 {
		t.Error(warnings.String())
	}
	for _, name := range []string{
		"cpu.arch", "cpu.numcores", "cpu.reservablecores", "cpu.totalcompute", "cpu.usablecompute", "cpu.frequency",
		"kernel.arch", "kernel.name", "kernel.version", "memory.totalbytes", "nomad.version", "numa.node.count", "numa.node0.cores",
		"os.name", "os.signals", "unique.advertise.address", "unique.hostname", "unique.network.ip-address",
		"unique.storage.bytestotal", "unique.storage.volume",
	} {
		if node.Attributes[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	r := node.NodeResources
	if r.Cpu.CpuShares <= 0 || r.Memory.MemoryMB <= 0 || r.Disk.DiskMB <= 0 || len(r.Networks) == 0 || len(r.NodeNetworks) != 1 {
		t.Errorf("%+v", r)
	}
	if r.NodeNetworks[0].Addresses[0].Address != "127.0.0.1" || node.Attributes["unique.network.ip-address"] != "127.0.0.1" {
		t.Errorf("%+v", r.NodeNetworks)
	}
	t.Log(node.Attributes)
}

func TestOverridesAndDenied(t *testing.T) {
	node := Look(t.Context(), Config{
		AllocDir: t.TempDir(), Loopback: true, TotalCompute: 4000, ReservedMHz: 500, MemoryMB: 2048, DiskMB: 1024, Deny: []string{"host"},
	}, hclog.NewNullLogger())
	r := node.NodeResources
	if r.Cpu.CpuShares != 4000 || r.Memory.MemoryMB != 2048 || r.Disk.DiskMB != 1024 {
		t.Errorf("%+v", r)
	}
	a := node.Attributes
	if a["cpu.totalcompute"] != "4000" || a["cpu.usablecompute"] != "3500" || a["memory.totalbytes"] != "2147483648" || a["os.name"] != "" {
		t.Errorf("%v", a)
	}
}

func TestTopology(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s + "\n")} }
	sys := fstest.MapFS{
		"cpu/online": file("0-3"), "node/online": file("0-1"),
		"node/node0/cpulist": file("0,2"), "node/node1/cpulist": file("1,3"),
		"node/node0/distance": file("10 21"), "node/node1/distance": file("21 10"),
		"cpu/cpu0/cpufreq/base_frequency": file("2000000"), "cpu/cpu0/cpufreq/cpuinfo_max_freq": file("3500000"),
		"cpu/cpu1/cpufreq/cpuinfo_max_freq": file("3000000"), "cpu/cpu3/topology/physical_package_id": file("1"),
	}
	info := []cpuinfo.InfoStat{{CPU: 0, Mhz: 1234}, {CPU: 2, Mhz: 2500.7}}
	got := topology(sys, info)
	want := &n.Topology{
		Nodes: []uint8{0, 1}, Distances: [][]uint8{{10, 21}, {21, 10}},
		Cores: []n.Core{
			{ID: 0, BaseSpeed: 2000, MaxSpeed: 3500, GuessSpeed: 1234},
			{ID: 1, NodeID: 1, MaxSpeed: 3000, GuessSpeed: guessMHz},
			{ID: 2, GuessSpeed: 2500},
			{ID: 3, NodeID: 1, SocketID: 1, GuessSpeed: guessMHz},
		},
	}
	if !walk.Equal(got, want) {
		t.Errorf("have %+v, want %+v", got, want)
	}
	got.Cores[3].Disable = true
	got.OverrideWitholdCompute = 100
	node := &n.Node{Attributes: map[string]string{}}
	describe(node, got)
	for name, want := range map[string]string{
		"cpu.numcores": "4", "cpu.reservablecores": "3", "cpu.frequency": "2000", "cpu.totalcompute": "8500", "cpu.usablecompute": "7400",
		"numa.node.count": "2", "numa.node0.cores": "0,2", "numa.node1.cores": "1,3",
	} {
		if have := node.Attributes[name]; have != want {
			t.Errorf("%s: have %s, want %s", name, have, want)
		}
	}
	if c := node.NodeResources.Cpu; c.CpuShares != 8500 || c.TotalCpuCores != 4 || !slices.Equal(c.ReservableCpuCores, []uint16{0, 1, 2}) {
		t.Errorf("%+v", c)
	}
}

func TestSets(t *testing.T) {
	for _, c := range []struct {
		in, out string
		bad     bool
	}{
		{"", "", false},
		{"0", "0", false},
		{"0-3,8\n", "0-3,8", false},
		{" 8, 1-2,0 ", "0-2,8", false},
		{"1,1,1-2", "1-2", false},
		{"3-1", "", true},
		{"a", "", true},
		{"1-", "", true},
		{"70000", "", true},
	} {
		set, err := ParseSet(c.in)
		if (err != nil) != c.bad {
			t.Errorf("%q: %v", c.in, err)
		} else if got := FormatSet(set); got != c.out {
			t.Errorf("%q: have %q, want %q", c.in, got, c.out)
		}
	}
}

func TestUsable(t *testing.T) {
	addr := func(s string) net.Addr {
		ip, ipnet, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		ipnet.IP = ip
		return ipnet
	}
	for _, c := range []struct {
		have []string
		want []string
	}{
		{[]string{"fe80::1/64", "2001:db8::1/64", "192.0.2.1/24"}, []string{"192.0.2.1", "2001:db8::1"}},
		{[]string{"127.0.0.1/8", "::1/128"}, []string{"127.0.0.1", "::1"}},
		{[]string{"fe80::1/64"}, []string{"fe80::1"}},
		{[]string{"169.254.1.1/16", "10.0.0.1/8"}, []string{"10.0.0.1"}},
		{nil, nil},
	} {
		var in []net.Addr
		for _, s := range c.have {
			in = append(in, addr(s))
		}
		var got []string
		for _, ip := range usable(in) {
			got = append(got, ip.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: have %v, want %v", c.have, got, c.want)
		}
	}
}

func TestVolume(t *testing.T) {
	parts := []disk.PartitionStat{
		{Device: "/dev/vda", Mountpoint: "/"}, {Device: "/dev/vdb", Mountpoint: "/var/lib"}, {Device: "/dev/vdc", Mountpoint: "/var/li"},
		{Device: "/dev/vdd", Mountpoint: "/var/lib/nomad/alloc"},
	}
	for dir, want := range map[string]string{
		"/": "/dev/vda", "/etc": "/dev/vda", "/var/lib/nomad": "/dev/vdb", "/var/lib": "/dev/vdb", "/var/lib/nomad/alloc": "/dev/vdd", "/var/lib/nomad/alloc2": "/dev/vdb",
	} {
		if got := volume(parts, dir); got != want {
			t.Errorf("%s: have %s, want %s", dir, got, want)
		}
	}
}
