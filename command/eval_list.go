package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func evalList() *verb {
	return &verb{
		name: "eval list", max: 0,
		synopsis: "List evaluations",
		help: `
Lists the evaluations of the namespace, the reasons for which the servers looked at
jobs and what came of it.`,
		examples: []string{
			"# Those of a job", Name + " eval list -job example", "",
			"# What still waits for room", Name + " eval list -status blocked",
		},
		bind: func(f *flags) action {
			out, page, verbose := f.structured(), f.paging(), f.verbose()
			job := f.String("job", "", "only those of this `job`")
			status := f.String("status", "", "only those of this `status`: pending, blocked, complete, failed, canceled")
			return func(e *env, _ []string) error {
				req := &n.EvalListRequest{JobID: n.JobID(*job), Status: *status}
				page.ask(&req.QueryOptions)
				reply, err := call(e, api.EvalList, req)
				switch {
				case err != nil:
					return e.trouble("Error querying evaluations", err)
				case out.asked():
					return out.print(e, reply.Value)
				case len(reply.Value) == 0:
					e.print("No evals found")
					return nil
				}
				e.print(evalTable(reply.Value, *verbose).String())
				page.more(e, reply.NextToken)
				return nil
			}
		},
	}
}
