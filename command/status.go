package command

import (
	"fmt"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func status() *verb {
	return &verb{
		name: "status", args: "[id]", min: 0, max: 1, kind: "all",
		synopsis: "Show how something is, by its ID or the beginning of it",
		help: `
Without an argument, lists the jobs. With the ID of a job, allocation, node,
evaluation or deployment, or the beginning of one, shows how it is.`,
		examples: []string{
			"# All jobs", Name + " status", "",
			"# Whatever begins with this", Name + " status 4f2a",
		},
		bind: func(f *flags) action {
			verbose := f.verbose()
			return func(e *env, args []string) error {
				if len(args) == 0 {
					return e.run(jobStatus(), *verbose)
				}
				kind, id, err := e.find(args[0])
				if err != nil {
					return err
				}
				return e.run(statusOf[kind](), *verbose, id)
			}
		},
	}
}

// statusOf are the verbs that show a thing, by search context.
var statusOf = map[string]func() *verb{
	"allocs": allocStatus, "deployment": deploymentStatus, "evals": evalStatus, "jobs": jobStatus, "nodes": nodeStatus,
}

// contextTitles are what the contexts of a search are called.
var contextTitles = map[string]string{
	"allocs": "Allocations", "deployment": "Deployments", "evals": "Evaluations", "jobs": "Jobs", "nodes": "Nodes",
}

// find returns what the only thing is that id may mean, and its whole ID.
func (e *env) find(id string) (kind, whole string, err error) {
	req := &n.SearchRequest{Prefix: id, Context: "all"}
	req.Namespace = e.namespace()
	found, err := call(e, api.Search, req)
	if err != nil {
		return "", "", e.trouble(fmt.Sprintf("Error querying search with id %q", id), err)
	}
	var exact, kinds []string
	count := 0
	for _, k := range sorted(statusOf) {
		ids := found.Matches[k]
		if slices.Contains(ids, id) {
			exact = append(exact, k)
		}
		if len(ids) > 0 {
			kinds = append(kinds, k)
		}
		count += len(ids)
	}
	switch {
	case len(exact) == 1:
		return exact[0], id, nil
	case count == 1:
		return kinds[0], found.Matches[kinds[0]][0], nil
	case count == 0:
		return "", "", failf("Unable to resolve ID: %q", id)
	}
	text := fmt.Sprintf("Multiple matches found for id %q", id)
	for _, k := range kinds {
		text += fmt.Sprintf("\n\n%s:\n%s", e.bold(contextTitles[k]), strings.Join(found.Matches[k], ", "))
	}
	return "", "", failf("%s", text)
}

// run acts as another verb does.
func (e *env) run(v *verb, verbose bool, args ...string) error {
	f := newFlags(v)
	act := v.bind(f)
	if verbose {
		if err := f.Set("verbose", "true"); err != nil {
			return err
		}
	}
	return act(e, args)
}
