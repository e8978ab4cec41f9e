package state

import (
	"iter"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

var (
	policiesByJob = table.By("job", func(p *n.ScalingPolicy) table.Key { return jobKey(p.JobKey()) })

	policies = table.New(&schema, "scaling_policies", func(p *n.ScalingPolicy) table.Key { return table.K(p.ID) }, policiesByJob)
	scalings = table.New(&schema, "scaling_events", func(v *groupScalings) table.Key { return table.K3(v.Namespace, v.JobID, v.Group) })
)

// groupScalings are the events of a group, newest first.
type groupScalings struct {
	Namespace string
	JobID     n.JobID
	Group     string
	Events    []*n.ScalingEvent
}

// PoliciesIndex is when a scaling policy last changed.
var PoliciesIndex TableIndex = func(v *View, ws table.WatchSet) uint64 { return max(policies.LastIndex(v.tx, ws), 1) }

// Policies ranges over all scaling policies by id.
func (v *View) Policies(ws table.WatchSet, prefix string) iter.Seq[*n.ScalingPolicy] {
	return policies.Prefix(v.tx, ws, table.K(prefix).Open())
}

// Policy returns a scaling policy, or nil.
func (v *View) Policy(ws table.WatchSet, id string) *n.ScalingPolicy {
	return policies.Get(v.tx, ws, table.K(id))
}

// ScalingEvents returns what was said of the counts of a job's groups, newest
// first, and the index of the last of it.
func (v *View) ScalingEvents(ws table.WatchSet, k n.JobKey) (events map[string][]*n.ScalingEvent, index uint64) {
	events = map[string][]*n.ScalingEvent{}
	for g := range scalings.Prefix(v.tx, ws, jobKey(k)) {
		events[g.Group] = g.Events
		index = max(index, g.Events[0].CreateIndex)
	}
	return events, index
}

// syncPolicies makes the policies of a job those of its groups.
func (b *batch) syncPolicies(job *n.Job) error {
	keep := map[string]bool{}
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		if g.Scaling == nil || g.Scaling.ID == "" {
			continue
		}
		p := walk.Clone(g.Scaling)
		p.Enabled = p.Enabled && !job.Stop
		p.CreateIndex, p.ModifyIndex = b.index, b.index
		keep[p.ID] = true
		if old := policies.Get(b.tx, nil, table.K(p.ID)); old != nil {
			p.CreateIndex, p.ModifyIndex = old.CreateIndex, old.ModifyIndex
			if walk.Equal(old, p) {
				continue
			}
			p.ModifyIndex = b.index
		}
		if err := policies.Put(b.tx, p); err != nil {
			return err
		}
	}
	b.dropPolicies(job.Key(), keep)
	return nil
}

// dropPolicies forgets the policies of a job but for some.
func (b *batch) dropPolicies(k n.JobKey, keep map[string]bool) {
	for _, p := range slices.Collect(policies.By(b.tx, nil, policiesByJob, jobKey(k))) {
		if !keep[p.ID] {
			policies.Delete(b.tx, table.K(p.ID))
		}
	}
}

// dropScalings forgets what was said of the groups of a job.
func (b *batch) dropScalings(k n.JobKey) {
	for _, g := range slices.Collect(scalings.Prefix(b.tx, nil, jobKey(k))) {
		scalings.Delete(b.tx, table.K3(k.Namespace, k.ID, g.Group))
	}
}

// JobScale changes the count of a group, or only remembers an event.
type JobScale struct {
	Key            n.JobKey
	Group          string
	Count          *int64
	Message        string
	Error          bool
	Meta           n.Raw
	JobModifyIndex uint64   // refuse unless it is the job's; 0: do not care
	EvalID         n.EvalID // of the evaluation, if there is to be one
	MaxCount       int      // of all groups together; negative: no limit
	Keep           int      // versions to be remembered; 0: VersionsKept
	Now            int64
}

