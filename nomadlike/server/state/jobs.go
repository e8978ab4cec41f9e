package state

import (
	"errors"
	"fmt"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// JobRegister makes a job, or a new version of it when its specification
// changed, together with the evaluation that puts it into effect.
type JobRegister struct {
	Job        *n.Job
	Submission *n.JobSubmission
	Eval       *n.Evaluation // nil for jobs that are launched by others
	// EnforceIndex makes the command fail unless the job's JobModifyIndex is
	// JobModifyIndex; 0 means that there must be no job.
	EnforceIndex   bool
	JobModifyIndex uint64
	Keep           int // versions to be remembered; 0: VersionsKept
	Now            int64
}

// JobRegistered is the outcome of a JobRegister.
type JobRegistered struct{ JobModifyIndex uint64 }

var RegisterJob = raftlog.Command(&log, 1, "JobRegister", func(tx *table.Tx, index uint64, c *JobRegister) (any, error) {
	b := newBatch(tx, index, c.Now)
	old := jobs.Get(tx, nil, jobKey(c.Job.Key()))
	if c.EnforceIndex {
		if err := enforce(old, c.JobModifyIndex); err != nil {
			return nil, err
		}
	}
	if old == nil {
		c.Job.Version = 0
	}
	if err := b.putJob(old, c.Job, c.Submission, c.Keep); err != nil {
		return nil, err
	}
	if c.Eval != nil {
		c.Eval.JobModifyIndex = c.Job.JobModifyIndex
		if err := b.putEval(c.Eval); err != nil {
			return nil, err
		}
	}
	return JobRegistered{c.Job.JobModifyIndex}, b.flush()
})

// ErrOtherIndex begins the error of a command whose EnforceIndex does not allow it.
var ErrOtherIndex = errors.New("Enforcing job modify index") //nolint:staticcheck // what existing tools look for

func enforce(old *n.Job, index uint64) error {
	switch {
	case index == 0 && old != nil:
		return errs.Newf(errs.Internal, "%w 0: job already exists", ErrOtherIndex)
	case index != 0 && old == nil:
		return errs.Newf(errs.Internal, "%w %d: job does not exist", ErrOtherIndex, index)
	case old != nil && old.JobModifyIndex != index:
		return errs.Newf(errs.Internal, "%w %d: job exists with conflicting job modify index: %d", ErrOtherIndex, index, old.JobModifyIndex)
	}
	return nil
}

// putJob stores a job as the same version when its specification is what it
// was, and as a new one otherwise, and forgets the oldest beyond keep. It fills in
// what is the server's in job. A new job begins with the version that it has.
func (b *batch) putJob(old, job *n.Job, sub *n.JobSubmission, keep int) error {
	job.ModifyIndex = b.index
	job.SubmitTime = b.now
	if old == nil {
		job.CreateIndex, job.JobModifyIndex = b.index, b.index
		job.Status = n.JobPending
	} else {
		job.CreateIndex, job.Status, job.StatusDescription = old.CreateIndex, old.Status, old.StatusDescription
		if SameSpec(old, job) {
			job.Version, job.JobModifyIndex, job.Stable, job.SubmitTime = old.Version, old.JobModifyIndex, old.Stable, old.SubmitTime
		} else {
			job.Version, job.JobModifyIndex, job.Stable = old.Version+1, b.index, false
		}
	}
	if err := jobs.Put(b.tx, job); err != nil {
		return err
	}
	if err := versions.Put(b.tx, job); err != nil {
		return err
	}
	if sub != nil {
		sub.Namespace, sub.JobID, sub.Version, sub.JobModifyIndex = job.Namespace, job.ID, job.Version, job.JobModifyIndex
		if err := submissions.Put(b.tx, sub); err != nil {
			return err
		}
	}
	if job.Stop {
		launches.Delete(b.tx, jobKey(job.Key()))
	}
	if err := b.syncPolicies(job); err != nil {
		return err
	}
	b.summarize(old, job)
	return b.prune(job.Key(), keep)
}

// SameSpec compares what users write.
func SameSpec(a, b *n.Job) bool {
	x, y := *a, *b
	for _, j := range []*n.Job{&x, &y} {
		j.Status, j.StatusDescription, j.Stable, j.Version = "", "", false, 0
		j.CreateIndex, j.ModifyIndex, j.JobModifyIndex, j.SubmitTime = 0, 0, 0, 0
	}
	return walk.Equal(x, y)
}

// summarize makes sure that the job's summary has all of its groups.
func (b *batch) summarize(old, job *n.Job) {
	j := b.job(job.Key())
	if j.summary == nil {
		j.summary = &n.JobSummary{JobID: job.ID, Namespace: job.Namespace, Summary: map[string]*n.GroupSummary{}, CreateIndex: b.index}
		if job.IsPeriodic() || job.IsParameterized() {
			j.summary.Children = &n.ChildrenSummary{}
		}
		j.touched = true
	}
	for i := range job.TaskGroups {
		if name := job.TaskGroups[i].Name; j.summary.Summary[name] == nil {
			j.group(name)
		}
	}
	if old == nil {
		b.countChild(job, "", job.Status)
	}
}

// JobDeregister stops a job, or with Purge forgets it and all that belongs to it.
type JobDeregister struct {
	Key             n.JobKey
	Purge           bool
	NoShutdownDelay bool
	Eval            *n.Evaluation
	Keep            int // versions to be remembered; 0: VersionsKept
	Now             int64
}

var DeregisterJob = raftlog.Command(&log, 2, "JobDeregister", func(tx *table.Tx, index uint64, c *JobDeregister) (any, error) {
	b := newBatch(tx, index, c.Now)
	old := jobs.Get(tx, nil, jobKey(c.Key))
	if old == nil {
		return JobRegistered{}, nil
	}
	if c.NoShutdownDelay {
		if err := b.skipShutdownDelays(c.Key); err != nil {
			return nil, err
		}
	}
	if c.Purge {
		return JobRegistered{index}, b.purge(c.Key, c.Eval)
	}
	job := walk.Clone(old)
	job.Stop, job.VersionTag = true, nil // the tag stays with the version that runs no more
	if err := b.putJob(old, job, b.source(c.Key, old.Version), c.Keep); err != nil {
		return nil, err
	}
	if c.Eval != nil {
		c.Eval.JobModifyIndex = job.JobModifyIndex
		if err := b.putEval(c.Eval); err != nil {
			return nil, err
		}
	}
	return JobRegistered{job.JobModifyIndex}, b.flush()
})

func (b *batch) skipShutdownDelays(k n.JobKey) error {
	for _, a := range slices.Collect(allocs.By(b.tx, nil, allocsByJob, jobKey(k))) {
		if a.Terminal() {
			continue
		}
		a = walk.Clone(a)
		a.DesiredTransition.Merge(n.DesiredTransition{NoShutdownDelay: ptr(true)})
		a.AllocModifyIndex = b.index
		if err := b.putAlloc(a); err != nil {
			return err
		}
	}
	return nil
}

// purge forgets a job with all that belongs to it, but for its evaluations,
// which end.
func (b *batch) purge(k n.JobKey, eval *n.Evaluation) error {
	key := jobKey(k)
	if job := jobs.Delete(b.tx, key); job != nil {
		b.countChild(job, job.Status, "")
	}
	launches.Delete(b.tx, key)
	b.dropPolicies(k, nil)
	b.dropScalings(k)
	for _, v := range slices.Collect(versions.Prefix(b.tx, nil, key)) {
		versions.Delete(b.tx, versionKey(k, v.Version))
		submissions.Delete(b.tx, versionKey(k, v.Version))
	}
	for _, v := range slices.Collect(retired.Prefix(b.tx, nil, key)) {
		retired.Delete(b.tx, versionKey(k, v.Version))
	}
	for _, a := range slices.Collect(allocs.By(b.tx, nil, allocsByJob, key)) {
		allocs.Delete(b.tx, table.K(a.ID))
	}
	for _, d := range slices.Collect(deployments.By(b.tx, nil, deploymentsByJob, key)) {
		deployments.Delete(b.tx, table.K(d.ID))
	}
	summaries.Delete(b.tx, key)
	activities.Delete(b.tx, key)
	b.jobs, b.order = map[n.JobKey]*jobBatch{}, nil
	for _, e := range slices.Collect(evals.By(b.tx, nil, evalsByJob, key)) {
		if e.Status.Terminal() {
			continue
		}
		e = walk.Clone(e)
		e.Status, e.StatusDescription = n.EvalComplete, fmt.Sprintf("job %s deleted", k.ID)
		e.ModifyIndex, e.ModifyTime = b.index, b.now
		if err := evals.Put(b.tx, e); err != nil {
			return err
		}
	}
	if eval != nil {
		eval.CreateIndex, eval.CreateTime, eval.ModifyIndex, eval.ModifyTime = b.index, b.now, b.index, b.now
		return evals.Put(b.tx, eval)
	}
	return nil
}
