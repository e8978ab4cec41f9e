// Nomadlike is a workload orchestrator: one binary that is the agent of every
// machine and the command line of its users.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// A task's process shim is this binary, started again: it works and exits in
	// the initialisation of this package, before the packages below cost it memory.
	_ "github.com/nomadlike/nomadlike/plugins/executor/shim"

	"github.com/nomadlike/nomadlike/command"
)

func main() { os.Exit(run()) }

// run ends commands when the user interrupts them. The agent looks after signals
// itself.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return command.Run(ctx, os.Args[1:], command.System())
}
