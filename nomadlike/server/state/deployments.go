package state

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// mergeDeployment stores a deployment that a plan made or refreshed. What is
// counted here stays as it is.
func (b *batch) mergeDeployment(d *n.Deployment) {
	old := deployments.Get(b.tx, nil, table.K(d.ID))
	if old == nil {
		d.CreateIndex, d.CreateTime = b.index, b.now
		b.putDeployment(d)
		return
	}
	d.CreateIndex, d.CreateTime = old.CreateIndex, old.CreateTime
	for name, g := range d.TaskGroups {
		if was := old.TaskGroups[name]; was != nil {
			g.HealthyAllocs, g.UnhealthyAllocs, g.PlacedAllocs = was.HealthyAllocs, was.UnhealthyAllocs, was.PlacedAllocs
			g.RequireProgressBy, g.PlacedCanaries = was.RequireProgressBy, was.PlacedCanaries
		}
	}
	b.putDeployment(d)
}

// updateDeployment changes a deployment's status. A successful deployment makes
// its job's version stable.
func (b *batch) updateDeployment(u n.DeploymentStatusUpdate) error {
	d := b.deployment(u.DeploymentID)
	if d == nil {
		return errs.New(errs.NotFound, "deployment not found")
	}
	d.Status, d.StatusDescription = u.Status, u.StatusDescription
	if u.Status == n.DeploymentPaused || u.Status == n.DeploymentRunning {
		b.resetDeadlines(d)
	}
	if u.Status != n.DeploymentSuccessful {
		return nil
	}
	if v := versions.Get(b.tx, nil, versionKey(d.JobKey(), d.JobVersion)); v == nil || v.CreateIndex != d.JobCreateIndex {
		return nil
	}
	return b.setStable(d.JobKey(), d.JobVersion, true)
}

func (b *batch) resetDeadlines(d *n.Deployment) {
	for _, g := range d.TaskGroups {
		if g.ProgressDeadline > 0 {
			g.RequireProgressBy = ptr(time.Unix(0, b.now).UTC().Add(g.ProgressDeadline))
		}
	}
}

// DeploymentChange changes a deployment's status, with the evaluation that puts
// it into effect, and a job to go back to if there is one.
type DeploymentChange struct {
	Update n.DeploymentStatusUpdate
	Eval   *n.Evaluation
	Job    *n.Job // its Version is the one that it is a copy of
	Keep   int    // versions of the job to be remembered; 0: VersionsKept
	Now    int64
}

var ChangeDeployment = raftlog.Command(&log, 40, "DeploymentChange", func(tx *table.Tx, index uint64, c *DeploymentChange) (any, error) {
	b := newBatch(tx, index, c.Now)
	d := deployments.Get(tx, nil, table.K(c.Update.DeploymentID))
	if d == nil {
		return nil, errs.New(errs.NotFound, "deployment not found")
	}
	if !d.Status.Active() {
		return nil, errs.Newf(errs.Internal, "deployment %s is %s already", n.Short(d.ID), d.Status)
	}
	if err := b.updateDeployment(c.Update); err != nil {
		return nil, err
	}
	if c.Job != nil {
		if err := b.rollBack(c.Job, c.Keep); err != nil {
			return nil, err
		}
	}
	if c.Eval != nil {
		if err := b.putEval(c.Eval); err != nil {
			return nil, err
		}
	}
	return nil, b.flush()
})

// rollBack makes a copy of an old version the job.
func (b *batch) rollBack(job *n.Job, keep int) error {
	k := job.Key()
	return b.putJob(jobs.Get(b.tx, nil, jobKey(k)), job, b.source(k, job.Version), keep)
}

// DeploymentPromote lets the new version take the place of the old, in Groups
// or, with none named, in all.
type DeploymentPromote struct {
	DeploymentID n.DeploymentID
	Groups       []string
	Eval         *n.Evaluation
	Now          int64
}

