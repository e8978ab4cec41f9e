package command

import (
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobDeployments() *verb {
	return &verb{
		name: "job deployments", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "List the deployments of a job",
		help:     `Lists the deployments of a job; with -latest, shows how far the newest is.`,
		examples: []string{"# How far is the roll-out?", Name + " job deployments -latest example"},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			latest := f.Bool("latest", false, "only the newest, in full")
			all := f.Bool("all", false, "those of earlier jobs of the same ID as well")
			return func(e *env, args []string) error {
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				q := jobQuery(key)
				q.All = *all
				if *latest {
					d, err := read(e, api.JobDeployment, q)
					switch {
					case err != nil:
						return e.trouble("Error retrieving deployments", err)
					case out.asked():
						return out.print(e, d)
					case d == nil:
						e.print("No deployment found")
						return nil
					}
					e.print(e.deploymentBlock(d, *verbose))
					return nil
				}
				list, err := read(e, api.JobDeployments, q)
				switch {
				case err != nil:
					return e.trouble("Error retrieving deployments", err)
				case out.asked():
					return out.print(e, list)
				case len(list) == 0:
					e.print("No deployments found")
					return nil
				}
				e.print(deploymentTable(list, *verbose).String())
				return nil
			}
		},
	}
}
