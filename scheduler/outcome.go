package scheduler

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/reconcile"
)

// work is an evaluation being handled.
type work struct {
	*proposal
	eval    *n.Evaluation
	options Options
	chance  chance
	job     *n.Job
	result  *reconcile.Result

	choosers map[uint64]*chooser // by version of the job
	failed   map[string]*n.AllocMetric
	queued   map[string]int
	why      map[string]*n.GroupWhy
}

func newWork(v View, e *n.Evaluation, o Options) *work {
	job := v.Job(e.JobKey())
	w := &work{
		proposal: newProposal(v, e, job), eval: e, options: o, chance: newChance(o.Seed), job: job,
		choosers: map[uint64]*chooser{}, failed: map[string]*n.AllocMetric{}, queued: map[string]int{},
	}
	if job != nil && !job.Stop {
		for i := range job.TaskGroups {
			w.queued[job.TaskGroups[i].Name] = 0
		}
	}
	return w
}

func (w *work) chooser(job *n.Job) *chooser {
	c := w.choosers[job.Version]
	if c == nil {
		c = newChooser(w.proposal, job, w.chance)
		c.scorers = w.options.scorers
		w.choosers[job.Version] = c
	}
	return c
}

// ask has the chooser of a job's version tell of the next placement what Options ask
// for.
func (w *work) ask(job *n.Job, last bool) {
	if w.options.Why && w.why == nil {
		w.why = map[string]*n.GroupWhy{}
	}
	c := w.chooser(job)
	c.why, c.last = w.why, last
}

// input is what the rules of reconcile look at.
func (w *work) input() *reconcile.Input {
	return &reconcile.Input{
		Key: w.key, Job: w.job, Allocs: w.allocs, Eval: w.eval, Now: w.options.Now, Node: w.view.Node,
		Version:    func(v uint64) *n.Job { return w.view.JobVersion(w.key, v) },
		Deployment: w.view.LatestDeployment(w.key),
		Suits:      func(node *n.Node) bool { return suits(w.job, node) },
		InPlace:    w.inPlace, NewID: w.chance.id,
	}
}

// inPlace tries the job's version in the place of an allocation of an older one.
func (w *work) inPlace(a *n.Allocation, g *n.Group) *n.Allocation {
	w.stop(a)
	c, _ := w.chooser(w.job).choose(g, nil, a.NodeID)
	w.unstop(a)
	if c == nil {
		return nil
	}
	after := *a
	after.EvalID, after.JobVersion = w.eval.ID, w.job.Version
	return &after
}

// stops adds the end of allocations to the plan.
func (w *work) stops() {
	for _, s := range w.result.Stop {
		e := ended(s.Alloc, s.Reason, s.Client)
		if s.FollowUp != "" {
			e.FollowupEvalID = s.FollowUp
		}
		w.stop(e)
	}
}

func ended(a *n.Allocation, reason string, client n.ClientStatus) *n.Allocation {
	e := *a
	e.DesiredStatus, e.DesiredDescription = n.DesiredStop, reason
	if client != "" {
		e.ClientStatus = client
	}
	return &e
}

// changes adds what changes in place to the plan, except of what it stops.
func (w *work) changes(deployment n.DeploymentID) {
	for _, a := range w.result.Change {
		if w.gone[a.ID] {
			continue
		}
		if a.JobVersion == w.job.Version && a.EvalID == w.eval.ID && deployment != "" && a.DeploymentID != deployment {
			a.DeploymentID, a.DeploymentStatus = deployment, nil
		}
		w.plan.NodeAllocation[a.NodeID] = append(w.plan.NodeAllocation[a.NodeID], a)
	}
}

// try finds a place for an allocation and adds it to the plan, or returns why
// there is none.
func (w *work) try(p *reconcile.Placement, deployment n.DeploymentID) *n.AllocMetric {
	if p.StopPrevious != "" {
		var client n.ClientStatus
		if node := w.view.Node(p.Previous.NodeID); !p.Previous.ClientStatus.Terminal() && (node == nil || node.Status == n.NodeDown) {
			client = n.ClientLost
		}
		w.stop(ended(p.Previous, p.StopPrevious, client))
	}
	c, metric := w.find(p)
	if c == nil {
		if p.StopPrevious != "" {
			w.unstop(p.Previous)
		}
		return metric
	}
	a := w.allocation(p, c, metric, deployment)
	w.evict(a, c.leaving)
	w.place(a)
	if p.Rescheduled {
		w.tracked(p)
	}
	return nil
}

// unplaced notes on a failed allocation that it has no successor.
func (w *work) unplaced(p *reconcile.Placement) {
	if !p.Rescheduled {
		return
	}
	if t := p.Previous.RescheduleTracker; t != nil && t.LastReschedule == reconcile.Unplaced(p.Previous).LastReschedule {
		return
	}
	w.result.Changed(p.Previous).RescheduleTracker = reconcile.Unplaced(p.Previous)
}

// tracked notes on an allocation that it has a successor.
func (w *work) tracked(p *reconcile.Placement) {
	if p.StopPrevious == "" {
		a := w.result.Changed(p.Previous)
		a.RescheduleTracker = placed(a.RescheduleTracker)
		return
	}
	list := w.plan.NodeUpdate[p.Previous.NodeID]
	for i, a := range list {
		if a.ID == p.Previous.ID {
			list[i].RescheduleTracker = placed(a.RescheduleTracker)
		}
	}
}

