package server

import (
	"cmp"
	"context"
	"strings"

	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func (s *Server) jobScale(ctx context.Context, req *n.JobScale) (*n.JobRegistered, error) {
	if err := checkScale(req); err != nil {
		return nil, err
	}
	if s.store.Read().SchedulerConfig().RejectJobRegistration {
		return nil, errRegistrationOff
	}
	out, index, err := commitTo(ctx, s, state.ScaleJob, &state.JobScale{
		Key: n.JobKey{Namespace: req.Namespace, ID: req.JobID}, Group: req.Target["Group"], Count: req.Count,
		Message: req.Message, Error: req.Error, Meta: req.Meta, JobModifyIndex: req.JobModifyIndex,
		EvalID: n.EvalID(newID()), MaxCount: cmp.Or(s.Jobs.MaxCount, admission.DefaultMaxCount), Keep: s.Jobs.TrackedVersions, Now: now(),
	})
	if err != nil {
		return nil, err
	}
	scaled := out.(state.JobScaled)
	resp := &n.JobRegistered{EvalID: scaled.EvalID, JobModifyIndex: scaled.JobModifyIndex}
	resp.Index = index
	if scaled.EvalID != "" {
		resp.EvalCreateIndex = index
	}
	return resp, nil
}

// checkScale checks what can be without a look at the job.
func checkScale(req *n.JobScale) error {
	t := req.Target
	switch {
	case t["Group"] == "":
		return errs.New(errs.Invalid, "missing task group name for scaling action: set Target.Group")
	case t["Job"] != "" && t["Job"] != string(req.JobID):
		return errs.Newf(errs.Invalid, "Target.Job is %q, but the request is about job %q", t["Job"], req.JobID)
	case t["Namespace"] != "" && t["Namespace"] != req.Namespace:
		return errs.Newf(errs.Invalid, "Target.Namespace is %q, but the request is about namespace %q", t["Namespace"], req.Namespace)
	case req.Count != nil && req.Error:
		return errs.New(errs.Invalid, "scaling action should not contain count if error is true")
	case req.Count != nil && *req.Count < 0:
		return errs.Newf(errs.Invalid, "scaling action count can't be negative: %d", *req.Count)
	}
	return nil
}

func (s *Server) jobScaleStatus(ctx context.Context, req *n.JobQuery) (*n.Reply[*n.JobScaleStatus], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.JobScaleStatus, uint64, error) {
		job := v.WatchJob(ws, jobKey(req))
		if job == nil {
			return nil, state.JobsIndex(v, nil), errJobNotFound
		}
		status, index := scaleStatus(v, ws, job)
		return status, index, nil
	})
}

func scaleStatus(v *state.View, ws table.WatchSet, job *n.Job) (out *n.JobScaleStatus, index uint64) {
	events, index := v.ScalingEvents(ws, job.Key())
	index = max(index, job.ModifyIndex)
	out = &n.JobScaleStatus{
		JobID: job.ID, Namespace: job.Namespace, JobCreateIndex: job.CreateIndex, JobModifyIndex: job.JobModifyIndex, JobStopped: job.Stop,
		TaskGroups: map[string]*n.GroupScaleStatus{},
	}
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		out.TaskGroups[g.Name] = &n.GroupScaleStatus{Desired: g.Count, Events: events[g.Name]}
	}
	for a := range v.JobAllocs(ws, job.Key()) {
		index = max(index, a.ModifyIndex)
		g := out.TaskGroups[a.TaskGroup]
		if g == nil || a.Terminal() || a.IsCanary() {
			continue
		}
		g.Placed++
		if a.ClientStatus == n.ClientRunning {
			g.Running++
		}
		if healthy := a.Healthy(); healthy != nil && *healthy {
			g.Healthy++
		} else if healthy != nil {
			g.Unhealthy++
		}
	}
	return out, index
}

func (s *Server) scalingPolicyList(ctx context.Context, req *n.ScalingPolicyListRequest) (*n.Reply[[]*n.ScalingPolicyStub], error) {
	return list(ctx, s, &req.QueryOptions, state.PoliciesIndex, func(p *n.ScalingPolicy) string { return p.ID },
		func(v *state.View, ws table.WatchSet) source[*n.ScalingPolicy] {
			from := inNamespace(v.Policies(ws, req.Prefix), req.Namespace, func(p *n.ScalingPolicy) string { return p.Target["Namespace"] })
			return func(yield func(*n.ScalingPolicy) bool) {
				for p := range from {
					if (req.Job == "" || p.JobKey().ID == req.Job) && strings.HasPrefix(p.Type, req.Type) && !yield(p) {
						return
					}
				}
			}
		}, policyStub)
}

func policyStub(_ *state.View, p *n.ScalingPolicy) *n.ScalingPolicyStub {
	stub := &n.ScalingPolicyStub{}
	project(stub, p)
	return stub
}

func (s *Server) scalingPolicyGet(ctx context.Context, req *n.ScalingPolicyQuery) (*n.Reply[*n.ScalingPolicy], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.ScalingPolicy, uint64, error) {
		p := v.Policy(ws, req.PolicyID)
		if p == nil {
			return nil, state.PoliciesIndex(v, nil), errs.New(errs.NotFound, "policy not found")
		}
		return p, p.ModifyIndex, nil
	})
}
