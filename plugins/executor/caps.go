package executor

import (
	"slices"
	"strings"
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

// CapabilityCount is how many capabilities have names.
var CapabilityCount = len(capabilityNames)

// CapabilityText is the name of a capability.
func CapabilityText(n int) string { return capabilityNames[n] }
