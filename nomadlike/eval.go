package nomadlike

import "time"

// EvalStatus is the status of an evaluation.
type EvalStatus string

const (
	EvalPending  EvalStatus = "pending"
	EvalBlocked  EvalStatus = "blocked" // waits for room
	EvalComplete EvalStatus = "complete"
	EvalFailed   EvalStatus = "failed"
	EvalCanceled EvalStatus = "canceled"
)

// Terminal reports a status that never changes again.
func (s EvalStatus) Terminal() bool {
	return s == EvalComplete || s == EvalFailed || s == EvalCanceled
}

// What an evaluation was triggered by.
const (
	TriggerJobRegister       = "job-register"
	TriggerJobDeregister     = "job-deregister"
	TriggerJobScaling        = "job-scaling"
	TriggerPeriodicJob       = "periodic-job"
	TriggerNodeUpdate        = "node-update"
	TriggerNodeDrain         = "node-drain"
	TriggerAllocStop         = "alloc-stop"
	TriggerAllocFailure      = "alloc-failure"
	TriggerAllocReschedule   = "alloc-reschedule"
	TriggerDeployment        = "deployment-watcher"
	TriggerQueuedAllocs      = "queued-allocs"
	TriggerMaxPlans          = "max-plan-attempts"
	TriggerFailedFollowUp    = "failed-follow-up"
	TriggerPreemption        = "preemption"
	TriggerDisconnectTimeout = "max-disconnect-timeout"
	TriggerReconnect         = "reconnect"
	TriggerRollingUpdate     = "rolling-update"
	TriggerScheduled         = "scheduled"
)

// An Evaluation is a reason to look at a job again, and the only way to change
// what is desired.
type Evaluation struct {
	ID                   EvalID                  `json:",omitempty" wire:",omitempty"`
	Namespace            string                  `json:",omitempty" wire:",omitempty"`
	Priority             int                     `json:",omitempty" wire:",omitempty"`
	Type                 string                  `json:",omitempty" wire:",omitempty"` // the scheduler that handles it
	TriggeredBy          string                  `json:",omitempty" wire:",omitempty"`
	JobID                JobID                   `json:",omitempty" wire:",omitempty"`
	JobModifyIndex       uint64                  `json:",omitempty" wire:",omitempty"`
	NodeID               NodeID                  `json:",omitempty" wire:",omitempty"`
	NodeModifyIndex      uint64                  `json:",omitempty" wire:",omitempty"`
	DeploymentID         DeploymentID            `json:",omitempty" wire:",omitempty"`
	Status               EvalStatus              `json:",omitempty" wire:",omitempty"`
	StatusDescription    string                  `json:",omitempty" wire:",omitempty"`
	Wait                 time.Duration           `json:",omitempty" wire:",omitempty"` // before it is handled
	WaitUntil            *time.Time              `json:",omitempty" wire:",omitempty"`
	NextEval             EvalID                  `json:",omitempty" wire:",omitempty"`
	PreviousEval         EvalID                  `json:",omitempty" wire:",omitempty"`
	BlockedEval          EvalID                  `json:",omitempty" wire:",omitempty"`
	RelatedEvals         []EvalStub              `json:",omitempty" wire:",omitempty"` // filled on request
	FailedTGAllocs       map[string]*AllocMetric `json:",omitempty" wire:",omitempty"` // groups that did not fit
	ClassEligibility     map[string]bool         `json:",omitempty" wire:",omitempty"` // by computed class
	EscapedComputedClass bool                    `json:",omitempty" wire:",omitempty"` // some constraint does not depend on the class
	QuotaLimitReached    string                  `json:",omitempty" wire:",omitempty"`
	QueuedAllocations    map[string]int          `json:",omitempty" wire:",omitempty"` // by group, still to be placed
	AnnotatePlan         bool                    `json:",omitempty" wire:",omitempty"`
	PlanAnnotations      *PlanAnnotations        `json:",omitempty" wire:",omitempty"`
	SnapshotIndex        uint64                  `json:",omitempty" wire:",omitempty"` // of the state it was decided on
	CreateIndex          uint64                  `json:",omitempty" wire:",omitempty"`
	ModifyIndex          uint64                  `json:",omitempty" wire:",omitempty"`
	CreateTime           int64                   `json:",omitempty" wire:",omitempty"` // Unix nanoseconds
	ModifyTime           int64                   `json:",omitempty" wire:",omitempty"`
}

// JobKey identifies the evaluation's job.
func (e *Evaluation) JobKey() JobKey { return JobKey{e.Namespace, e.JobID} }

// EvalStub is a related evaluation.
type EvalStub struct {
	ID                EvalID
	Priority          int
	Type              string
	TriggeredBy       string
	Namespace         string
	JobID             JobID
	NodeID            NodeID
	DeploymentID      DeploymentID
	Status            EvalStatus
	StatusDescription string
	WaitUntil         *time.Time
	NextEval          EvalID
	PreviousEval      EvalID
	BlockedEval       EvalID
	CreateIndex       uint64
	ModifyIndex       uint64
	CreateTime        int64
	ModifyTime        int64
}

// A Plan is what a scheduler wants changed: a value that is printed, compared,
// checked against newer state and only then committed.
type Plan struct {
	EvalID            EvalID
	EvalToken         string // proves that the worker still holds the evaluation
	Priority          int
	AllAtOnce         bool
	Job               *Job
	NodeUpdate        map[NodeID][]*Allocation // stops
	NodeAllocation    map[NodeID][]*Allocation // placements and in-place updates
	NodePreemptions   map[NodeID][]*Allocation
	Deployment        *Deployment // new or changed
	DeploymentUpdates []DeploymentStatusUpdate
	Annotations       *PlanAnnotations
	SnapshotIndex     uint64
}

// NoOp reports a plan that changes nothing.
func (p *Plan) NoOp() bool {
	return len(p.NodeUpdate) == 0 && len(p.NodeAllocation) == 0 && len(p.NodePreemptions) == 0 &&
		p.Deployment == nil && len(p.DeploymentUpdates) == 0
}

// PlanResult is the part of a plan that was committed.
type PlanResult struct {
	NodeUpdate        map[NodeID][]*Allocation
	NodeAllocation    map[NodeID][]*Allocation
	NodePreemptions   map[NodeID][]*Allocation
	Deployment        *Deployment
	DeploymentUpdates []DeploymentStatusUpdate
	// RejectedNodes tells in words why parts were dropped.
	RejectedNodes map[NodeID]string
	// RefreshIndex is set when something was dropped: the state to wait for
	// before trying again.
	RefreshIndex uint64
	AllocIndex   uint64 // at which it was committed
}

// PlanAnnotations counts what a plan would do, by group.
type PlanAnnotations struct {
	DesiredTGUpdates map[string]*DesiredUpdates
	PreemptedAllocs  []AllocStub
}

// DesiredUpdates counts what a plan would do to a group.
type DesiredUpdates struct {
	Ignore            uint64
	Place             uint64
	Migrate           uint64
	Stop              uint64
	InPlaceUpdate     uint64
	DestructiveUpdate uint64
	Canary            uint64
	Preemptions       uint64
	Disconnect        uint64
	Reconnect         uint64
	RescheduleNow     uint64
	RescheduleLater   uint64
}
