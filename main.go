// Nomadlike is a workload orchestrator: one binary that is the agent of every
// machine and the command line of its users.
package main

import (
	"context"
	"os"
	"strings"

	// A task's process shim is this binary, started again: it works and exits in
	// the initialisation of this package, before the packages below cost it memory.
	_ "github.com/nomadlike/nomadlike/plugins/executor/shim"

	"github.com/nomadlike/nomadlike/command"
)

// version is the tag that a release is built from; the linker sets it.
var version string

func main() {
	if tag, ok := strings.CutPrefix(version, "v"); ok {
		command.Version = tag
	}
	os.Exit(command.Run(context.Background(), os.Args[1:], command.System()))
}
