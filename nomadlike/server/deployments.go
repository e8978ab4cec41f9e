package server

import (
	"context"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/rollout"
	"github.com/nomadlike/nomadlike/nomadlike/server/rollouts"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func (s *Server) deploymentList(ctx context.Context, req *n.ListRequest) (*n.Reply[[]*n.Deployment], error) {
	if err := checkPrefix(req.Prefix); err != nil {
		return nil, err
	}
	return list(ctx, s, &req.QueryOptions, state.DeploymentsIndex, func(d *n.Deployment) string { return ageToken(req.Prefix, d.CreateIndex, string(d.ID)) },
		func(v *state.View, ws table.WatchSet) source[*n.Deployment] {
			from := inNamespace(v.Deployments(ws, req.Prefix), req.Namespace, func(d *n.Deployment) string { return d.Namespace })
			return inOrder(from, req.Prefix, deploymentAge)
		}, all)
}

var errDeploymentNotFound = errs.New(errs.NotFound, "deployment not found")

func (s *Server) deploymentGet(ctx context.Context, req *n.DeploymentQuery) (*n.Reply[*n.Deployment], error) {
	if err := checkID("deployment", string(req.DeploymentID)); err != nil {
		return nil, err
	}
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.Deployment, uint64, error) {
		d := v.Deployment(ws, req.DeploymentID)
		if d == nil {
			return nil, state.DeploymentsIndex(v, nil), errDeploymentNotFound
		}
		return d, d.ModifyIndex, nil
	})
}

func (s *Server) deploymentAllocs(ctx context.Context, req *n.DeploymentQuery) (*n.Reply[[]*n.AllocStub], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.AllocStub, uint64, error) {
		return allocStubs(v, v.DeploymentAllocs(ws, req.DeploymentID)), state.AllocsIndex(v, nil), nil
	})
}

// active returns a deployment that may be changed, with what is known of it.
func (s *Server) active(id n.DeploymentID, verb string) (rollout.Input, error) {
	view := s.store.Read()
	d := view.Deployment(nil, id)
	if d == nil {
		return rollout.Input{}, errDeploymentNotFound
	}
	if !d.Status.Active() {
		return rollout.Input{}, errs.Newf(errs.Internal, "can't %s terminal deployment", verb)
	}
	job := view.Job(d.JobKey())
	if job == nil {
		return rollout.Input{}, errJobNotFound
	}
	return rollouts.Gather(view, d, job, s.leader.rollouts.Deps), nil
}

func changed(id n.EvalID, index uint64) *n.DeploymentChanged {
	return &n.DeploymentChanged{EvalID: id, EvalCreateIndex: index, DeploymentModifyIndex: index, WriteMeta: n.WriteMeta{Index: index}}
}

func (s *Server) deploymentFail(ctx context.Context, req *n.DeploymentChange) (*n.DeploymentChanged, error) {
	in, err := s.active(req.DeploymentID, "fail")
	if err != nil {
		return nil, err
	}
	revert := false
	for _, g := range in.Deployment.TaskGroups {
		revert = revert || g.AutoRevert
	}
	dec := rollout.Fail(in, n.DescDeploymentFailedByUser, revert)
	eval := rollouts.Eval(in.Deployment, in.Job)
	_, index, err := commitTo(ctx, s, state.ChangeDeployment, &state.DeploymentChange{
		Update: *dec.Update, Eval: eval, Job: rollouts.Rollback(dec.Rollback), Keep: s.Jobs.TrackedVersions, Now: now(),
	})
	if err != nil {
		return nil, err
	}
	out := changed(eval.ID, index)
	if dec.Rollback != nil {
		out.RevertedJobVersion = &dec.Rollback.Version
	}
	return out, nil
}

func (s *Server) deploymentPause(ctx context.Context, req *n.DeploymentChange) (*n.DeploymentChanged, error) {
	verb := "resume"
	if req.Pause {
		verb = "pause"
	}
	in, err := s.active(req.DeploymentID, verb)
	if err != nil {
		return nil, err
	}
	c := &state.DeploymentChange{Now: now()}
	c.Update = n.DeploymentStatusUpdate{DeploymentID: req.DeploymentID, Status: n.DeploymentPaused, StatusDescription: n.DescDeploymentPaused}
	out := changed("", 0)
	if !req.Pause {
		c.Update.Status, c.Update.StatusDescription = n.DeploymentRunning, n.DescDeploymentRunning
		c.Eval = rollouts.Eval(in.Deployment, in.Job)
		out.EvalID = c.Eval.ID
	}
	_, index, err := commitTo(ctx, s, state.ChangeDeployment, c)
	if err != nil {
		return nil, err
	}
	return changed(out.EvalID, index), nil
}

func (s *Server) deploymentPromote(ctx context.Context, req *n.DeploymentChange) (*n.DeploymentChanged, error) {
	in, err := s.active(req.DeploymentID, "promote")
	if err != nil {
		return nil, err
	}
	for _, name := range req.Groups {
		if in.Deployment.TaskGroups[name] == nil {
			return nil, errs.Newf(errs.NotFound, "deployment %s has no group %q", n.Short(req.DeploymentID), name)
		}
	}
	if !req.All && len(req.Groups) == 0 {
		return nil, errs.New(errs.Invalid, "name the groups to promote, or set All")
	}
	eval := rollouts.Eval(in.Deployment, in.Job)
	_, index, err := commitTo(ctx, s, state.PromoteDeployment, &state.DeploymentPromote{
		DeploymentID: req.DeploymentID, Groups: req.Groups, Eval: eval, Now: now(),
	})
	if err != nil {
		return nil, err
	}
	return changed(eval.ID, index), nil
}

func (s *Server) deploymentHealth(ctx context.Context, req *n.DeploymentHealth) (*n.DeploymentChanged, error) {
	in, err := s.active(req.DeploymentID, "set health of")
	if err != nil {
		return nil, err
	}
	if len(req.HealthyAllocationIDs)+len(req.UnhealthyAllocationIDs) == 0 {
		return nil, errs.New(errs.Invalid, "must specify at least one healthy/unhealthy allocation ID")
	}
	c := &state.DeploymentHealth{DeploymentID: req.DeploymentID, Healthy: req.HealthyAllocationIDs, Unhealthy: req.UnhealthyAllocationIDs, Now: now()}
	c.Eval = rollouts.Eval(in.Deployment, in.Job)
	out := changed(c.Eval.ID, 0)
	if len(req.UnhealthyAllocationIDs) > 0 {
		dec := rollout.Fail(in, n.DescDeploymentFailedAllocs, revertsFor(in, req.UnhealthyAllocationIDs))
		c.Update, c.Job, c.Keep = dec.Update, rollouts.Rollback(dec.Rollback), s.Jobs.TrackedVersions
		if dec.Rollback != nil {
			out.RevertedJobVersion = &dec.Rollback.Version
		}
	}
	_, index, err := commitTo(ctx, s, state.SetDeploymentHealth, c)
	if err != nil {
		return nil, err
	}
	out.EvalCreateIndex, out.DeploymentModifyIndex, out.Index = index, index, index
	return out, nil
}

// revertsFor reports whether the group of one of the allocations wants the old
// version back.
func revertsFor(in rollout.Input, ids []n.AllocID) bool {
	return slices.ContainsFunc(in.Allocs, func(a *n.Allocation) bool {
		g := in.Deployment.TaskGroups[a.TaskGroup]
		return g != nil && g.AutoRevert && slices.Contains(ids, a.ID)
	})
}
