package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func systemGC() *verb {
	return &verb{
		name: "system gc", max: 0,
		synopsis: "Forget what has ended, now",
		help: `
Lets the servers forget jobs, evaluations, allocations, deployments and nodes that
are over, without waiting for their time. Prints nothing.`,
		examples: []string{"# Tidy up", Name + " system gc"},
		bind: func(*flags) action {
			return func(e *env, _ []string) error {
				if _, err := call(e, api.SystemGC, &n.WriteOptions{}); err != nil {
					return e.trouble("Error running system garbage-collection", err)
				}
				return nil
			}
		},
	}
}
