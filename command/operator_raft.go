package command

import (
	"strconv"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func raftListPeers() *verb {
	return &verb{
		name: "operator raft list-peers", max: 0,
		synopsis: "List the servers that hold the log",
		help: `
Lists the servers that hold the replicated log, who leads them and who may vote.
Without a leader, -stale asks for what the agent's server knows.`,
		examples: []string{"# Who is left after an accident?", Name + " operator raft list-peers -stale"},
		bind: func(f *flags) action {
			stale := f.Bool("stale", false, "any server may answer, not the leader alone")
			return func(e *env, _ []string) error {
				req := &n.ListRequest{}
				req.AllowStale = *stale
				conf, err := read(e, api.RaftConfiguration, req)
				if err != nil {
					return e.trouble("Error getting peers", err)
				}
				t := text.NewTable("Node", "ID", "Address", "State", "Voter", "RaftProtocol")
				t.Plain = true
				for _, s := range conf.Servers {
					state := "follower"
					if s.Leader {
						state = "leader"
					}
					t.Row(s.Node, s.ID, s.Address, state, strconv.FormatBool(s.Voter), s.RaftProtocol)
				}
				e.print(t.String())
				return nil
			}
		},
	}
}
