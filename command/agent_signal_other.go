//go:build !unix

package command

import "syscall"

// hangup is never sent on this operating system.
const hangup = syscall.SIGHUP

func (c *agentCommand) notify(string) {}

func reloading() string { return "" }
