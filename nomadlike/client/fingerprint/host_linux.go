package fingerprint

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/plugins/executor"
)

func cgroups() (version int, mountpoint string) { return executor.CgroupVersion(), "/sys/fs/cgroup" }

// landlock asks the kernel for the version of its interface. A kernel without it
// has no attribute.
func landlock(_ context.Context, _ *Config, node *n.Node) error {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errno == 0:
		node.Attributes["kernel.landlock"] = "v" + strconv.Itoa(int(v))
	case errors.Is(errno, unix.ENOSYS), errors.Is(errno, unix.EOPNOTSUPP):
	default:
		return errno
	}
	return nil
}

// signals are those that a task can be sent by their names.
func signals(_ context.Context, _ *Config, node *n.Node) error {
	var names []string
	for s := syscall.Signal(1); s < 32; s++ {
		if name := unix.SignalName(s); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	node.Attributes["os.signals"] = strings.Join(names, ",")
	return nil
}
