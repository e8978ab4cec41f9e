package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// CgroupVersion says which cgroups this machine has: 2, 1, or 0 for none that
// we can use.
func CgroupVersion() int { return cgroupVersion() }

const cgroupRoot = "/sys/fs/cgroup"

var cgroupVersion = sync.OnceValue(func() int {
	var st unix.Statfs_t
	if unix.Statfs(cgroupRoot, &st) != nil {
		return 0
	}
	if st.Type == unix.CGROUP2_SUPER_MAGIC {
		return 2
	}
	for _, c := range []string{"freezer", "memory", "cpu"} {
		if unix.Statfs(filepath.Join(cgroupRoot, c), &st) == nil && st.Type == unix.CGROUP_SUPER_MAGIC {
			return 1
		}
	}
	return 0
})

// A Cgroup is where a process is, as written down before it starts.
type Cgroup struct {
	Version int
	Own     []string // made for this attempt, removed with it; parents first
	Join    []string // the process joins them before its exec
	Into    string   // the process is cloned into it (v2)
	Kill    string   // everything in it is the process's (v1: a freezer)
	Memory  string
	CPU     string
	CPUAcct string
	Shim    []string // for the shim
}

// ownControllers are those of v1 in which a process gets a cgroup of its own.
var ownControllers = []string{"freezer", "cpu", "cpuacct", "memory", "pids"}

// sharedHierarchies of v1 only say which service a process belongs to. We leave
// that of the agent, which an init system may end as a whole.
var sharedHierarchies = []string{"systemd", "unified"}

func (s *CgroupSpec) root() string {
	if s.mountOverride != "" {
		return s.mountOverride
	}
	return cgroupRoot
}

func (s *CgroupSpec) parent(version int) string {
	switch {
	case s.Parent != "":
		return strings.Trim(s.Parent, "/")
	case version == 1:
		return "nomad"
	}
	return "nomad.slice"
}

// plan says which cgroups a process gets; nothing is made.
func (s *CgroupSpec) plan(version int) *Cgroup {
	if s.Disabled || version == 0 || s.Name == "" {
		return &Cgroup{}
	}
	if version == 2 {
		return s.plan2()
	}
	return s.plan1()
}

func (s *CgroupSpec) plan1() *Cgroup {
	cg := &Cgroup{Version: 1}
	parent := s.parent(1)
	controllers := ownControllers
	if len(s.DeviceRules) > 0 {
		controllers = append(slices.Clone(controllers), "devices")
	}
	for _, c := range controllers {
		dir := filepath.Join(s.root(), c)
		if !exists(filepath.Join(dir, "cgroup.procs")) {
			continue
		}
		own := filepath.Join(dir, parent, s.Name)
		if over, ok := s.OverrideV1[c]; ok {
			own = s.override(dir, over)
		} else {
			cg.Own = append(cg.Own, own)
			if c == "freezer" {
				cg.Kill = own
			}
		}
		cg.Join = append(cg.Join, own)
		switch c {
		case "memory":
			cg.Memory = own
		case "cpu":
			cg.CPU = own
		case "cpuacct":
			cg.CPUAcct = own
		}
		if c != "devices" {
			cg.Shim = append(cg.Shim, filepath.Join(dir, parent))
		}
	}
	for c, path := range s.OverrideV1 {
		if dir := filepath.Join(s.root(), c); !slices.Contains(controllers, c) && c != "cpuset" && exists(filepath.Join(dir, "cgroup.procs")) {
			cg.Join = append(cg.Join, s.override(dir, path))
		}
	}
	if over, ok := s.OverrideV1["cpuset"]; ok {
		cg.Join = append(cg.Join, s.override(filepath.Join(s.root(), "cpuset"), over))
	} else if s.Cpuset != "" {
		cg.Join = append(cg.Join, s.Cpuset)
	}
	for _, h := range sharedHierarchies {
		dir := filepath.Join(s.root(), h)
		if exists(filepath.Join(dir, "cgroup.procs")) {
			dir = filepath.Join(dir, parent)
			cg.Join = append(cg.Join, dir)
			cg.Shim = append(cg.Shim, dir)
		}
	}
	return cg
}

func (s *CgroupSpec) override(mount, path string) string {
	if strings.HasPrefix(path, s.root()+"/") {
		return filepath.Clean(path)
	}
	return filepath.Join(mount, filepath.Clean("/"+path))
}

