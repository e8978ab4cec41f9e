package command

import (
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobPromote() *verb {
	return &verb{
		name: "job promote", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Promote the canaries of a job",
		help: `
Takes the canaries of a job's newest deployment as good: what is left of the older
version is replaced.`,
		examples: []string{"# The new version is good", Name + " job promote example"},
		bind: func(f *flags) action {
			c := f.deploymentChange(deploymentChange{call: api.DeploymentPromote, doing: "Error promoting deployment"})
			groups := f.list("group", "only canaries of this `group`; may be repeated")
			return func(e *env, args []string) error {
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				d, err := read(e, api.JobDeployment, jobQuery(key))
				switch {
				case err != nil:
					return e.trouble("Error retrieving the job's deployment", err)
				case d == nil:
					return failf("Job %q has no deployment to promote", key.ID)
				}
				return c.run(e, d, promotion(*groups))
			}
		},
	}
}
