package agent

import (
	"context"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// Leave tells the other servers that this one goes for good; the agent goes on
// until Run's context ends. Clients have nobody to tell: their nodes are down when
// their heartbeats end.
func (a *Agent) Leave(ctx context.Context) error {
	if a.server == nil {
		return nil
	}
	return a.server.Leave(ctx)
}

// Reload takes over what of a new configuration can be changed while the agent
// runs: certificates are read again from the files that were named at the start.
func (a *Agent) Reload(*config.Config) error { return a.tls.reload() }
