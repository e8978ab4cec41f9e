package client

import (
	"os"

	"github.com/nomadlike/nomadlike/nomadlike/client/interp"
)

// environ is what tasks that share the host's environment see of the agent's.
func (c *Config) environ() map[string]string {
	deny := option(c.Options, "env.denylist", "env.blacklist")
	if deny == nil {
		deny = interp.DefaultDenylist
	}
	return interp.Inherited(os.Environ(), deny)
}
