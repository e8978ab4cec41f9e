package command

import (
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobScale() *verb {
	return &verb{
		name: "job scale", args: "<job> [group] <count>", min: 2, max: 3, kind: "jobs",
		synopsis: "Change the count of a group",
		help: `
Changes how many allocations a group of a job has. The group may be left out of a
job with one group. A scaling block of the group bounds the count, and while a
deployment of the job goes on it stays as it is.

The command then follows what happens, as 'job run' does.`,
		examples: []string{
			"# Of a job with one group", Name + " job scale example 5", "",
			"# Of a group", Name + " job scale example cache 5",
		},
		bind: func(f *flags) action {
			s := &scaleFlags{}
			f.Uint64Var(&s.checkIndex, "check-index", 0, "scale only if the job's modify `index` on the servers is this")
			f.BoolVar(&s.detach, "detach", false, "return at once with the evaluation's ID, instead of following it")
			s.verbose = f.verbose()
			return s.run
		},
	}
}

type scaleFlags struct {
	checkIndex uint64
	detach     bool
	verbose    *bool
}

func (s *scaleFlags) run(e *env, args []string) error {
	count, err := strconv.ParseInt(args[len(args)-1], 10, 64)
	if err != nil {
		return failf("Failed to convert count string to int: %q is no number", args[len(args)-1])
	}
	key, err := e.job(args[0])
	if err != nil {
		return err
	}
	job, err := read(e, api.JobGet, jobQuery(key))
	if err != nil {
		return e.trouble("Error querying job", err)
	}
	group, err := scaled(job, args[1:len(args)-1])
	if err != nil {
		return err
	}
	req := &n.JobScale{
		JobID: key.ID, Target: map[string]string{"Job": string(key.ID), "Group": group}, Count: &count,
		Message: "submitted using the Nomad CLI", JobModifyIndex: s.checkIndex,
	}
	req.Namespace = key.Namespace
	resp, err := call(e, api.JobScale, req)
	if err != nil {
		return e.trouble("Error submitting scaling request", err)
	}
	e.warnings(resp.Warnings)
	if s.detach || resp.EvalID == "" {
		return e.submitted("Job scale successful", job, resp.EvalID)
	}
	return e.monitor(resp.EvalID, *s.verbose)
}

// scaled is the group that is meant, by its name or as the only one.
func scaled(job *n.Job, named []string) (string, error) {
	var names []string
	for i := range job.TaskGroups {
		names = append(names, job.TaskGroups[i].Name)
	}
	switch {
	case len(named) == 0 && len(names) == 1:
		return names[0], nil
	case len(named) == 0:
		return "", failf("Group name required: the job has %s", strings.Join(names, ", "))
	case job.Group(named[0]) == nil:
		return "", failf("Group %s not found within job: it has %s", named[0], strings.Join(names, ", "))
	}
	return named[0], nil
}
