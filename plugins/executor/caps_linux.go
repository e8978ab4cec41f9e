package executor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// lastCapability is the highest number that the kernel knows.
var lastCapability = sync.OnceValue(func() int {
	b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return unix.CAP_LAST_CAP
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return unix.CAP_LAST_CAP
	}
	return min(n, 63)
})

// permitted are the capabilities that this process may hand on.
var permitted = sync.OnceValues(func() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "CapPrm:"); ok {
			return strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
		}
	}
	return 0, fmt.Errorf("no capabilities in /proc/self/status")
})

// Available leaves those capabilities that the agent has itself and can give.
func Available(set []int) []int {
	mask, err := permitted()
	if err != nil {
		return set
	}
	out := make([]int, 0, len(set))
	for _, n := range set {
		if mask&(1<<n) != 0 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
