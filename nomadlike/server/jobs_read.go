package server

import (
	"context"
	"slices"
	"strconv"

	"github.com/nomadlike/nomadlike/jobspec/jobdiff"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func (s *Server) jobList(ctx context.Context, req *n.JobListRequest) (*n.Reply[[]*n.JobStub], error) {
	return list(ctx, s, &req.QueryOptions, state.JobsIndex, jobToken,
		func(v *state.View, ws table.WatchSet) source[*n.Job] { return v.Jobs(ws, req.Namespace, req.Prefix) },
		func(v *state.View, j *n.Job) *n.JobStub { return jobStub(v, j, req.Meta) })
}

func jobToken(j *n.Job) string { return j.Namespace + "." + string(j.ID) }

func jobStub(v *state.View, j *n.Job, meta bool) *n.JobStub {
	stub := &n.JobStub{Periodic: j.IsPeriodic(), ParameterizedJob: j.IsParameterized(), JobSummary: v.Summary(nil, j.Key())}
	project(stub, j)
	if !meta {
		stub.Meta = nil
	}
	return stub
}

var errJobNotFound = errs.New(errs.NotFound, "job not found")

func (s *Server) jobGet(ctx context.Context, req *n.JobQuery) (*n.Reply[*n.Job], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.Job, uint64, error) {
		j := v.WatchJob(ws, jobKey(req))
		if j == nil {
			return nil, state.JobsIndex(v, nil), errJobNotFound
		}
		shown, err := withPayload(j)
		return shown, j.ModifyIndex, err
	})
}

func (s *Server) jobSummary(ctx context.Context, req *n.JobQuery) (*n.Reply[*n.JobSummary], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.JobSummary, uint64, error) {
		sum := v.Summary(ws, jobKey(req))
		if sum == nil {
			return nil, state.JobsIndex(v, nil), errJobNotFound
		}
		return sum, sum.ModifyIndex, nil
	})
}

func (s *Server) jobAllocs(ctx context.Context, req *n.JobQuery) (*n.Reply[[]*n.AllocStub], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.AllocStub, uint64, error) {
		return allocStubs(v, v.JobAllocs(ws, jobKey(req))), state.AllocsIndex(v, nil), nil
	})
}

func (s *Server) jobEvals(ctx context.Context, req *n.JobQuery) (*n.Reply[[]*n.Evaluation], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.Evaluation, uint64, error) {
		return byAge(slices.Collect(v.JobEvals(ws, jobKey(req))), evalAge), state.EvalsIndex(v, nil), nil
	})
}

func (s *Server) jobDeployments(ctx context.Context, req *n.JobQuery) (*n.Reply[[]*n.Deployment], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.Deployment, uint64, error) {
		ds := slices.Collect(v.JobDeployments(ws, jobKey(req)))
		if job := v.Job(jobKey(req)); job != nil && !req.All {
			ds = slices.DeleteFunc(ds, func(d *n.Deployment) bool { return d.JobCreateIndex != job.CreateIndex })
		}
		return byAge(ds, deploymentAge), state.DeploymentsIndex(v, nil), nil
	})
}

func (s *Server) jobDeployment(ctx context.Context, req *n.JobQuery) (*n.Reply[*n.Deployment], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.Deployment, uint64, error) {
		for range v.JobDeployments(ws, jobKey(req)) { // to watch them
		}
		return v.LatestDeployment(jobKey(req)), state.DeploymentsIndex(v, nil), nil
	})
}

func (s *Server) jobSubmission(ctx context.Context, req *n.JobSubmissionQuery) (*n.Reply[*n.JobSubmission], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.JobSubmission, uint64, error) {
		sub := v.Submission(ws, n.JobKey{Namespace: req.Namespace, ID: req.JobID}, req.Version)
		if sub == nil {
			return nil, state.JobsIndex(v, nil), errs.New(errs.NotFound, "job source not found")
		}
		return sub, sub.JobModifyIndex, nil
	})
}

func (s *Server) jobVersions(ctx context.Context, req *n.JobVersionsRequest) (*n.JobVersions, error) {
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	versions, index, err := wait(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.Job, uint64, error) {
		all := slices.Collect(v.JobVersions(ws, key))
		slices.Reverse(all)
		var newest uint64
		for _, j := range all {
			newest = max(newest, j.ModifyIndex)
		}
		if len(all) == 0 {
			return nil, state.JobsIndex(v, nil), errs.New(errs.NotFound, "job versions not found")
		}
		return all, newest, nil
	})
	if err != nil {
		return nil, err
	}
	out := &n.JobVersions{Versions: versions, QueryMeta: n.QueryMeta{Index: index}}
	if !req.Diffs {
		return out, nil
	}
	base, err := diffBase(versions, req)
	if err != nil {
		return nil, err
	}
	for i, v := range versions {
		switch {
		case base != nil:
			out.Diffs = append(out.Diffs, jobdiff.Diff(base, v, false))
		case i+1 < len(versions):
			out.Diffs = append(out.Diffs, jobdiff.Diff(versions[i+1], v, false))
		}
	}
	return out, nil
}

// diffBase is the version that all others are compared with, or nil.
func diffBase(versions []*n.Job, req *n.JobVersionsRequest) (*n.Job, error) {
	if req.DiffVersion == "" && req.DiffTag == "" {
		return nil, nil
	}
	if _, err := strconv.ParseUint(req.DiffVersion, 10, 64); err != nil && req.DiffVersion != "" {
		return nil, errs.Newf(errs.Invalid, "diff_version is %q and must be the number of a version", req.DiffVersion)
	}
	for _, v := range versions {
		if req.DiffTag != "" && v.VersionTag != nil && v.VersionTag.Name == req.DiffTag {
			return v, nil
		}
		if req.DiffVersion != "" && strconv.FormatUint(v.Version, 10) == req.DiffVersion {
			return v, nil
		}
	}
	return nil, errs.Newf(errs.NotFound, "job %q has no version %q to compare with", req.JobID, req.DiffVersion+req.DiffTag)
}

func jobKey(req *n.JobQuery) n.JobKey { return n.JobKey{Namespace: req.Namespace, ID: req.JobID} }
