package state

import (
	"fmt"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// PlanApply carries out what the planner accepted of a plan, and with it the
// evaluations that the scheduler wants stored when all of it was accepted.
type PlanApply struct {
	EvalID            n.EvalID
	Stops             []StoppedAlloc
	Places            []*n.Allocation // new, or with their id changed in place
	Alike             []Alike         // new
	Deployment        *n.Deployment
	DeploymentUpdates []n.DeploymentStatusUpdate
	Evals             []*n.Evaluation
	Now               int64
}

// StoppedAlloc is what a plan changes of an allocation that is to end.
type StoppedAlloc struct {
	ID                    n.AllocID
	DesiredStatus         n.DesiredStatus
	DesiredDescription    string
	ClientStatus          n.ClientStatus       `json:",omitempty"` // lost or unknown
	FollowupEvalID        n.EvalID             `json:",omitempty"`
	PreemptedByAllocation n.AllocID            `json:",omitempty"`
	RescheduleTracker     *n.RescheduleTracker `json:",omitempty"`
}

var ApplyPlan = raftlog.Command(&log, 20, "PlanApply", func(tx *table.Tx, index uint64, c *PlanApply) (any, error) {
	b := newBatch(tx, index, c.Now)
	if c.Deployment != nil {
		b.mergeDeployment(c.Deployment)
	}
	for _, u := range c.DeploymentUpdates {
		if err := b.updateDeployment(u); err != nil {
			return nil, err
		}
	}
	for i := range c.Stops {
		if err := b.stopAlloc(&c.Stops[i]); err != nil {
			return nil, err
		}
	}
	if err := b.placeAllocs(c.Places); err != nil {
		return nil, err
	}
	for i := range c.Alike {
		b.share(&c.Alike[i])
		list, err := c.Alike[i].allocations()
		if err != nil {
			return nil, err
		}
		if err := b.placeAllocs(list); err != nil {
			return nil, err
		}
	}
	if err := b.putEvals(c.Evals); err != nil {
		return nil, err
	}
	return nil, b.flush()
})

func (b *batch) stopAlloc(s *StoppedAlloc) error {
	old := allocs.Get(b.tx, nil, table.K(s.ID))
	if old == nil {
		return nil // purged or collected since
	}
	a := *old // the fields set below are replaced, not changed
	a.DesiredStatus, a.DesiredDescription = s.DesiredStatus, s.DesiredDescription
	a.AllocModifyIndex = b.index
	if s.ClientStatus != "" {
		b.serverSets(&a, s.ClientStatus)
	}
	if s.FollowupEvalID != "" {
		a.FollowupEvalID = s.FollowupEvalID
	}
	if s.PreemptedByAllocation != "" {
		a.PreemptedByAllocation = s.PreemptedByAllocation
	}
	if s.RescheduleTracker != nil {
		a.RescheduleTracker = s.RescheduleTracker
	}
	return b.putAlloc(&a)
}

// serverSets records a client status that a server set.
func (b *batch) serverSets(a *n.Allocation, s n.ClientStatus) {
	if a.ClientStatus != s {
		a.ClientStatus = s
		a.Became(s, time.Unix(0, b.now))
	}
}

func (b *batch) placeAllocs(list []*n.Allocation) error {
	for _, a := range list {
		if err := b.placeAlloc(a); err != nil {
			return err
		}
	}
	return nil
}

// placeAlloc stores a new allocation, or what a plan changed of an old one. What
// the client says of it stays, unless the plan knows better: then its AllocStates
// have one more, with the time from which its time-outs are counted.
func (b *batch) placeAlloc(a *n.Allocation) error {
	a.AllocModifyIndex = b.index
	old := allocs.Get(b.tx, nil, table.K(a.ID))
	if old == nil {
		job := jobs.Get(b.tx, nil, jobKey(a.JobKey()))
		if job.Stopped() {
			return nil // it would be stopped at once
		}
		if err := b.link(a); err != nil {
			return err
		}
		return b.putAlloc(a)
	}
	servers := a.ClientStatus == n.ClientLost || a.ClientStatus == n.ClientUnknown
	if !servers || len(a.AllocStates) <= len(old.AllocStates) {
		a.ClientStatus = old.ClientStatus
	}
	a.ClientDescription, a.TaskStates, a.NetworkStatus = old.ClientDescription, old.TaskStates, old.NetworkStatus
	a.NextAllocation = old.NextAllocation // of which the plan may be the reason
	if a.DeploymentID == old.DeploymentID {
		a.DeploymentStatus = old.DeploymentStatus
	}
	return b.putAlloc(a)
}

// link tells the predecessor of its successor, and the preempted of theirs.
func (b *batch) link(a *n.Allocation) error {
	if a.PreviousAllocation == "" {
		return nil
	}
	prev := allocs.Get(b.tx, nil, table.K(a.PreviousAllocation))
	if prev == nil {
		return nil
	}
	p := *prev
	p.NextAllocation = a.ID
	return b.putAlloc(&p)
}

// AllocUpdate carries what the client of a node observed, and those of others that
// came at the same time.
type AllocUpdate struct {
	NodeID  n.NodeID
	Updates []n.AllocUpdate
	Others  []NodeObserved
	Now     int64
	Seed    uint64 // of the ids of new evaluations
}

// NodeObserved is what the client of one node observed.
type NodeObserved struct {
	NodeID  n.NodeID
	Updates []n.AllocUpdate
}

var UpdateAllocs = raftlog.Command(&log, 21, "AllocUpdate", func(tx *table.Tx, index uint64, c *AllocUpdate) (any, error) {
	b := newBatch(tx, index, c.Now)
	newID, due := idsFrom(c.Seed), map[n.JobKey]bool{}
	if err := b.observed(&NodeObserved{c.NodeID, c.Updates}, newID, due); err != nil {
		return nil, err
	}
	for i := range c.Others {
		if err := b.observed(&c.Others[i], newID, due); err != nil {
			return nil, err
		}
	}
	return nil, b.flush()
})

// observed stores what one node observed. due are the jobs that have got an
// evaluation.
func (b *batch) observed(o *NodeObserved, newID func() string, due map[n.JobKey]bool) error {
	for i := range o.Updates {
		u := &o.Updates[i]
		old := allocs.Get(b.tx, nil, table.K(u.ID))
		if old == nil || old.NodeID != o.NodeID {
			continue // collected since, or not theirs
		}
		if err := b.observe(old, u); err != nil {
			return err
		}
		trigger := b.reaction(old, u.ClientStatus)
		if k := old.JobKey(); trigger != "" && !due[k] {
			due[k] = true
			if err := b.putEval(b.evalFor(k, n.EvalID(newID()), trigger)); err != nil {
				return err
			}
		}
	}
	node := nodes.Get(b.tx, nil, table.K(o.NodeID))
	if node == nil || node.LastAllocUpdateIndex > node.LastMissedHeartbeatIndex {
		return nil
	}
	node = walk.Clone(node)
	node.LastAllocUpdateIndex, node.ModifyIndex = b.index, b.index
	return nodes.Put(b.tx, node)
}

// observe stores what a client says of an allocation.
func (b *batch) observe(old *n.Allocation, u *n.AllocUpdate) error {
	a := *old
	a.ClientStatus, a.ClientDescription = u.ClientStatus, u.ClientDescription
	a.TaskStates, a.NetworkStatus = u.TaskStates, u.NetworkStatus
	word(&a.ClientStatus)
	word(&a.ClientDescription)
	shared.states(a.TaskStates)
	if u.DeploymentHealth != nil && !sameBool(old.Healthy(), u.DeploymentHealth) {
		d := n.AllocDeployment{}
		if old.DeploymentStatus != nil {
			d = *old.DeploymentStatus
		}
		d.Healthy, d.Timestamp, d.ModifyIndex = u.DeploymentHealth, u.HealthTime, b.index
		a.DeploymentStatus = &d
	}
	return b.putAlloc(&a)
}

// reaction says what evaluation an observation calls for; see the scheduling
// reference, 1.3.
func (b *batch) reaction(old *n.Allocation, status n.ClientStatus) string {
	job := jobs.Get(b.tx, nil, jobKey(old.JobKey()))
	switch {
	case job == nil:
		return n.TriggerJobDeregister
	case old.Returning() && status != old.ClientStatus:
		return n.TriggerReconnect
	case status == n.ClientFailed && old.ClientStatus != n.ClientFailed && old.FollowupEvalID == "":
		if g := job.Group(old.TaskGroup); g != nil && g.ReschedulePolicy.Enabled() {
			return n.TriggerAllocFailure
		}
	}
	return ""
}

// evalFor makes a pending evaluation of a job.
func (b *batch) evalFor(k n.JobKey, id n.EvalID, trigger string) *n.Evaluation {
	e := &n.Evaluation{ID: id, Namespace: k.Namespace, JobID: k.ID, Priority: n.JobDefaultPriority, Type: n.JobTypeService, TriggeredBy: trigger, Status: n.EvalPending}
	if job := jobs.Get(b.tx, nil, jobKey(k)); job != nil {
		e.Priority, e.Type, e.JobModifyIndex = job.Priority, job.Type, job.JobModifyIndex
	}
	return e
}

// AllocTransition asks the scheduler to do something with allocations.
type AllocTransition struct {
	Allocs     []n.AllocID
	Transition n.DesiredTransition
	Evals      []*n.Evaluation
	Now        int64
}

var TransitionAllocs = raftlog.Command(&log, 22, "AllocTransition", func(tx *table.Tx, index uint64, c *AllocTransition) (any, error) {
	b := newBatch(tx, index, c.Now)
	for _, id := range c.Allocs {
		old := allocs.Get(tx, nil, table.K(id))
		if old == nil {
			return nil, fmt.Errorf("allocation %s was collected in the meantime", id)
		}
		a := walk.Clone(old)
		a.DesiredTransition.Merge(c.Transition)
		a.AllocModifyIndex = index
		if err := b.putAlloc(a); err != nil {
			return nil, err
		}
	}
	if err := b.putEvals(c.Evals); err != nil {
		return nil, err
	}
	return nil, b.flush()
})
