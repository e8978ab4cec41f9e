// Package reconcile compares what a job asks for with the allocations that exist
// and says what to start, stop and change. It is pure, and knows nothing of
// which node is a good one: that is asked for the placements it wants.
//
// The rules are those of the scheduling reference, section 5: Generic is for
// service and batch jobs, whose allocations are counted, Everywhere for system
// and sysbatch jobs, which have one on each node.
package reconcile

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Input is what the rules look at.
type Input struct {
	Key    n.JobKey
	Job    *n.Job          // nil if it does not exist
	Allocs []*n.Allocation // of the job, terminal ones too
	Eval   *n.Evaluation
	Now    time.Time
	// Node returns a node, or nil if it is gone.
	Node func(n.NodeID) *n.Node
	// Version returns a version of the job, or nil if it is forgotten.
	Version    func(uint64) *n.Job
	Deployment *n.Deployment // the latest, or nil
	// Suits says whether a node is still one of those that the job wants.
	Suits func(*n.Node) bool
	// InPlace returns the allocation changed to the job's version, if its node
	// can run that without a new start.
	InPlace func(a *n.Allocation, g *n.Group) *n.Allocation
	NewID   func() string
}

// A Placement asks for an allocation.
type Placement struct {
	Name     string
	Job      *n.Job // the version to run
	Group    *n.Group
	Node     n.NodeID // the only one possible; "" for any
	Previous *n.Allocation
	// StopPrevious is why the previous allocation ends once this one has a
	// place; "" leaves it.
	StopPrevious string
	Rescheduled  bool // the previous one failed
	Canary       bool
	Deploy       bool // part of the deployment
}

// A Stop ends an allocation.
type Stop struct {
	Alloc  *n.Allocation
	Reason string
	Client n.ClientStatus // what the server knows better than the client; mostly ""
	// FollowUp is the evaluation that places its replacement, if that is to wait.
	FollowUp n.EvalID
}

// Result is what is to be done.
type Result struct {
	Replace []Placement // in which the previous allocation makes room first
	Place   []Placement
	Stop    []Stop
	Change  []*n.Allocation // copies, changed in place
	// FollowUps are evaluations for later; the allocations they are for name them.
	FollowUps         []*n.Evaluation
	Deployment        *n.Deployment // new
	DeploymentUpdates []n.DeploymentStatusUpdate
	Groups            map[string]*n.DesiredUpdates

	changed map[n.AllocID]*n.Allocation // those in Change
}

func newResult() *Result {
	return &Result{Groups: map[string]*n.DesiredUpdates{}, changed: map[n.AllocID]*n.Allocation{}}
}

// Changed returns the copy of an allocation that is to be stored; it may be
// changed further.
func (r *Result) Changed(a *n.Allocation) *n.Allocation {
	c := r.changed[a.ID]
	if c == nil {
		copied := *a
		c = &copied
		r.changed[a.ID] = c
		r.Change = append(r.Change, c)
	}
	return c
}

func (r *Result) group(name string) *n.DesiredUpdates {
	if r.Groups[name] == nil {
		r.Groups[name] = &n.DesiredUpdates{}
	}
	return r.Groups[name]
}

// end stops allocations.
func (r *Result) end(allocs []*n.Allocation, reason string) {
	for _, a := range allocs {
		r.Stop = append(r.Stop, Stop{Alloc: a, Reason: reason})
	}
	if len(allocs) > 0 {
		r.group(allocs[0].TaskGroup).Stop += uint64(len(allocs))
	}
}

// lose stops allocations whose node is gone.
func (r *Result) lose(allocs []*n.Allocation) {
	for _, a := range allocs {
		r.Stop = append(r.Stop, Stop{Alloc: a, Reason: n.DescLost, Client: n.ClientLost})
	}
	if len(allocs) > 0 {
		r.group(allocs[0].TaskGroup).Stop += uint64(len(allocs))
	}
}

// down reports a node on which nothing runs any more as far as anybody knows.
func down(node *n.Node) bool { return node == nil || node.Status == n.NodeDown }

// silent reports a node that may be heard of again.
func silent(node *n.Node) bool { return node != nil && node.Status == n.NodeDisconnected }

// loseStopped marks what was to stop anyway on nodes that are gone.
func loseStopped(in *Input, r *Result) {
	for _, a := range in.Allocs {
		if a.ServerTerminal() && !a.ClientStatus.Terminal() && down(in.Node(a.NodeID)) {
			r.Stop = append(r.Stop, Stop{Alloc: a, Reason: a.DesiredDescription, Client: n.ClientLost})
		}
	}
}

// cancelDeployment ends what is left of deployments of other versions, and
// returns the current one and the one before.
func cancelDeployment(in *Input, r *Result) (current, old *n.Deployment) {
	d := in.Deployment
	if d == nil {
		return nil, nil
	}
	cancel := func(why string) {
		if d.Status.Active() {
			r.DeploymentUpdates = append(r.DeploymentUpdates, n.DeploymentStatusUpdate{
				DeploymentID: d.ID, Status: n.DeploymentCancelled, StatusDescription: why,
			})
		}
	}
	switch {
	case in.Job.Stopped():
		cancel(n.DescDeploymentStopped)
		return nil, d
	case d.JobVersion != in.Job.Version || d.JobCreateIndex != in.Job.CreateIndex:
		cancel(n.DescDeploymentNewerJob)
		return nil, d
	case d.Status == n.DeploymentSuccessful:
		return nil, d
	}
	return d, nil
}

// stopAll ends everything, because the job is stopped or gone.
func stopAll(in *Input, r *Result) {
	for _, a := range in.Allocs {
		switch {
		case a.Terminal():
		case down(in.Node(a.NodeID)):
			r.lose([]*n.Allocation{a})
		default:
			r.end([]*n.Allocation{a}, n.DescNotNeeded)
		}
	}
}

// newDeployment makes an empty deployment of the job's version.
func newDeployment(in *Input) *n.Deployment {
	j := in.Job
	return &n.Deployment{
		ID: n.DeploymentID(in.NewID()), Namespace: j.Namespace, JobID: j.ID, JobVersion: j.Version, JobModifyIndex: j.ModifyIndex,
		JobSpecModifyIndex: j.JobModifyIndex, JobCreateIndex: j.CreateIndex, TaskGroups: map[string]*n.DeploymentGroup{},
		Status: n.DeploymentRunning, StatusDescription: n.DescDeploymentRunning, EvalPriority: in.Eval.Priority,
		CreateTime: in.Now.UnixNano(), ModifyTime: in.Now.UnixNano(),
	}
}

// newDeploymentGroup is a group's part in a new deployment.
func newDeploymentGroup(u *n.Update) *n.DeploymentGroup {
	return &n.DeploymentGroup{AutoRevert: u.AutoRevert, AutoPromote: u.AutoPromote, ProgressDeadline: u.ProgressDeadline}
}

// describe says what a deployment waits for.
func describe(d *n.Deployment) {
	if !d.RequiresPromotion() {
		return
	}
	d.StatusDescription = n.DescDeploymentManualPromote
	auto := true
	for _, g := range d.TaskGroups {
		auto = auto && (g.DesiredCanaries == 0 || g.AutoPromote)
	}
	if auto {
		d.StatusDescription = n.DescDeploymentAutoPromote
	}
}

// A change of a new version against an allocation's.
type change int

const (
	same change = iota
	inPlace
	destructive
)
