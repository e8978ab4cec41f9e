package state

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// A batch carries out what a command does to jobs, evaluations and allocations,
// and at its end brings up to date what is derived from them, once for each job
// and deployment, however many allocations were touched.
type batch struct {
	tx    *table.Tx
	index uint64
	now   int64 // Unix nanoseconds, by the leader's clock

	jobs        map[n.JobKey]*jobBatch
	order       []n.JobKey // of first use, so that all servers write alike
	deployments map[n.DeploymentID]*n.Deployment
	deployOrder []n.DeploymentID
}

type jobBatch struct {
	activity *activity
	summary  *n.JobSummary
	touched  bool // summary
	placed   bool // an allocation that runs
	deleted  bool // evaluations were
}

func newBatch(tx *table.Tx, index uint64, now int64) *batch {
	return &batch{tx: tx, index: index, now: now, jobs: map[n.JobKey]*jobBatch{}, deployments: map[n.DeploymentID]*n.Deployment{}}
}

// job returns what the batch gathers for a job.
func (b *batch) job(k n.JobKey) *jobBatch {
	if j := b.jobs[k]; j != nil {
		return j
	}
	j := &jobBatch{activity: &activity{Namespace: k.Namespace, JobID: k.ID}}
	if a := activities.Get(b.tx, nil, jobKey(k)); a != nil {
		*j.activity = *a
	}
	if s := summaries.Get(b.tx, nil, jobKey(k)); s != nil {
		j.summary = walk.Clone(s)
	}
	b.jobs[k] = j
	b.order = append(b.order, k)
	return j
}

// group returns a group's counters, or nil when the job is gone.
func (j *jobBatch) group(name string) *n.GroupSummary {
	if j.summary == nil {
		return nil
	}
	j.touched = true
	g := j.summary.Summary[name]
	if g == nil {
		g = &n.GroupSummary{}
		j.summary.Summary[name] = g
	}
	return g
}

// deployment returns a copy of a deployment to be changed, or nil.
func (b *batch) deployment(id n.DeploymentID) *n.Deployment {
	if d := b.deployments[id]; d != nil {
		return d
	}
	d := deployments.Get(b.tx, nil, table.K(id))
	if d == nil {
		return nil
	}
	return b.putDeployment(walk.Clone(d))
}

// putDeployment takes a deployment that is to be stored.
func (b *batch) putDeployment(d *n.Deployment) *n.Deployment {
	if b.deployments[d.ID] == nil {
		b.deployOrder = append(b.deployOrder, d.ID)
	}
	b.deployments[d.ID] = d
	return d
}