func (s *CgroupSpec) plan2() *Cgroup {
	cg := &Cgroup{Version: 2, Shim: []string{filepath.Join(s.root(), s.parent(2), "executor.scope")}}
	if s.OverrideV2 != "" {
		cg.Into = s.override(s.root(), s.OverrideV2)
		cg.Memory, cg.CPU, cg.CPUAcct = cg.Into, cg.Into, cg.Into
		return cg
	}
	if s.Cpuset != "" {
		// The limits go to the cgroup that the client made; in it each attempt
		// has its own, so that the end of one can not be that of another.
		own := filepath.Join(s.Cpuset, s.Name)
		cg.Own, cg.Into, cg.Kill = []string{own}, own, own
		cg.Memory, cg.CPU, cg.CPUAcct = s.Cpuset, s.Cpuset, s.Cpuset
		return cg
	}
	own := filepath.Join(s.root(), s.parent(2), "share.slice", s.Name+".scope")
	cg.Own, cg.Into, cg.Kill = []string{own}, own, own
	cg.Memory, cg.CPU, cg.CPUAcct = own, own, own
	return cg
}

// create makes the cgroups and sets their limits. Where the agent may not, it
// returns an error that is fs.ErrPermission, and nothing is left.
func (cg *Cgroup) create(s *CgroupSpec) error {
	if cg.Version == 0 {
		return nil
	}
	for _, dir := range cg.Shim {
		if err := os.MkdirAll(dir, 0o755); err != nil && dir != cg.Into {
			return err
		}
	}
	if cg.Version == 2 && s.OverrideV2 == "" && s.Cpuset == "" {
		s.enableControllers()
	}
	for _, dir := range cg.Own {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for _, dir := range cg.Join {
		if !exists(dir) {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
	}
	return cg.limit(s)
}

// enableControllers turns on what there is along the way down to the parent.
func (s *CgroupSpec) enableControllers() {
	dir := s.root()
	for _, part := range append([]string{""}, strings.Split(s.parent(2)+"/share.slice", "/")...) {
		dir = filepath.Join(dir, part)
		if os.MkdirAll(dir, 0o755) != nil {
			return
		}
		have, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		if err != nil {
			return
		}
		for _, c := range []string{"cpuset", "cpu", "io", "memory", "pids"} {
			if slices.Contains(strings.Fields(string(have)), c) {
				// One that refuses shows as a limit that can not be written.
				_ = writeFile(filepath.Join(dir, "cgroup.subtree_control"), "+"+c)
			}
		}
	}
}

// limit writes the limits. A controller that is not there is no error: its
// file is missing.
func (cg *Cgroup) limit(s *CgroupSpec) error {
	type setting struct{ dir, file, text string }
	var all []setting
	owned := func(dir string) bool {
		return dir != "" && (slices.Contains(cg.Own, dir) || cg.Version == 2 && dir == s.Cpuset)
	}
	if owned(cg.Memory) {
		if cg.Version == 1 {
			if s.MemoryMax > 0 {
				all = append(all, setting{cg.Memory, "memory.limit_in_bytes", strconv.FormatInt(s.MemoryMax, 10)})
				if s.SwapOff {
					all = append(all, setting{cg.Memory, "memory.memsw.limit_in_bytes", strconv.FormatInt(s.MemoryMax, 10)})
				}
			}
			if s.SwapOff {
				all = append(all, setting{cg.Memory, "memory.swappiness", "0"})
			}
			if s.MemoryLow > 0 {
				all = append(all, setting{cg.Memory, "memory.soft_limit_in_bytes", strconv.FormatInt(s.MemoryLow, 10)})
			}
		} else {
			if s.MemoryMax > 0 {
				all = append(all, setting{cg.Memory, "memory.max", strconv.FormatInt(s.MemoryMax, 10)})
			}
			if s.SwapOff {
				all = append(all, setting{cg.Memory, "memory.swap.max", "0"})
			}
			if s.MemoryLow > 0 {
				all = append(all, setting{cg.Memory, "memory.low", strconv.FormatInt(s.MemoryLow, 10)})
			}
		}
	}
	if owned(cg.CPU) && s.CPUShares > 0 {
		shares := min(max(s.CPUShares, 2), 262144)
		if cg.Version == 1 {
			all = append(all, setting{cg.CPU, "cpu.shares", strconv.FormatInt(shares, 10)})
		} else {
			all = append(all, setting{cg.CPU, "cpu.weight", strconv.FormatInt(Weight(shares), 10)})
		}
	}
	for _, st := range all {
		err := writeFile(filepath.Join(st.dir, st.file), st.text)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !optionalLimit(st.file) {
			return fmt.Errorf("set %s: %w", st.file, err)
		}
	}
	return cg.limitDevices(s)
}

// optionalLimit are settings that are refused where swap is not accounted.
func optionalLimit(file string) bool {
	return file == "memory.swappiness" || file == "memory.memsw.limit_in_bytes" || file == "memory.swap.max"
}

func (cg *Cgroup) limitDevices(s *CgroupSpec) error {
	if cg.Version != 1 || len(s.DeviceRules) == 0 {
		return nil
	}
	for _, dir := range cg.Own {
		if filepath.Base(filepath.Dir(filepath.Dir(dir))) != "devices" && !strings.HasPrefix(dir, filepath.Join(s.root(), "devices")+"/") {
			continue
		}
		if err := writeFile(filepath.Join(dir, "devices.deny"), "a"); err != nil {
			return fmt.Errorf("deny devices: %w", err)
		}
		for _, r := range s.DeviceRules {
			if err := writeFile(filepath.Join(dir, "devices.allow"), r); err != nil {
				return fmt.Errorf("allow device %q: %w", r, err)
			}
		}
	}
	return nil
}

// Weight converts shares (2 to 262144) of cgroup v1 to a weight (1 to 10000) of
// v2, as container runtimes do.
func Weight(shares int64) int64 { return 1 + (shares-2)*9999/262142 }

func (cg *Cgroup) shimFiles() []string {
	out := make([]string, len(cg.Shim))
	for i, d := range cg.Shim {
		out[i] = filepath.Join(d, "cgroup.procs")
	}
	return out
}

func (cg *Cgroup) oomFile() string {
	switch {
	case cg.Memory == "":
		return ""
	case cg.Version == 1:
		return filepath.Join(cg.Memory, "memory.oom_control")
	}
	return filepath.Join(cg.Memory, "memory.events")
}

func (cg *Cgroup) oomKills() uint64 {
	b, err := os.ReadFile(cg.oomFile())
	if err != nil {
		return 0
	}
	return shim.OOMKills(string(b))
}

// pids lists the processes in the cgroup that is all the task's.
func (cg *Cgroup) pids() []int {
	if cg.Kill == "" {
		return nil
	}
	var all []int
	_ = filepath.WalkDir(cg.Kill, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			all = append(all, readPids(filepath.Join(path, "cgroup.procs"))...)
		}
		return nil
	})
	return all
}

