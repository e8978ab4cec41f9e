package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func deploymentList() *verb {
	return &verb{
		name: "deployment list", max: 0,
		synopsis: "List deployments",
		help:     `Lists the deployments of the namespace, each the way from one version of a job to the next.`,
		examples: []string{"# Those that go on", Name + ` deployment list -filter 'Status == "running"'`},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			filter := f.String("filter", "", "only those that an `expression` selects")
			return func(e *env, _ []string) error { return e.deployments(out, *filter, *verbose) }
		},
	}
}

func (e *env) deployments(out *structured, filter string, verbose bool) error {
	req := &n.ListRequest{}
	req.Filter = filter
	list, err := read(e, api.DeploymentList, req)
	switch {
	case err != nil:
		return e.trouble("Error retrieving deployments", err)
	case out.asked():
		return out.print(e, list)
	case len(list) == 0:
		e.print("No deployments found")
		return nil
	}
	e.print(deploymentTable(list, verbose).String())
	return nil
}
