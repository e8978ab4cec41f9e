package executor

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// clockTick is the kernel's USER_HZ, which is 100 on every platform of ours.
const clockTick = 100

// What is measured, as the API names it.
var (
	measuredProcess   = []string{"RSS", "Swap"}
	measuredCPU       = []string{"System Mode", "User Mode", "Percent"}
	measuredMemoryV1  = []string{"RSS", "Cache", "Swap", "Usage", "Max Usage", "Kernel Usage", "Kernel Max Usage"}
	measuredMemoryV2  = []string{"RSS", "Cache", "Swap", "Usage"}
	measuredCgroupCPU = []string{"System Mode", "User Mode", "Throttled Periods", "Throttled Time", "Percent"}
)

// A Sampler measures a process again and again; use is computed from one
// measurement to the next. It is for one goroutine.
type Sampler struct {
	p          *Process
	byCgroup   bool
	mhzPerCore float64
	last       map[int]cpuTime // 0 is the whole
	at         time.Time
}

type cpuTime struct{ user, system time.Duration }

// Sampler makes one. With byCgroup the kernel's accounts of the task's cgroup
// are used, where there is one, otherwise those of its processes. totalCompute
// is that of the node in MHz.
func (p *Process) Sampler(byCgroup bool, totalCompute int64) *Sampler {
	return &Sampler{
		p: p, byCgroup: byCgroup && p.cgroup.Memory != "", last: map[int]cpuTime{},
		mhzPerCore: float64(totalCompute) / float64(runtime.NumCPU()),
	}
}

// Usage measures now.
func (s *Sampler) Usage() drivers.Usage {
	now := time.Now()
	elapsed := now.Sub(s.at)
	if s.at.IsZero() {
		elapsed = now.Sub(time.Unix(0, s.p.task.Started))
	}
	u := drivers.Usage{Time: now, Pids: map[int]drivers.Usage{}}
	seen := map[int]cpuTime{}
	var whole cpuTime
	for _, pid := range s.p.Pids() {
		one, cpu, ok := readProcess(pid)
		if !ok {
			continue
		}
		one.Time = now
		seen[pid] = cpu
		whole.user += cpu.user
		whole.system += cpu.system
		one.CPU = s.cpu(cpu, s.last[pid], elapsed)
		u.Pids[pid] = one
		u.Memory.RSS += one.Memory.RSS
		u.Memory.Swap += one.Memory.Swap
		// What a process has used before it ended is forgotten; each is
		// compared with itself, so that the sum does not go down for that.
		u.CPU.User += one.CPU.User
		u.CPU.System += one.CPU.System
		u.CPU.Percent += one.CPU.Percent
		u.CPU.TotalTicks += one.CPU.TotalTicks
	}
	u.Memory.Measured, u.CPU.Measured = measuredProcess, measuredCPU
	if s.byCgroup {
		whole = s.fromCgroup(&u, elapsed)
	}
	seen[0] = whole
	s.last, s.at = seen, now
	return u
}

func (s *Sampler) cpu(now, before cpuTime, elapsed time.Duration) drivers.CPUUsage {
	percent := func(now, before time.Duration) float64 {
		if elapsed <= 0 || now < before {
			return 0
		}
		return 100 * float64(now-before) / float64(elapsed)
	}
	c := drivers.CPUUsage{User: percent(now.user, before.user), System: percent(now.system, before.system), Measured: measuredCPU}
	c.Percent = c.User + c.System
	c.TotalTicks = c.Percent / 100 * s.mhzPerCore
	return c
}

func (s *Sampler) fromCgroup(u *drivers.Usage, elapsed time.Duration) cpuTime {
	cg := s.p.cgroup
	var cpu cpuTime
	m := drivers.MemoryUsage{}
	stat := readTable(filepath.Join(cg.Memory, "memory.stat"))
	if cg.Version == 1 {
		m.RSS, m.Cache, m.Swap, m.MappedFile = stat["total_rss"], stat["total_cache"], stat["total_swap"], stat["total_mapped_file"]
		m.Usage = readNumber(filepath.Join(cg.Memory, "memory.usage_in_bytes"))
		m.MaxUsage = readNumber(filepath.Join(cg.Memory, "memory.max_usage_in_bytes"))
		m.KernelUsage = readNumber(filepath.Join(cg.Memory, "memory.kmem.usage_in_bytes"))
		m.KernelMaxUsage = readNumber(filepath.Join(cg.Memory, "memory.kmem.max_usage_in_bytes"))
		m.Measured = measuredMemoryV1
		acct := readTable(filepath.Join(cg.CPUAcct, "cpuacct.stat"))
		cpu.user = time.Duration(acct["user"]) * time.Second / clockTick
		cpu.system = time.Duration(acct["system"]) * time.Second / clockTick
	} else {
		m.RSS, m.Cache, m.MappedFile = stat["anon"], stat["file"], stat["file_mapped"]
		m.Swap = readNumber(filepath.Join(cg.Memory, "memory.swap.current"))
		m.Usage = readNumber(filepath.Join(cg.Memory, "memory.current"))
		m.MaxUsage = readNumber(filepath.Join(cg.Memory, "memory.peak"))
		m.Measured = measuredMemoryV2
	}
	throttled := readTable(filepath.Join(cg.CPU, "cpu.stat"))
	if cg.Version == 2 {
		cpu.user = time.Duration(throttled["user_usec"]) * time.Microsecond
		cpu.system = time.Duration(throttled["system_usec"]) * time.Microsecond
	}
	u.Memory = m
	u.CPU = s.cpu(cpu, s.last[0], elapsed)
	u.CPU.ThrottledPeriods = throttled["nr_throttled"]
	u.CPU.ThrottledTime = throttled["throttled_time"] + 1000*throttled["throttled_usec"]
	u.CPU.Measured = measuredCgroupCPU
	return cpu
}

// Pids are the task's processes now.
func (p *Process) Pids() []int {
	if p.cgroup.Kill != "" {
		return p.cgroup.pids()
	}
	if !p.shimLives() {
		return nil
	}
	return descendants(p.shimPid)
}

func readProcess(pid int) (u drivers.Usage, cpu cpuTime, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	b, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return u, cpu, false
	}
	text := string(b)
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return u, cpu, false
	}
	f := strings.Fields(text[end+1:])
	if len(f) < 22 {
		return u, cpu, false
	}
	tick := func(s string) time.Duration {
		n, _ := strconv.ParseInt(s, 10, 64)
		return time.Duration(n) * time.Second / clockTick
	}
	cpu = cpuTime{user: tick(f[11]), system: tick(f[12])}
	pages, _ := strconv.ParseUint(f[21], 10, 64)
	u.Memory.RSS = pages * uint64(os.Getpagesize())
	u.Memory.Swap = readTable(dir + "/status")["VmSwap:"] * 1024
	u.Memory.Measured = measuredProcess
	return u, cpu, true
}

// readTable reads lines of a word and a number.
func readTable(file string) map[string]uint64 {
	out := map[string]uint64{}
	b, err := os.ReadFile(file)
	if err != nil {
		return out
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(f[1], 10, 64); err == nil {
			out[f[0]] = n
		}
	}
	return out
}

func readNumber(file string) uint64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n
}