// JobScaled is the outcome of a JobScale.
type JobScaled struct {
	EvalID         n.EvalID // empty: there is none
	JobModifyIndex uint64
}

var ScaleJob = raftlog.Command(&log, 8, "JobScale", func(tx *table.Tx, index uint64, c *JobScale) (any, error) {
	b := newBatch(tx, index, c.Now)
	old := jobs.Get(tx, nil, jobKey(c.Key))
	if old == nil {
		return nil, errs.Newf(errs.NotFound, "job %q not found", c.Key.ID)
	}
	if c.JobModifyIndex != 0 {
		if err := enforce(old, c.JobModifyIndex); err != nil {
			return nil, err
		}
	}
	g := old.Group(c.Group)
	if g == nil {
		return nil, errs.Newf(errs.Invalid, "task group %q specified for scaling does not exist in job", c.Group)
	}
	event := &n.ScalingEvent{
		Time: c.Now, Count: c.Count, PreviousCount: int64(g.Count), Message: c.Message, Error: c.Error, Meta: c.Meta, CreateIndex: index,
	}
	out := JobScaled{JobModifyIndex: old.JobModifyIndex}
	if c.Count != nil {
		if err := b.scalable(old, g, c); err != nil {
			return nil, err
		}
		job := walk.Clone(old)
		job.Group(c.Group).Count, job.VersionTag = int(*c.Count), nil // the tag stays with the version that it names
		if err := b.putJob(old, job, b.source(c.Key, old.Version), c.Keep); err != nil {
			return nil, err
		}
		out.JobModifyIndex = job.JobModifyIndex
		if !job.IsPeriodic() && !job.IsParameterized() {
			out.EvalID, event.EvalID = c.EvalID, &c.EvalID
			if err := b.putEval(b.evalFor(c.Key, c.EvalID, n.TriggerJobScaling)); err != nil {
				return nil, err
			}
		}
	}
	if err := b.putScaling(c.Key, c.Group, event); err != nil {
		return nil, err
	}
	return out, b.flush()
})

// scalable says why the count of a group can not be what a command wants.
func (b *batch) scalable(job *n.Job, g *n.Group, c *JobScale) error {
	count := *c.Count
	total := count - int64(g.Count)
	for i := range job.TaskGroups {
		total += int64(job.TaskGroups[i].Count)
	}
	switch p := g.Scaling; {
	case b.activeDeployment(job):
		return errs.New(errs.Invalid, "job scaling blocked due to active deployment")
	case p != nil && p.Min != nil && count < *p.Min:
		return errs.Newf(errs.Invalid, "group count was less than scaling policy minimum: %d < %d", count, *p.Min)
	case p != nil && p.Max != nil && count > *p.Max:
		return errs.Newf(errs.Invalid, "group count was greater than scaling policy maximum: %d > %d", count, *p.Max)
	case job.Type == n.JobTypeSystem && count > 1:
		return errs.Newf(errs.Invalid, "job is of type system and runs once on each node: its count is 0 or 1, not %d", count)
	case c.MaxCount >= 0 && max(count, total) > int64(c.MaxCount): // a total that is too large for an int64 is negative
		return errs.Newf(errs.Invalid, "the counts of all groups would add up to %d, more than the %d that job_max_count allows", total, c.MaxCount)
	}
	return nil
}

// putScaling remembers an event, and forgets the oldest of too many.
func (b *batch) putScaling(k n.JobKey, group string, e *n.ScalingEvent) error {
	g := &groupScalings{Namespace: k.Namespace, JobID: k.ID, Group: group, Events: []*n.ScalingEvent{e}}
	if old := scalings.Get(b.tx, nil, table.K3(k.Namespace, k.ID, group)); old != nil {
		g.Events = append(g.Events, old.Events[:min(len(old.Events), n.ScalingEventsKept-1)]...)
	}
	return scalings.Put(b.tx, g)
}
