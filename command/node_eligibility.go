package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func nodeEligibility() *verb {
	return &verb{
		name: "node eligibility", args: "[node]", min: 0, max: 1, kind: "nodes",
		synopsis: "Let a node take new allocations, or not",
		help: `
Says whether new allocations may be placed on a node. Those that it has stay.`,
		examples: []string{
			"# Place nothing more on it", Name + " node eligibility -disable 4f2a91c0", "",
			"# This agent's own node takes work again", Name + " node eligibility -enable -self",
		},
		bind: func(f *flags) action {
			enable := f.Bool("enable", false, "it takes new allocations")
			disable := f.Bool("disable", false, "it takes none")
			self := f.Bool("self", false, "the node of the agent that is asked")
			return func(e *env, args []string) error {
				if *enable == *disable {
					return failf("Either the '-enable' or '-disable' flag must be set")
				}
				id, err := e.nodeArg(args, *self, "No node(s) with prefix or id %q found")
				if err != nil {
					return err
				}
				req := &n.NodeEligibility{NodeID: id, Eligibility: n.NodeEligible}
				if *disable {
					req.Eligibility = n.NodeIneligible
				}
				if _, err := call(e, api.NodeEligibility, req); err != nil {
					return e.trouble("Error updating scheduling eligibility", err)
				}
				e.printf("Node %q scheduling eligibility set: %s for scheduling", id, req.Eligibility)
				return nil
			}
		},
	}
}