// flush stores what was gathered.
func (b *batch) flush() error {
	for _, id := range b.deployOrder {
		d := b.deployments[id]
		d.ModifyIndex = b.index
		d.ModifyTime = b.now
		if err := deployments.Put(b.tx, d); err != nil {
			return err
		}
		b.job(d.JobKey())
	}
	for _, k := range b.order {
		if err := b.flushJob(k, b.jobs[k]); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) flushJob(k n.JobKey, j *jobBatch) error {
	if j.summary != nil && j.touched {
		j.summary.ModifyIndex = b.index
		if err := summaries.Put(b.tx, j.summary); err != nil {
			return err
		}
	}
	if old := activities.Get(b.tx, nil, jobKey(k)); old == nil || *old != *j.activity {
		if err := activities.Put(b.tx, j.activity); err != nil {
			return err
		}
	}
	return b.deriveStatus(k, j)
}

// deriveStatus sets a job's status from what exists of it; see the scheduling
// reference, 1.1.
func (b *batch) deriveStatus(k n.JobKey, j *jobBatch) error {
	job := jobs.Get(b.tx, nil, jobKey(k))
	if job == nil {
		if j.activity.LiveAllocs == 0 && j.activity.LiveEvals == 0 {
			activities.Delete(b.tx, jobKey(k))
		}
		return nil
	}
	status := b.statusOf(job, j)
	if status == job.Status {
		return nil
	}
	job = walk.Clone(job)
	b.countChild(job, job.Status, status)
	job.Status = status
	job.ModifyIndex = b.index
	if err := versions.Put(b.tx, job); err != nil {
		return err
	}
	return jobs.Put(b.tx, job)
}

func (b *batch) statusOf(job *n.Job, j *jobBatch) n.JobStatus {
	a := j.activity
	switch {
	case job.Type == n.JobTypeSystem || job.IsPeriodic() || job.IsParameterized():
		if job.Stop {
			return n.JobDead
		}
		return n.JobRunning
	case b.activeDeployment(job), a.LiveAllocs > 0, j.placed:
		return n.JobRunning
	case a.LiveEvals > 0:
		return n.JobPending
	case a.HadEvals, j.deleted, job.Stop:
		return n.JobDead
	}
	return n.JobPending
}

func (b *batch) activeDeployment(job *n.Job) bool {
	for d := range deployments.By(b.tx, nil, deploymentsByJob, jobKey(job.Key())) {
		if d.Status.Active() && d.JobCreateIndex == job.CreateIndex {
			return true
		}
	}
	return false
}

// countChild moves a child of a periodic or parameterized job in its parent's
// summary; an empty status stands for a child that is not there.
func (b *batch) countChild(job *n.Job, from, to n.JobStatus) {
	if job.ParentID == "" {
		return
	}
	parent := summaries.Get(b.tx, nil, table.K2(job.Namespace, job.ParentID))
	if parent == nil {
		return
	}
	parent = walk.Clone(parent)
	if parent.Children == nil {
		parent.Children = &n.ChildrenSummary{}
	}
	counter := func(s n.JobStatus) *int {
		switch s {
		case n.JobPending:
			return &parent.Children.Pending
		case n.JobRunning:
			return &parent.Children.Running
		}
		return &parent.Children.Dead
	}
	if from != "" {
		*counter(from) = max(*counter(from)-1, 0)
	}
	if to != "" {
		*counter(to)++
	}
	parent.ModifyIndex = b.index
	must(summaries.Put(b.tx, parent))
}

// putEval stores an evaluation.
func (b *batch) putEval(e *n.Evaluation) error {
	old := evals.Get(b.tx, nil, table.K(e.ID))
	e.ModifyIndex, e.ModifyTime = b.index, b.now
	j := b.job(e.JobKey())
	j.activity.HadEvals = true
	if old == nil {
		e.CreateIndex, e.CreateTime = b.index, b.now
	} else {
		e.CreateIndex, e.CreateTime = old.CreateIndex, old.CreateTime
		j.activity.LiveEvals -= one(!old.Status.Terminal())
	}
	j.activity.LiveEvals += one(!e.Status.Terminal())
	for _, name := range sortedKeys(e.QueuedAllocations) {
		if g := j.group(name); g != nil {
			g.Queued = e.QueuedAllocations[name]
		}
	}
	return evals.Put(b.tx, e)
}

// putAlloc stores an allocation whose fields are final but for the indexes.
func (b *batch) putAlloc(a *n.Allocation) error {
	old := allocs.Get(b.tx, nil, table.K(a.ID))
	a.ModifyIndex, a.ModifyTime = b.index, b.now
	j := b.job(a.JobKey())
	g := j.group(a.TaskGroup)
	live := 0
	if old == nil {
		a.CreateIndex = b.index
		if a.CreateTime == 0 {
			a.CreateTime = b.now
		}
	} else {
		a.CreateIndex, a.CreateTime = old.CreateIndex, old.CreateTime
		live = one(!old.Terminal())
	}
	j.activity.LiveAllocs += one(!a.Terminal()) - live
	j.placed = j.placed || old == nil && !a.Terminal()
	if g != nil {
		count(g, old, a)
	}
	b.countDeployment(old, a)
	return allocs.Put(b.tx, a)
}

// count moves an allocation between a group's counters. Complete and Failed
// only grow.
func count(g *n.GroupSummary, old, a *n.Allocation) {
	switch {
	case old == nil:
		if a.ClientStatus == n.ClientPending {
			g.Queued = max(g.Queued-1, 0)
		}
	case old.ClientStatus == a.ClientStatus:
		return
	case old.ClientStatus != n.ClientComplete && old.ClientStatus != n.ClientFailed:
		c := g.Counter(old.ClientStatus)
		*c = max(*c-1, 0)
	}
	*g.Counter(a.ClientStatus)++
}

// countDeployment keeps the counters of an allocation's deployment; see the
// scheduling reference, 1.4.
func (b *batch) countDeployment(old, a *n.Allocation) {
	if a.DeploymentID == "" {
		return
	}
	was := (*bool)(nil)
	joined := old == nil || old.DeploymentID != a.DeploymentID
	if !joined {
		was = old.Healthy()
	}
	is := a.Healthy()
	if !joined && sameBool(was, is) {
		return
	}
	d := b.deployment(a.DeploymentID)
	if d == nil || d.TaskGroups[a.TaskGroup] == nil {
		return
	}
	g := d.TaskGroups[a.TaskGroup]
	if joined {
		g.PlacedAllocs++
		if a.IsCanary() {
			g.PlacedCanaries = append(g.PlacedCanaries, a.ID)
		}
		if g.RequireProgressBy == nil && g.ProgressDeadline > 0 {
			g.RequireProgressBy = ptr(time.Unix(0, a.ModifyTime).UTC().Add(g.ProgressDeadline))
		}
	}
	g.HealthyAllocs += one(isTrue(is)) - one(isTrue(was))
	g.UnhealthyAllocs += one(isFalse(is)) - one(isFalse(was))
	if isTrue(is) && !isTrue(was) && g.ProgressDeadline > 0 {
		by := time.Unix(0, b.now)
		if t := a.DeploymentStatus.Timestamp; t != nil {
			by = *t
		}
		by = by.UTC().Add(g.ProgressDeadline)
		if g.RequireProgressBy == nil || by.After(*g.RequireProgressBy) {
			g.RequireProgressBy = &by
		}
	}
}

// idsFrom derives ids from a seed that the leader drew, so that every server
// makes the same.
func idsFrom(seed uint64) func() string {
	r := rand.New(rand.NewPCG(seed, 0x6e6f6d61646c696b))
	return func() string {
		var id uuid.UUID
		binary.BigEndian.PutUint64(id[:8], r.Uint64())
		binary.BigEndian.PutUint64(id[8:], r.Uint64())
		id[6] = id[6]&0x0f | 0x40 // version 4
		id[8] = id[8]&0x3f | 0x80
		return id.String()
	}
}