func readPids(file string) []int {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var out []int
	for _, f := range bytes.Fields(b) {
		if n, err := strconv.Atoi(string(f)); err == nil && n > 0 {
			out = append(out, n)
		}
	}
	return out
}

// killAll kills every process in the cgroup and returns when they are gone.
func (cg *Cgroup) killAll(ctx context.Context) error {
	if cg.Kill == "" || !exists(cg.Kill) {
		return nil
	}
	for {
		pids := cg.pids()
		if len(pids) == 0 {
			return nil
		}
		waits := openPids(pids)
		switch {
		case cg.Version == 2 && writeFile(filepath.Join(cg.Kill, "cgroup.kill"), "1") == nil:
		case cg.Version == 1:
			// Frozen processes do not fork while we kill them.
			state := filepath.Join(cg.Kill, "freezer.state")
			_ = writeFile(state, "FROZEN")
			for _, pid := range cg.pids() {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
			_ = writeFile(state, "THAWED")
		default:
			for _, pid := range pids {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		err := waits.wait(ctx)
		waits.close()
		if err != nil {
			return fmt.Errorf("kill processes in %s: %w", cg.Kill, err)
		}
	}
}

// remove removes the cgroups that were made for the task.
func (cg *Cgroup) remove() error {
	var errs []error
	for _, dir := range slices.Backward(cg.Own) {
		if err := removeTree(dir); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeTree removes a cgroup with those that the task made in it.
func removeTree(dir string) error {
	err := os.Remove(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, readErr := os.ReadDir(dir)
	if readErr != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			_ = removeTree(filepath.Join(dir, e.Name()))
		}
	}
	if err = os.Remove(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func writeFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
