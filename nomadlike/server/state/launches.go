package state

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/launch"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

var launches = table.New(&schema, "periodic_launches", func(v *PeriodicLaunch) table.Key { return table.K2(v.Namespace, v.JobID) })

// A PeriodicLaunch is when a periodic job was launched last, or would have been
// if its children had not overlapped.
type PeriodicLaunch struct {
	Namespace                string
	JobID                    n.JobID
	Launch                   int64 // Unix nanoseconds
	CreateIndex, ModifyIndex uint64
}

// LastLaunch returns when a periodic job was launched last; the zero time if it
// was not yet.
func (v *View) LastLaunch(k n.JobKey) time.Time {
	if l := launches.Get(v.tx, nil, jobKey(k)); l != nil {
		return time.Unix(0, l.Launch)
	}
	return time.Time{}
}

// JobLaunch launches a periodic job. The child is made of what the job is when
// the command is carried out.
type JobLaunch struct {
	Key    n.JobKey
	At     int64    // Unix nanoseconds of the time that is due
	EvalID n.EvalID // of the child's evaluation
	Force  bool     // although children overlap
	Now    int64
}

// JobLaunched is the outcome of a JobLaunch.
type JobLaunched struct {
	Child   n.JobID
	EvalID  n.EvalID // empty: nothing was launched
	Overlap bool     // because of a child that has not ended
}

var LaunchJob = raftlog.Command(&log, 6, "JobLaunch", func(tx *table.Tx, index uint64, c *JobLaunch) (any, error) {
	b := newBatch(tx, index, c.Now)
	parent := jobs.Get(tx, nil, jobKey(c.Key))
	if parent == nil || !launch.Tracked(parent) {
		return nil, errs.Newf(errs.Internal, "job %q is not launched by the clock: it must be periodic and enabled, neither stopped nor parameterized", c.Key.ID)
	}
	if err := b.launched(c.Key, c.At); err != nil {
		return nil, err
	}
	child := launch.Periodic(parent, time.Unix(0, c.At))
	out := JobLaunched{Child: child.ID}
	old := jobs.Get(tx, nil, jobKey(child.Key()))
	switch {
	case !c.Force && parent.Periodic.ProhibitOverlap && b.alive(parent):
		out.Overlap = true
		return out, nil
	case !c.Force && old != nil:
		return out, nil // this time has had its launch
	case old == nil:
		if err := b.putJob(nil, child, nil, 0); err != nil {
			return nil, err
		}
	}
	out.EvalID = c.EvalID
	if err := b.putEval(b.evalFor(child.Key(), c.EvalID, n.TriggerPeriodicJob)); err != nil {
		return nil, err
	}
	return out, b.flush()
})

// launched remembers a time that has passed.
func (b *batch) launched(k n.JobKey, at int64) error {
	l := PeriodicLaunch{Namespace: k.Namespace, JobID: k.ID, Launch: at, CreateIndex: b.index, ModifyIndex: b.index}
	if old := launches.Get(b.tx, nil, jobKey(k)); old != nil {
		if old.Launch >= at {
			return nil
		}
		l.CreateIndex = old.CreateIndex
	}
	return launches.Put(b.tx, &l)
}

// alive reports a job with children that have not ended.
func (b *batch) alive(parent *n.Job) bool {
	for child := range jobs.By(b.tx, nil, jobsByParent, jobKey(parent.Key())) {
		if child.Status != n.JobDead {
			return true
		}
	}
	return false
}

// JobDispatch makes a child of a parameterized job, unless there is one of the
// same token.
type JobDispatch struct {
	Key            n.JobKey
	JobModifyIndex uint64 // of the job that the dispatch was checked against
	Child          n.JobID
	Dispatch       launch.Dispatch
	EvalID         n.EvalID
	Now            int64
}

// JobDispatched is the outcome of a JobDispatch.
type JobDispatched struct {
	Child       n.JobID
	CreateIndex uint64
	EvalID      n.EvalID // empty: the child existed, or the clock launches it
}

var DispatchJob = raftlog.Command(&log, 7, "JobDispatch", func(tx *table.Tx, index uint64, c *JobDispatch) (any, error) {
	b := newBatch(tx, index, c.Now)
	parent := jobs.Get(tx, nil, jobKey(c.Key))
	if err := enforce(parent, c.JobModifyIndex); err != nil {
		return nil, err
	}
	if c.Dispatch.Token != "" {
		for old := range jobs.By(tx, nil, jobsByToken, table.K3(c.Key.Namespace, c.Key.ID, c.Dispatch.Token)) {
			return JobDispatched{Child: old.ID, CreateIndex: old.CreateIndex}, nil
		}
	}
	child := c.Dispatch.Child(parent, c.Child)
	if jobs.Get(tx, nil, jobKey(child.Key())) != nil {
		return nil, errs.Newf(errs.Internal, "job %q exists already: try again", child.ID)
	}
	if err := b.putJob(nil, child, nil, 0); err != nil {
		return nil, err
	}
	out := JobDispatched{Child: child.ID, CreateIndex: index}
	if !child.IsPeriodic() {
		out.EvalID = c.EvalID
		if err := b.putEval(b.evalFor(child.Key(), c.EvalID, n.TriggerJobRegister)); err != nil {
			return nil, err
		}
	}
	return out, b.flush()
})
