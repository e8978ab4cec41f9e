package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobStart() *verb {
	return &verb{
		name: "job start", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Start a stopped job again",
		help:     `Runs a job again that was stopped and is still remembered, as it was.`,
		examples: []string{"# Start it and watch", Name + " job start example"},
		bind: func(f *flags) action {
			detach := f.Bool("detach", false, "return at once with the evaluation's ID, instead of following it")
			verbose := f.verbose()
			return func(e *env, args []string) error {
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				job, err := read(e, api.JobGet, jobQuery(key))
				switch {
				case err != nil:
					return e.trouble("Error querying job", err)
				case !job.Stop:
					return failf("Job %q has not been stopped", key.ID)
				}
				req := &n.JobRegister{Job: job, EnforceIndex: true, JobModifyIndex: job.JobModifyIndex, Submission: e.submissionOf(job)}
				job.Stop = false
				req.Namespace = key.Namespace
				resp, err := call(e, api.JobRegister, req)
				if err != nil {
					return e.trouble("Error starting job", err)
				}
				e.warnings(resp.Warnings)
				if *detach || resp.EvalID == "" {
					return e.submitted("Job start successful", job, resp.EvalID)
				}
				return e.monitor(resp.EvalID, *verbose)
			}
		},
	}
}

// submissionOf is what a version of a job came from; nil if that is not kept.
func (e *env) submissionOf(job *n.Job) *n.JobSubmission {
	req := &n.JobSubmissionQuery{JobID: job.ID, Version: job.Version}
	req.Namespace = job.Namespace
	sub, err := read(e, api.JobSubmission, req)
	if err != nil {
		return nil
	}
	return sub
}
