package fingerprint

import (
	"context"
	"runtime"
	"strings"

	hostinfo "github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func arch(_ context.Context, _ *Config, node *n.Node) error {
	node.Attributes["cpu.arch"] = runtime.GOARCH
	return nil
}

func host(ctx context.Context, _ *Config, node *n.Node) error {
	node.Attributes["kernel.name"] = runtime.GOOS
	info, err := hostinfo.InfoWithContext(ctx)
	if err != nil {
		return err
	}
	put(node, "kernel.arch", info.KernelArch)
	put(node, "kernel.version", strings.TrimSpace(info.KernelVersion))
	put(node, "os.name", info.Platform)
	put(node, "os.version", info.PlatformVersion)
	put(node, "unique.hostname", info.Hostname)
	put(node, "unique.host_id", info.HostID)
	return nil
}

func memory(ctx context.Context, c *Config, node *n.Node) error {
	total, err := uint64(c.MemoryMB)<<20, error(nil)
	if total == 0 {
		var m *mem.VirtualMemoryStat
		if m, err = mem.VirtualMemoryWithContext(ctx); err != nil {
			return err
		}
		total = m.Total
	}
	put(node, "memory.totalbytes", total)
	node.NodeResources.Memory.MemoryMB = int64(total >> 20)
	return nil
}

func cgroup(_ context.Context, c *Config, node *n.Node) error {
	version, mountpoint := cgroups()
	if version == 0 {
		return nil
	}
	put(node, "os.cgroups.version", version)
	put(node, "unique.cgroup.mountpoint", mountpoint)
	put(node, "unique.cgroup.version", map[int]string{1: "v1", 2: "v2"}[version])
	node.CgroupParent = c.CgroupParent
	if node.CgroupParent == "" {
		node.CgroupParent = map[int]string{1: "/nomad", 2: "nomad.slice"}[version]
	}
	return nil
}
