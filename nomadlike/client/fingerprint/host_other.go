//go:build !linux

package fingerprint

import (
	"context"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func cgroups() (version int, mountpoint string) { return 0, "" }

func landlock(context.Context, *Config, *n.Node) error { return nil }

// signals are those that every system knows.
func signals(_ context.Context, _ *Config, node *n.Node) error {
	node.Attributes["os.signals"] = "SIGABRT,SIGALRM,SIGBUS,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGKILL,SIGPIPE,SIGQUIT,SIGSEGV,SIGTERM,SIGTRAP"
	return nil
}
