package command

import (
	"fmt"
	"slices"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// task shows one task of an allocation.
func (v *allocView) task(name string) {
	state, hook := v.TaskStates[name], ""
	if l := v.lifecycle(name); l != nil {
		hook = " (" + lifecycleText(l) + ")"
	}
	v.print("\n" + v.bold(fmt.Sprintf("Task %q%s is %q", name, hook, state.State)))
	v.resources(name)
	v.print("")
	v.volumes(name)
	v.events(state)
}

// resources shows what a task may use and, if it was measured, uses.
func (v *allocView) resources(name string) {
	if v.AllocatedResources == nil || v.AllocatedResources.Tasks[name] == nil {
		return
	}
	has := v.AllocatedResources.Tasks[name]
	cpuTitle := "CPU"
	if cores := len(has.Cpu.ReservedCores); cores > 0 {
		cpuTitle = fmt.Sprintf("CPU (%d cores)", cores)
	}
	cpu, memory := fmt.Sprintf("%d MHz", has.Cpu.CpuShares), text.MiB(has.Memory.MemoryMB)
	use := v.taskUsage(name)
	if use != nil {
		cpu = fmt.Sprintf("%d/%s", int64(use.CpuStats.TotalTicks), cpu)
		memory = text.Bytes(memoryUsed(use.MemoryStats)) + "/" + memory
	}
	addresses := taskAddresses(has)
	t := text.NewTable(cpuTitle, "Memory", "Disk", "Addresses")
	t.Plain = true
	t.Row(cpu, memory, text.MiB(v.AllocatedResources.Shared.DiskMB), at(addresses, 0))
	if limit := memoryLimit(has.Memory); limit != "" || len(addresses) > 1 {
		t.Row("", limit, "", at(addresses, 1))
	}
	for i := 2; i < len(addresses); i++ {
		t.Row("", "", "", addresses[i])
	}
	v.print("Task Resources:\n" + t.String())
	if v.stats && use != nil {
		v.measured(use)
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func (v *allocView) taskUsage(name string) *n.ResourceUsage {
	if v.usage == nil || v.usage.Tasks[name] == nil {
		return nil
	}
	return &v.usage.Tasks[name].ResourceUsage
}

// memoryUsed is what counts against the limit, as far as it was measured.
func memoryUsed(m n.MemoryStats) uint64 {
	if slices.Contains(m.Measured, "Usage") || m.RSS == 0 {
		return m.Usage
	}
	return m.RSS
}

func memoryLimit(m n.AllocatedMemory) string {
	switch {
	case m.MemoryMaxMB < 0:
		return "Max: unlimited"
	case m.MemoryMaxMB > 0 && m.MemoryMaxMB != m.MemoryMB:
		return "Max: " + text.MiB(m.MemoryMaxMB)
	}
	return ""
}

// taskAddresses lists the ports of the task's own network, the older kind.
func taskAddresses(t *n.AllocatedTask) (out []string) {
	for i := range t.Networks {
		for _, p := range t.Networks[i].AllPorts() {
			out = append(out, fmt.Sprintf("%s: %s:%d", p.Label, t.Networks[i].IP, p.Value))
		}
	}
	return out
}

// measured shows all that was measured of a task.
func (v *allocView) measured(use *n.ResourceUsage) {
	m, c := use.MemoryStats, use.CpuStats
	memory := map[string]string{
		"RSS": text.Bytes(m.RSS), "Cache": text.Bytes(m.Cache), "Swap": text.Bytes(m.Swap), "Mapped File": text.Bytes(m.MappedFile),
		"Usage": text.Bytes(m.Usage), "Max Usage": text.Bytes(m.MaxUsage),
		"Kernel Usage": text.Bytes(m.KernelUsage), "Kernel Max Usage": text.Bytes(m.KernelMaxUsage),
	}
	cpu := map[string]string{
		"Percent": percent(c.Percent), "System Mode": percent(c.SystemMode), "User Mode": percent(c.UserMode),
		"Throttled Periods": str(c.ThrottledPeriods), "Throttled Time": time.Duration(c.ThrottledTime).String(),
	}
	v.columns("\nMemory Stats", m.Measured, memory)
	v.columns("\nCPU Stats", c.Measured, cpu)
}

func percent(f float64) string { return fmt.Sprintf("%.2f%%", f) }

// columns is a table of one row, of the values that were measured.
func (v *allocView) columns(heading string, names []string, values map[string]string) {
	var titles, row []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		if value, known := values[name]; known {
			titles, row = append(titles, name), append(row, value)
		}
	}
	if len(row) > 0 {
		v.print(heading + "\n" + text.NewTable(titles...).Row(row...).String())
	}
}

// volumes lists the volumes that a task mounts.
func (v *allocView) volumes(name string) {
	g := v.group()
	if g == nil || g.Task(name) == nil {
		return
	}
	for _, kind := range []struct{ name, heading string }{{"host", "Host Volumes:"}, {"csi", "CSI Volumes:"}} {
		t := text.NewTable("ID", "Read Only")
		for _, m := range g.Task(name).VolumeMounts {
			if vol := g.Volumes[m.Volume]; vol != nil && vol.Type == kind.name {
				t.Row(vol.Source, fmt.Sprint(vol.ReadOnly || m.ReadOnly))
			}
		}
		if !t.Empty() {
			v.print(kind.heading + "\n" + t.String() + "\n")
		}
	}
}

// events tells what happened to a task, the latest first.
func (v *allocView) events(s *n.TaskState) {
	v.print("Task Events:\n" + new(text.Pairs).Add("Started At", instant(s.StartedAt)).Add("Finished At", instant(s.FinishedAt)).
		Add("Total Restarts", str(s.Restarts)).Add("Last Restart", instant(s.LastRestart)).String())
	t := text.NewTable("Time", "Type", "Description")
	for _, ev := range slices.Backward(s.Events) {
		description := ev.DisplayMessage
		if description == "" {
			description = ev.Message
		}
		t.Row(text.Unix(ev.Time), ev.Type, description)
	}
	v.print("\nRecent Events:\n" + t.String())
}

// instant is a time that may not have come.
func instant(t *time.Time) string {
	if t == nil || t.IsZero() || t.UnixNano() == 0 {
		return "N/A"
	}
	return text.Time(*t)
}
