package simulate

import (
	"fmt"
	"maps"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// drivers are those that nodes have unless it is said.
var drivers = []string{"docker", "exec", "java", "qemu", "raw_exec"}

// attributes are those of a node that lacks nothing that jobs are commonly bound to.
var attributes = map[string]string{
	"kernel.name": "linux", "os.name": "debian", "arch": "amd64", "cpu.arch": "amd64",
	"nomad.version": n.CompatibilityVersion, "nomad.service_discovery": "true",
	"consul.version": "1.21.0", "consul.grpc": "8502", "vault.version": "1.20.0",
	"os.signals":                 "SIGABRT,SIGALRM,SIGHUP,SIGINT,SIGKILL,SIGPIPE,SIGQUIT,SIGTERM,SIGTRAP,SIGUSR1,SIGUSR2,SIGWINCH",
	"plugins.cni.version.bridge": "v1.6.0", "plugins.cni.version.firewall": "v1.6.0", "plugins.cni.version.host-local": "v1.6.0",
	"plugins.cni.version.loopback": "v1.6.0", "plugins.cni.version.portmap": "v1.6.0", "plugins.cni.version.consul-cni": "v1.6.0",
}

// NodeLike is the i-th node of a group: 4 cores of 1 GHz, 8 GB of memory and 100 GB of
// disk, with all drivers, in datacenter dc1.
func NodeLike(group string, i int) *n.Node {
	node := &n.Node{
		Name: fmt.Sprintf("%s-%d", group, i), Datacenter: "dc1", NodePool: n.DefaultNodePool,
		Attributes: maps.Clone(attributes), Meta: map[string]string{}, Drivers: map[string]*n.DriverInfo{},
		NodeResources: n.NodeResources{
			Memory: n.NodeMemory{MemoryMB: 8192}, Disk: n.NodeDisk{DiskMB: 100 << 10},
			NodeNetworks: []n.NodeNetwork{
				{Mode: "host", Device: "eth0", Addresses: []n.NodeAddress{{Alias: "default", Address: "10.0.0.1", Family: "ipv4"}}},
				{Mode: "bridge", Device: "nomad"},
			},
			MinDynamicPort: 20000, MaxDynamicPort: 32000,
		},
	}
	setCores(node, 4, 4000)
	setDrivers(node, drivers)
	return node
}

// setCores gives a node cores that are worth so many MHz together.
func setCores(node *n.Node, cores uint16, mhz int64) {
	node.NodeResources.Cpu = n.NodeCPU{CpuShares: mhz, TotalCpuCores: cores}
	for i := range cores {
		node.NodeResources.Cpu.ReservableCpuCores = append(node.NodeResources.Cpu.ReservableCpuCores, i)
	}
}

func setDrivers(node *n.Node, names []string) {
	node.Drivers = map[string]*n.DriverInfo{}
	for _, d := range names {
		node.Drivers[d] = &n.DriverInfo{Detected: true, Healthy: true}
		node.Attributes["driver."+d] = "1"
	}
}
