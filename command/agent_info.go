package command

import (
	"fmt"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func agentInfo() *verb {
	return &verb{
		name: "agent-info", max: 0,
		synopsis: "Show what an agent says of itself",
		help:     `Shows figures of the agent that is asked, by its parts.`,
		examples: []string{"# The local agent", Name + " agent-info"},
		bind: func(f *flags) action {
			out := f.structured()
			return func(e *env, _ []string) error {
				self, err := read(e, api.AgentSelf, &n.ListRequest{})
				switch {
				case err != nil:
					return e.trouble("Error querying agent info", err)
				case out.asked():
					return out.print(e, self)
				}
				var b strings.Builder
				for _, part := range sorted(self.Stats) {
					fmt.Fprintln(&b, part)
					for _, key := range sorted(self.Stats[part]) {
						fmt.Fprintf(&b, "  %s = %s\n", key, self.Stats[part][key])
					}
				}
				e.print(strings.TrimSuffix(b.String(), "\n"))
				return nil
			}
		},
	}
}
