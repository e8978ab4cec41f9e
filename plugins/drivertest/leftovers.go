package drivertest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// mustBeGone looks for what a destroyed task has left.
func (n *node) mustBeGone(t testing.TB, tc *drivers.TaskConfig) {
	t.Helper()
	if pids := processes(tc.ID); len(pids) > 0 {
		t.Errorf("processes are left: %v", pids)
	}
	if mounts := mountsBelow(tc.AllocDir); len(mounts) > 0 {
		t.Errorf("mounts are left: %v", mounts)
	}
	if dirs := cgroups(tc.AllocID); len(dirs) > 0 {
		t.Errorf("cgroups are left: %v", dirs)
	}
	attempt := tc.ID[strings.LastIndexByte(tc.ID, '/')+1:]
	_ = filepath.WalkDir(n.Agent.StateDir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.Contains(filepath.Base(path), attempt) {
			t.Errorf("state is left: %s", path)
		}
		return nil
	})
	if n.Leftovers != nil {
		if left := n.Leftovers(tc); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// processes lists those of a task and those that supervise it, by its id in
// their environment or command line. It finds none where there is no /proc.
func processes(id string) []int {
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		if contains(d+"/environ", marker+"="+id) || contains(d+"/cmdline", id) {
			if pid, err := strconv.Atoi(filepath.Base(d)); err == nil && pid != os.Getpid() {
				out = append(out, pid)
			}
		}
	}
	return out
}

func contains(file, text string) bool {
	b, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(b), text)
}

// mountsBelow lists mount points in a directory.
func mountsBelow(dir string) []string {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4]+"/", dir+"/") {
			out = append(out, f[4])
		}
	}
	return out
}

// cgroups lists those that are named after an allocation, in all hierarchies.
func cgroups(alloc string) []string {
	var out []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(d.Name(), alloc) {
			out = append(out, path)
		}
		return nil
	})
	return out
}