func placed(t *n.RescheduleTracker) *n.RescheduleTracker {
	out := &n.RescheduleTracker{LastReschedule: "ok"}
	if t != nil {
		out.Events = t.Events
	}
	return out
}

// penalty holds the nodes on which an allocation and its predecessors failed.
func penalty(p *reconcile.Placement) map[n.NodeID]bool {
	prev := p.Previous
	if prev == nil || !p.Rescheduled {
		return nil
	}
	out := map[n.NodeID]bool{prev.NodeID: true}
	if prev.RescheduleTracker != nil {
		for _, e := range prev.RescheduleTracker.Events {
			out[e.PrevNodeID] = true
		}
	}
	return out
}

func (w *work) allocation(p *reconcile.Placement, c *choice, m *n.AllocMetric, deployment n.DeploymentID) *n.Allocation {
	now := w.options.Now.UnixNano()
	a := &n.Allocation{
		ID: n.AllocID(w.chance.id()), Namespace: w.key.Namespace, EvalID: w.eval.ID, Name: p.Name, NodeID: c.node.ID, NodeName: c.node.Name,
		JobID: w.key.ID, JobVersion: p.Job.Version, TaskGroup: p.Group.Name, DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending,
		AllocatedResources: c.resources, Metrics: m, CreateTime: now, ModifyTime: now,
	}
	if p.Deploy {
		a.DeploymentID = deployment
	}
	if p.Canary {
		a.DeploymentStatus = &n.AllocDeployment{Canary: true}
	}
	if p.Previous != nil {
		a.PreviousAllocation = p.Previous.ID
		if p.Rescheduled {
			a.RescheduleTracker = reconcile.Track(p.Group, p.Previous, w.options.Now)
		}
	}
	return a
}

// deployment is the one that new allocations are part of, or "".
func (w *work) deployment(in *reconcile.Input) n.DeploymentID {
	switch d := in.Deployment; {
	case w.result.Deployment != nil:
		return w.result.Deployment.ID
	case d != nil && d.Status.Active() && d.JobVersion == w.job.Version && d.JobCreateIndex == w.job.CreateIndex:
		return d.ID
	}
	return ""
}

// decide makes the decision of what was planned.
func (w *work) decide() *Decision {
	p := w.plan
	p.Deployment, p.DeploymentUpdates = w.result.Deployment, w.result.DeploymentUpdates
	if w.eval.AnnotatePlan {
		p.Annotations = &n.PlanAnnotations{DesiredTGUpdates: w.result.Groups}
	}
	e := *w.eval
	e.Status, e.StatusDescription = n.EvalComplete, ""
	e.SnapshotIndex = w.view.Index()
	e.QueuedAllocations, e.FailedTGAllocs = w.queued, nil
	e.ClassEligibility, e.EscapedComputedClass = nil, false
	if len(w.failed) > 0 {
		e.FailedTGAllocs = w.failed
	}
	if p.Deployment != nil && e.DeploymentID == "" {
		e.DeploymentID = p.Deployment.ID
	}
	d := &Decision{Plan: p, Eval: &e, Why: w.why}
	for _, f := range w.result.FollowUps {
		f.CreateTime, f.ModifyTime = w.options.Now.UnixNano(), w.options.Now.UnixNano()
		e.NextEval = f.ID
		d.NewEvals = append(d.NewEvals, f)
	}
	return d
}

// block makes the decision wait for room, with another evaluation or, if it did
// wait for it, with the same. node is the only one that matters, or "".
func (w *work) block(d *Decision, node n.NodeID) {
	blocked := d.Eval
	if w.eval.Status != n.EvalBlocked || node != "" {
		blocked = &n.Evaluation{
			ID: n.EvalID(w.chance.id()), Namespace: w.key.Namespace, Priority: w.eval.Priority, Type: w.job.Type, TriggeredBy: n.TriggerQueuedAllocs,
			JobID: w.key.ID, JobModifyIndex: w.job.JobModifyIndex, NodeID: node, PreviousEval: w.eval.ID, SnapshotIndex: w.view.Index(),
			FailedTGAllocs: d.Eval.FailedTGAllocs, QueuedAllocations: w.queued,
			CreateTime: w.options.Now.UnixNano(), ModifyTime: w.options.Now.UnixNano(),
		}
		d.Eval.BlockedEval = blocked.ID
		d.NewEvals = append(d.NewEvals, blocked)
	}
	blocked.Status, blocked.StatusDescription = n.EvalBlocked, "created to place remaining allocations"
	blocked.ClassEligibility, blocked.EscapedComputedClass = w.eligibility()
}

// eligibility joins what the choosers learned of classes.
func (w *work) eligibility() (map[string]bool, bool) {
	out := map[string]bool{}
	for _, c := range w.choosers {
		classes, escaped := c.checks.ClassEligibility()
		if escaped {
			return nil, true
		}
		for class, ok := range classes {
			out[class] = out[class] || ok
		}
	}
	return out, false
}
