package command

import (
	"fmt"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// even cuts a prefix of a UUID down to what the API can look up: an even number
// of hexadecimal digits.
func even(id string) string {
	if digits := len(strings.ReplaceAll(id, "-", "")); digits%2 == 1 {
		return strings.TrimSuffix(id[:len(id)-1], "-")
	}
	return id
}

func tooShort(what, id string) error {
	if len(id) < 2 {
		return failf("%s must contain at least two characters.", what)
	}
	return nil
}

// one returns the only match, or says how many there are instead.
func one[T any](matches []T, things, none string, table func([]T) string) (T, error) {
	var zero T
	switch len(matches) {
	case 0:
		return zero, failf("%s", none)
	case 1:
		return matches[0], nil
	}
	return zero, &ambiguous{fmt.Sprintf("Prefix matched multiple %s\n\n%s", things, table(matches))}
}

// ambiguous is the failure of a prefix with several matches.
type ambiguous struct{ text string }

func (a *ambiguous) Error() string { return a.text }
func (a *ambiguous) As(target any) bool {
	f, ok := target.(**failure)
	if ok {
		*f = &failure{1, a.text}
	}
	return ok
}

// alloc finds an allocation by its ID or a prefix.
func (e *env) alloc(id string) (*n.AllocDetail, error) {
	stub, err := e.allocStub(id)
	if err != nil {
		return nil, err
	}
	return e.allocByID(stub)
}

func (e *env) allocByID(stub *n.AllocStub) (*n.AllocDetail, error) {
	req := &n.AllocQuery{AllocID: stub.ID}
	req.Namespace = stub.Namespace
	a, err := read(e, api.AllocGet, req)
	if err != nil {
		return nil, e.trouble("Error querying allocation", err)
	}
	return a, nil
}

func (e *env) allocStub(id string) (*n.AllocStub, error) {
	if err := tooShort("Alloc ID", id); err != nil {
		return nil, err
	}
	req := &n.AllocListRequest{}
	req.Prefix = even(id)
	list, err := read(e, api.AllocList, req)
	if err != nil {
		return nil, e.trouble("Error querying allocation", err)
	}
	none := fmt.Sprintf("No allocation(s) with prefix or id %q found", id)
	return one(list, "allocations", none, func(l []*n.AllocStub) string { return e.allocTable(l, false).String() })
}

// node finds a node by its ID or a prefix.
func (e *env) node(id, none string) (*n.NodeStub, error) {
	if err := tooShort("Identifier", id); err != nil {
		return nil, err
	}
	req := &n.NodeListRequest{}
	req.Prefix = even(id)
	list, err := read(e, api.NodeList, req)
	if err != nil {
		return nil, e.trouble("Error querying node", err)
	}
	return one(list, "nodes", fmt.Sprintf(none, id), func(l []*n.NodeStub) string { return nodeMatches(l).String() })
}

// eval finds an evaluation by its ID or a prefix.
func (e *env) eval(id string) (*n.Evaluation, error) {
	if err := tooShort("Identifier", id); err != nil {
		return nil, err
	}
	req := &n.EvalListRequest{}
	req.Prefix = even(id)
	list, err := read(e, api.EvalList, req)
	if err != nil {
		return nil, e.trouble("Error querying evaluation", err)
	}
	none := fmt.Sprintf("No evaluation(s) with prefix or id %q found", id)
	return one(list, "evaluations", none, func(l []*n.Evaluation) string { return evalTable(l, false).String() })
}

// deployment finds a deployment by its ID or a prefix.
func (e *env) deployment(id string) (*n.Deployment, error) {
	if err := tooShort("Identifier", id); err != nil {
		return nil, err
	}
	req := &n.ListRequest{}
	req.Prefix = even(id)
	list, err := read(e, api.DeploymentList, req)
	if err != nil {
		return nil, e.trouble("Error retrieving deployment", err)
	}
	none := fmt.Sprintf("Deployment ID %q matched no deployments", id)
	return one(list, "deployments", none, func(l []*n.Deployment) string { return deploymentTable(l, false).String() })
}

// job finds a job by its ID or a prefix. Who may not list jobs must know it.
func (e *env) job(id string) (n.JobKey, error) {
	req := &n.JobListRequest{}
	req.Prefix, req.PerPage = id, 20
	list, err := read(e, api.JobList, req)
	switch {
	case errs.Is(err, errs.Permission):
		return n.JobKey{Namespace: e.namespace(), ID: n.JobID(id)}, nil
	case err != nil:
		return n.JobKey{}, e.trouble("Error querying job prefix "+fmt.Sprintf("%q", id), err)
	}
	return e.onlyJob(id, list, fmt.Sprintf("No job(s) with prefix or ID %q found", id))
}

// launcher finds a job that launches others, by its ID or a prefix. The filter
// keeps away what it has launched, which may be much.
func (e *env) launcher(id, kind, filter string) (n.JobKey, error) {
	req := &n.JobListRequest{}
	req.Prefix, req.Filter, req.PerPage = id, filter, 20
	list, err := read(e, api.JobList, req)
	switch {
	case errs.Is(err, errs.Permission):
		return n.JobKey{Namespace: e.namespace(), ID: n.JobID(id)}, nil
	case err != nil:
		return n.JobKey{}, e.trouble("Error querying job prefix "+fmt.Sprintf("%q", id), err)
	}
	return e.onlyJob(id, list, fmt.Sprintf("No %s job(s) with prefix or ID %q found", kind, id))
}

// onlyJob returns the job of the ID, or the only one of the list.
func (e *env) onlyJob(id string, list []*n.JobStub, none string) (n.JobKey, error) {
	if len(list) == 0 {
		return n.JobKey{}, failf("%s", none)
	}
	var exact []*n.JobStub
	for _, j := range list {
		if string(j.ID) == id {
			exact = append(exact, j)
		}
	}
	if len(exact) == 1 || len(list) == 1 {
		j := append(exact, list[0])[0]
		return n.JobKey{Namespace: j.Namespace, ID: j.ID}, nil
	}
	text := fmt.Sprintf("Prefix %q matched multiple jobs\n\n%s", id, jobTable(list, e.namespace() == n.AllNamespaces))
	if len(list) == 20 {
		text += "\n\n(results may be truncated)"
	}
	return n.JobKey{}, failf("%s", text)
}

// jobQuery asks about a job.
func jobQuery(key n.JobKey) *n.JobQuery {
	req := &n.JobQuery{JobID: key.ID}
	req.Namespace = key.Namespace
	return req
}

// matches completes IDs; without an agent there are none.
func (e *env) matches(prefix, kind string) []string {
	req := &n.SearchRequest{Prefix: prefix, Context: kind}
	found, err := call(e, api.Search, req)
	if err != nil {
		return nil
	}
	return found.Matches[kind]
}

func id[ID ~string](v ID, verbose bool) string {
	if verbose {
		return string(v)
	}
	return n.Short(v)
}
