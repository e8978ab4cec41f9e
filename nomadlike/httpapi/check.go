package httpapi

import (
	"net/url"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// check refuses requests that lack what only HTTP can lack: parameters that the
// types can not tell from their zero, and a body that is about another job than
// the path.
func check(req any, q url.Values) error {
	switch r := req.(type) {
	case *n.JobRegister:
		return checkJob(r.Job, r.JobID, "Job ID does not match name")
	case *n.JobPlan:
		return checkJob(r.Job, r.JobID, "Job ID does not match")
	case *n.JobValidate:
		return checkJob(r.Job, "", "")
	case *n.JobSubmissionQuery:
		if !q.Has("version") {
			return errs.New(errs.Invalid, "version parameter is required: which version's source is meant?")
		}
	case *n.JobDeregister:
		if q.Has("eval_priority") {
			return checkPriority(r.EvalPriority)
		}
	case *n.LogsRequest:
		return checkLogs(r)
	case *n.EvalListRequest:
		if r.Filter != "" && (r.Status != "" || r.JobID != "") {
			return errs.New(errs.Invalid, "Filter expression cannot be used with other filter parameters")
		}
	}
	return nil
}

func checkJob(job *n.Job, path n.JobID, differs string) error {
	switch {
	case job == nil:
		return errs.New(errs.Invalid, "Job must be specified")
	case job.ID == "":
		return errs.New(errs.Invalid, "Job ID hasn't been provided")
	case path != "" && path != job.ID:
		return errs.New(errs.Invalid, differs)
	}
	return nil
}

func checkPriority(p int) error {
	if p < n.JobMinPriority || p > n.JobMaxPriority {
		return errs.Newf(errs.Invalid, "eval priority must be between %d and %d, not %d", n.JobMinPriority, n.JobMaxPriority, p)
	}
	return nil
}

func checkLogs(r *n.LogsRequest) error {
	switch {
	case r.Task == "":
		return errs.New(errs.Invalid, "must provide task name")
	case r.Type != "stdout" && r.Type != "stderr":
		return errs.New(errs.Invalid, "must provide log type (stdout/stderr)")
	case r.Origin != "" && r.Origin != "start" && r.Origin != "end":
		return errs.New(errs.Invalid, "origin must be start or end")
	}
	return nil
}
