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

// capabilityNames are the names of capabilities by their numbers.
var capabilityNames = []string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
}

// Capability returns the number of a capability, written in any case and with
// or without "CAP_".
func Capability(name string) (int, bool) {
	n := slices.Index(capabilityNames, CapabilityName(name))
	return n, n >= 0
}

// CapabilityName brings the name of a capability into its shortest form.
func CapabilityName(name string) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "cap_")
}

// LegacyCapabilities are those that root has always had: all up to audit_read.
const LegacyCapabilities = 38

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
