//go:build unix

package command

import (
	"net"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// hangup asks an agent to read its configuration again.
const hangup = syscall.SIGHUP

// notify tells systemd how the agent is, if that started it.
func (c *agentCommand) notify(state string) {
	path := c.io.Env("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return // nobody to tell
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state)) // likewise
}

// reloading is the state of an agent that reads its configuration again.
func reloading() string {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // the clock exists
	return "RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(t.Nano()/1000, 10)
}
