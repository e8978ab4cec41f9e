package client

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// firstMeasure is the time over which the use of the processors is measured when
// there is no earlier measurement to compare with.
const firstMeasure = 100 * time.Millisecond

// remeasure is the least time between two measurements; what was measured less
// than that ago is still good.
const remeasure = time.Second

// hostMeter measures what the whole node uses, when asked.
type hostMeter struct {
	mhz float64 // of a core

	mu   sync.Mutex
	at   time.Time
	cpu  []cpu.TimesStat
	last *n.HostStats
}

// measure returns what the node uses.
func (m *hostMeter) measure(ctx context.Context, allocDir string) (*n.HostStats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last != nil && time.Since(m.at) < remeasure {
		return m.last, nil
	}
	if m.cpu == nil {
		before, err := cpu.TimesWithContext(ctx, true)
		if err != nil {
			return nil, err
		}
		m.cpu = before
		if !sleep(ctx, firstMeasure) {
			return nil, ctx.Err()
		}
	}
	times, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	out := &n.HostStats{
		Timestamp: time.Now().UnixNano(), DeviceStats: []n.Raw{},
		Memory: &n.HostMemory{Total: memory.Total, Available: memory.Available, Used: memory.Used, Free: memory.Free},
	}
	out.Uptime, _ = host.UptimeWithContext(ctx)
	for i, now := range times {
		core := hostCPU(now, before(m.cpu, i), m.mhz)
		out.CPU = append(out.CPU, core)
		out.CPUTicksConsumed += core.TotalTicks
	}
	out.DiskStats, out.AllocDirStats = disks(ctx, allocDir)
	m.cpu, m.at, m.last = times, time.Now(), out
	return out, nil
}

func before(times []cpu.TimesStat, i int) cpu.TimesStat {
	if i < len(times) {
		return times[i]
	}
	return cpu.TimesStat{}
}

// hostCPU is the use of a core between two moments.
func hostCPU(now, was cpu.TimesStat, mhz float64) n.HostCPU {
	busy := func(t cpu.TimesStat) float64 {
		return t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal
	}
	all := func(t cpu.TimesStat) float64 { return busy(t) + t.Idle + t.Iowait }
	total := all(now) - all(was)
	if total <= 0 {
		return n.HostCPU{CPU: now.CPU, Idle: 100}
	}
	percent := func(v float64) float64 { return min(max(100*v/total, 0), 100) }
	out := n.HostCPU{
		CPU: now.CPU, User: percent(now.User - was.User), System: percent(now.System - was.System),
		Idle: percent(now.Idle - was.Idle), TotalPercent: percent(busy(now) - busy(was)),
	}
	out.TotalTicks = out.TotalPercent / 100 * mhz
	return out
}

// disks measures the file systems that are on devices, and the one that holds
// the allocations.
func disks(ctx context.Context, allocDir string) (all []n.HostDisk, own *n.HostDisk) {
	all = []n.HostDisk{}
	parts, err := disk.PartitionsWithContext(ctx, false)
	if err != nil {
		parts = nil
	}
	seen := map[string]bool{}
	for _, p := range parts {
		if seen[p.Device] {
			continue // mounted in several places
		}
		if d := hostDisk(ctx, p.Device, p.Mountpoint); d != nil {
			seen[p.Device] = true
			all = append(all, *d)
		}
	}
	return all, hostDisk(ctx, "", allocDir)
}

func hostDisk(ctx context.Context, device, mountpoint string) *n.HostDisk {
	u, err := disk.UsageWithContext(ctx, mountpoint)
	if err != nil || u.Total == 0 {
		return nil
	}
	return &n.HostDisk{
		Device: device, Mountpoint: mountpoint, Size: u.Total, Used: u.Used, Available: u.Free,
		UsedPercent: u.UsedPercent, InodesUsedPercent: u.InodesUsedPercent,
	}
}

// coreMHz is the speed of a core of the node.
func coreMHz(node *n.Node) float64 {
	mhz, _ := strconv.ParseFloat(node.Attributes["cpu.frequency"], 64) // 0 where it is not known
	return mhz
}
