package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func serverJoin() *verb {
	return &verb{
		name: "server join", args: "<address>...", min: 1, max: -1,
		synopsis: "Let a server join others",
		help: `
Lets the server that is asked join the cluster of others. One address that answers
is enough: the rest becomes known from there. The port is that of gossip, 4648
unless written.`,
		examples: []string{"# Join the cluster of this server", Name + " server join 10.0.0.11"},
		bind: func(*flags) action {
			return func(e *env, args []string) error {
				resp, err := call(e, api.AgentJoin, &n.AgentJoin{Addresses: args})
				switch {
				case err != nil:
					return e.trouble("Error joining", err)
				case resp.Joined == 0 && resp.Error != "":
					return failf("Error joining: %s", resp.Error)
				}
				for _, w := range []string{resp.Error, resp.Warning} {
					if w != "" {
						e.warnf("Some addresses did not answer: %s", w)
					}
				}
				e.printf("Joined %d servers successfully", resp.Joined)
				return nil
			}
		},
	}
}

func serverForceLeave() *verb {
	return &verb{
		name: "server force-leave", args: "<name>", min: 1, max: 1,
		synopsis: "Count a failed server as gone",
		help: `
Takes a server that has failed as one that has left, so that the others do not wait
for it. Its name is that of 'server members'. Prints nothing when it was done.`,
		examples: []string{"# It will not come back", Name + " server force-leave server-3.global"},
		bind: func(f *flags) action {
			prune := f.Bool("prune", false, "forget it as well")
			return func(e *env, args []string) error {
				if _, err := call(e, api.AgentForceLeave, &n.AgentForceLeave{Node: args[0], Prune: *prune}); err != nil {
					return e.trouble("Error force-leaving server "+args[0], err)
				}
				return nil
			}
		},
	}
}
