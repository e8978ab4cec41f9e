package command

import (
	"fmt"
	"strings"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// banner shows the configuration that an agent works by, in short.
func banner(c *config.Config) string {
	server := c.Server.Enabled
	advertise, bind := "", ""
	if a, err := c.Announce(); err == nil {
		advertise = addresses(server, a.HTTP, a.RPC, a.Serf)
	}
	if e, err := c.Listen(); err == nil {
		bind = addresses(server, "["+strings.Join(e.HTTP, " ")+"]", e.RPC, e.Serf)
	}
	var b strings.Builder
	for _, l := range [][2]string{
		{"Advertise Addrs", advertise}, {"Bind Addrs", bind}, {"Client", fmt.Sprint(c.Client.Enabled)}, {"Log Level", c.LogLevel},
		{"Region", fmt.Sprintf("%s (DC: %s)", c.Region, c.Datacenter)}, {"Server", fmt.Sprint(server)}, {"Version", built().version},
	} {
		fmt.Fprintf(&b, "    %18s: %s\n", l[0], l[1])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func addresses(server bool, http, rpc, serf string) string {
	if !server {
		return "HTTP: " + http
	}
	return fmt.Sprintf("HTTP: %s; RPC: %s; Serf: %s", http, rpc, serf)
}
