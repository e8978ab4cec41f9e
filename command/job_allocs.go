package command

import (
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobAllocs() *verb {
	return &verb{
		name: "job allocs", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "List the allocations of a job",
		help:     `Lists the allocations of a job, the newest first.`,
		examples: []string{"# Their IDs, for a script", Name + ` job allocs -t '{{range .}}{{.ID}}{{"\n"}}{{end}}' example`},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			all := f.Bool("all", false, "those of earlier jobs of the same ID as well")
			return func(e *env, args []string) error {
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				q := jobQuery(key)
				q.All = *all
				list, err := read(e, api.JobAllocs, q)
				switch {
				case err != nil:
					return e.trouble("Error retrieving allocations", err)
				case out.asked():
					return out.print(e, list)
				case len(list) == 0:
					e.print("No allocations placed")
					return nil
				}
				sortAllocs(list)
				e.print(e.allocTable(list, *verbose).String())
				return nil
			}
		},
	}
}
