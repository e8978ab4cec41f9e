package command

import (
	"errors"
	"slices"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobStatus() *verb {
	return &verb{
		name: "job status", args: "[job]", min: 0, max: 1, kind: "jobs",
		synopsis: "Show the jobs, or how one of them is",
		help: `
Without an argument, lists the jobs of the namespace. With the ID of a job, or the
beginning of one, shows how it is: its groups, its latest deployment, its
allocations, and in words why something has no place.`,
		examples: []string{
			"# All jobs", Name + " job status", "",
			"# One job", Name + " job status example", "",
			"# The IDs of a job's allocations, for a script", Name + ` job status -t '{{range .}}{{range .Allocations}}{{.ID}} {{end}}{{end}}' example`,
		},
		bind: func(f *flags) action {
			s := &jobStatusFlags{out: f.structured(), verbose: f.verbose()}
			f.BoolVar(&s.short, "short", false, "only the head of it")
			f.BoolVar(&s.evals, "evals", false, "the evaluations as well")
			f.BoolVar(&s.all, "all-allocs", false, "the allocations of earlier jobs of the same ID as well")
			return func(e *env, args []string) error {
				if len(args) == 0 {
					return s.list(e)
				}
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				if s.out.asked() {
					return s.structured(e, key)
				}
				return s.one(e, key)
			}
		},
	}
}

type jobStatusFlags struct {
	out               *structured
	verbose           *bool
	short, evals, all bool
}

func (s *jobStatusFlags) list(e *env) error {
	jobs, err := read(e, api.JobList, &n.JobListRequest{})
	if err != nil {
		return e.trouble("Error querying jobs", err)
	}
	if s.out.asked() {
		var keys []n.JobKey
		for _, j := range jobs {
			keys = append(keys, n.JobKey{Namespace: j.Namespace, ID: j.ID})
		}
		return s.structured(e, keys...)
	}
	if len(jobs) == 0 {
		e.print("No running jobs")
		return nil
	}
	slices.SortStableFunc(jobs, func(a, b *n.JobStub) int { return strings.Compare(string(a.ID), string(b.ID)) })
	e.print(jobTable(jobs, e.namespace() == n.AllNamespaces).String())
	return nil
}

// jobReport is a job's status for scripts.
type jobReport struct {
	Summary          *n.JobSummary
	Allocations      []*n.AllocStub
	LatestDeployment *n.Deployment
	Evaluations      []*n.Evaluation
}

func (s *jobStatusFlags) structured(e *env, keys ...n.JobKey) error {
	reports := []jobReport{}
	for _, key := range keys {
		d, err := s.fetch(e, key)
		if err != nil {
			return err
		}
		reports = append(reports, jobReport{d.summary, d.allocs, d.latest, d.evals})
	}
	return s.out.print(e, reports)
}

// jobDetails is all that belongs to a job.
type jobDetails struct {
	spec     *n.Job
	summary  *n.JobSummary
	allocs   []*n.AllocStub
	evals    []*n.Evaluation
	latest   *n.Deployment
	children []*n.JobStub
}

func (s *jobStatusFlags) fetch(e *env, key n.JobKey) (*jobDetails, error) {
	d, q := &jobDetails{}, jobQuery(key)
	q.All = s.all
	var err, problem error
	get := func(what string, fn func() error) {
		if err == nil {
			if problem = fn(); problem != nil {
				err = e.trouble("Error querying "+what, problem)
			}
		}
	}
	get("job", func() (err error) { d.spec, err = read(e, api.JobGet, jobQuery(key)); return })
	if s.short && !s.out.asked() {
		return d, err
	}
	get("job allocations", func() (err error) { d.allocs, err = read(e, api.JobAllocs, q); return })
	get("job evaluations", func() (err error) { d.evals, err = read(e, api.JobEvals, jobQuery(key)); return })
	get("latest job deployment", func() (err error) { d.latest, err = read(e, api.JobDeployment, jobQuery(key)); return })
	get("job summary", func() (err error) { d.summary, err = read(e, api.JobSummary, jobQuery(key)); return })
	if err == nil && (d.spec.IsPeriodic() || d.spec.IsParameterized()) {
		get("child jobs", func() (err error) { d.children, err = children(e, d.spec); return })
	}
	return d, err
}

// children are the jobs that a job has launched.
func children(e *env, job *n.Job) ([]*n.JobStub, error) {
	req := &n.JobListRequest{}
	req.Namespace, req.Prefix = job.Namespace, string(job.ID)
	list, err := read(e, api.JobList, req)
	return slices.DeleteFunc(list, func(j *n.JobStub) bool { return j.ParentID != job.ID }), err
}

func (s *jobStatusFlags) one(e *env, key n.JobKey) error {
	d, err := s.fetch(e, key)
	if err != nil {
		return err
	}
	if d.spec == nil {
		return errors.New("the agent answered with no job")
	}
	v := &jobView{env: e, jobDetails: d, verbose: *s.verbose}
	v.head()
	if s.short {
		return nil
	}
	switch {
	case d.spec.IsPeriodic():
		v.childSummary("Children Job Summary")
		v.launched("Previously Launched Jobs", "No instances of periodic job found")
	case d.spec.IsParameterized():
		p := d.spec.ParameterizedJob
		e.section("Parameterized Job", new(text.Pairs).Add("Payload", p.Payload).
			Add("Required Metadata", strings.Join(p.MetaRequired, ", ")).Add("Optional Metadata", strings.Join(p.MetaOptional, ", ")))
		v.childSummary("Parameterized Job Summary")
		v.launched("Dispatched Jobs", "No dispatched instances of parameterized job found")
	default:
		v.body(s.evals)
	}
	return nil
}