var PromoteDeployment = raftlog.Command(&log, 41, "DeploymentPromote", func(tx *table.Tx, index uint64, c *DeploymentPromote) (any, error) {
	b := newBatch(tx, index, c.Now)
	d := b.deployment(c.DeploymentID)
	switch {
	case d == nil:
		return nil, errs.New(errs.NotFound, "deployment not found")
	case !d.Status.Active():
		return nil, errs.New(errs.Internal, "can't promote terminal deployment")
	}
	healthy := map[string][]*n.Allocation{}
	for a := range allocs.By(tx, nil, allocsByDeploy, table.K(d.ID)) {
		if a.IsCanary() && isTrue(a.Healthy()) && !a.Terminal() {
			healthy[a.TaskGroup] = append(healthy[a.TaskGroup], a)
		}
	}
	for _, name := range sortedKeys(d.TaskGroups) {
		g := d.TaskGroups[name]
		if g.DesiredCanaries == 0 || len(c.Groups) > 0 && !slices.Contains(c.Groups, name) {
			continue
		}
		if have := len(healthy[name]); have < g.DesiredCanaries {
			return nil, errs.Newf(errs.Internal, "Task group %q has %d/%d healthy allocations", name, have, g.DesiredCanaries)
		}
		g.Promoted = true
		for _, a := range healthy[name] {
			if err := b.promoteCanary(a); err != nil {
				return nil, err
			}
		}
	}
	if !d.RequiresPromotion() {
		d.StatusDescription = n.DescDeploymentRunning
	}
	b.resetDeadlines(d)
	if err := b.putEval(c.Eval); err != nil {
		return nil, err
	}
	return nil, b.flush()
})

func (b *batch) promoteCanary(old *n.Allocation) error {
	a := walk.Clone(old)
	a.DeploymentStatus.Canary = false
	a.DeploymentStatus.ModifyIndex = b.index
	a.AllocModifyIndex = b.index
	return b.putAlloc(a)
}

// DeploymentHealth sets the health of allocations by hand, and fails the
// deployment when some are not.
type DeploymentHealth struct {
	DeploymentID n.DeploymentID
	Healthy      []n.AllocID
	Unhealthy    []n.AllocID
	Update       *n.DeploymentStatusUpdate
	Eval         *n.Evaluation
	Job          *n.Job // its Version is the one that it is a copy of
	Keep         int    // versions of the job to be remembered; 0: VersionsKept
	Now          int64
}

var SetDeploymentHealth = raftlog.Command(&log, 42, "DeploymentHealth", func(tx *table.Tx, index uint64, c *DeploymentHealth) (any, error) {
	b := newBatch(tx, index, c.Now)
	set := func(ids []n.AllocID, healthy bool) error {
		for _, id := range ids {
			old := allocs.Get(tx, nil, table.K(id))
			if old == nil || old.DeploymentID != c.DeploymentID {
				return errs.Newf(errs.NotFound, "deployment %s has no allocation %s", n.Short(c.DeploymentID), id)
			}
			a := *old
			status := n.AllocDeployment{}
			if old.DeploymentStatus != nil {
				status = *old.DeploymentStatus
			}
			status.Healthy, status.Timestamp, status.ModifyIndex = ptr(healthy), ptr(time.Unix(0, c.Now).UTC()), index
			a.DeploymentStatus, a.AllocModifyIndex = &status, index
			if err := b.putAlloc(&a); err != nil {
				return err
			}
		}
		return nil
	}
	if err := set(c.Healthy, true); err != nil {
		return nil, err
	}
	if err := set(c.Unhealthy, false); err != nil {
		return nil, err
	}
	if c.Update != nil {
		if err := b.updateDeployment(*c.Update); err != nil {
			return nil, err
		}
	}
	if c.Job != nil {
		if err := b.rollBack(c.Job, c.Keep); err != nil {
			return nil, err
		}
	}
	if c.Eval != nil {
		if err := b.putEval(c.Eval); err != nil {
			return nil, err
		}
	}
	return nil, b.flush()
})
