package docker

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// killProcess kills a process and its descendants if it is in the cgroup of a
// container. On another machine, or after the id was given to another process,
// it is not.
func killProcess(pid int, container string) {
	if !inContainer(pid, container) {
		return
	}
	// Stopped first, so that nothing new is started meanwhile.
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	for _, child := range children(pid) {
		killProcess(child, container)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func inContainer(pid int, container string) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	return err == nil && container != "" && strings.Contains(string(b), container)
}

func children(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []int
	for _, t := range threads {
		b, _ := os.ReadFile(dir + t.Name() + "/children")
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
