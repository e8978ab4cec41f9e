package command

import (
	"fmt"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// totals are what the node's allocations may use together.
func (v *nodeView) totals() (mhz, memoryMB, diskMB int64) {
	has, kept := v.NodeResources, v.ReservedResources
	return has.Cpu.CpuShares - int64(kept.Cpu.CpuShares), has.Memory.MemoryMB - kept.Memory.MemoryMB, has.Disk.DiskMB - kept.Disk.DiskMB
}

// allocated is what the allocations that run were given.
func (v *nodeView) allocated() *text.Table {
	var mhz, memory, disk int64
	live := running(v.allocs)
	for _, a := range live {
		if a.AllocatedResources == nil {
			continue
		}
		for _, t := range a.AllocatedResources.Tasks {
			mhz += t.Cpu.CpuShares
			memory += t.Memory.MemoryMB
		}
		disk += a.AllocatedResources.Shared.DiskMB
	}
	allMHz, allMemory, allDisk := v.totals()
	count := str(len(live))
	if v.NodeMaxAllocs > 0 {
		count += "/" + str(v.NodeMaxAllocs)
	}
	return text.NewTable("CPU", "Memory", "Disk", "Alloc Count").
		Row(fmt.Sprintf("%d/%d MHz", mhz, allMHz), text.MiB(memory)+"/"+text.MiB(allMemory), text.MiB(disk)+"/"+text.MiB(allDisk), count)
}

// used is what the allocations that run do use; nil if one does not say.
func (v *nodeView) used() *text.Table {
	var mhz float64
	var memory uint64
	for _, a := range running(v.allocs) {
		req := &n.AllocStatsRequest{AllocID: a.ID}
		req.Namespace = a.Namespace
		usage, err := read(v.env, api.AllocStats, req)
		if err != nil {
			return nil
		}
		mhz += usage.ResourceUsage.CpuStats.TotalTicks
		memory += memoryUsed(usage.ResourceUsage.MemoryStats)
	}
	allMHz, allMemory, _ := v.totals()
	return text.NewTable("CPU", "Memory").
		Row(fmt.Sprintf("%d/%d MHz", int64(mhz), allMHz), text.Bytes(memory)+"/"+text.MiB(allMemory))
}

// hostUsed is what the whole machine uses.
func (v *nodeView) hostUsed() *text.Table {
	memory, disk := "", ""
	if m := v.host.Memory; m != nil {
		memory = text.Bytes(m.Used) + "/" + text.Bytes(m.Total)
	}
	if d := v.host.AllocDirStats; d != nil {
		disk = text.Bytes(d.Used) + "/" + text.Bytes(d.Size)
		if d.Device != "" && d.Device != v.Attributes["unique.storage.volume"] {
			disk += fmt.Sprintf(" (%s)", d.Device)
		}
	}
	return text.NewTable("CPU", "Memory", "Disk").
		Row(fmt.Sprintf("%d/%d MHz", int64(v.host.CPUTicksConsumed), v.NodeResources.Cpu.CpuShares), memory, disk)
}

// measured is all that was measured of the machine.
func (v *nodeView) measured() {
	first := true
	block := func(p *text.Pairs) {
		if !first {
			v.print("")
		}
		first = false
		v.print(p.String())
	}
	v.print("\n" + v.bold("CPU Stats"))
	for _, c := range v.host.CPU {
		block(new(text.Pairs).Add("CPU", c.CPU).Add("User", percent(c.User)).Add("System", percent(c.System)).Add("Idle", percent(c.Idle)))
	}
	if m := v.host.Memory; m != nil {
		v.section("Memory Stats", new(text.Pairs).Add("Total", text.Bytes(m.Total)).Add("Available", text.Bytes(m.Available)).
			Add("Used", text.Bytes(m.Used)).Add("Free", text.Bytes(m.Free)))
	}
	first = true
	v.print("\n" + v.bold("Disk Stats"))
	for _, d := range v.host.DiskStats {
		block(new(text.Pairs).Add("Device", d.Device).Add("MountPoint", d.Mountpoint).Add("Size", text.Bytes(d.Size)).
			Add("Used", text.Bytes(d.Used)).Add("Available", text.Bytes(d.Available)).
			Add("Used Percent", percent(d.UsedPercent)).Add("Inodes Percent", percent(d.InodesUsedPercent)))
	}
}
