package nomadlike

import "time"

// Tags of request fields say where HTTP finds them: path:"x" in the route,
// query:"x" in the query string, body:"-" nowhere but there; all others come
// with the body.

// RequestOptions is what every request carries.
type RequestOptions struct {
	Region    string `query:"region"`
	Namespace string `query:"namespace"`
	// AuthToken is the caller's secret; HTTP takes it from a header only.
	AuthToken string `json:"-" codec:"AuthToken"`
	// Forwarded is set by a server that sends the request on to the leader, so
	// that it is sent on once and no more.
	Forwarded bool `json:"-" codec:"Forwarded"`
}

// Common gives access to what every request carries.
func (o *RequestOptions) Common() *RequestOptions { return o }

// A Request is any request.
type Request interface{ Common() *RequestOptions }

// WriteOptions is what every request that changes something carries.
type WriteOptions struct {
	RequestOptions
	IdempotencyToken string `query:"idempotency_token"`
}

// QueryOptions is what every request that only reads carries.
type QueryOptions struct {
	RequestOptions
	// AllowStale lets any server answer, not the leader alone.
	AllowStale bool `query:"stale"`
	// MinQueryIndex makes a call wait until its answer is newer, for at most
	// MaxQueryTime (0: 5 minutes, which is also the limit).
	MinQueryIndex uint64        `query:"index"`
	MaxQueryTime  time.Duration `query:"wait"`
	Prefix        string        `query:"prefix"`
	Filter        string        `query:"filter"`
	PerPage       int           `query:"per_page"` // 0: everything
	NextToken     string        `query:"next_token"`
	Reverse       bool          `query:"reverse"`
}

// Query gives access to what every reading request carries.
func (o *QueryOptions) Query() *QueryOptions { return o }

// A QueryRequest is any request that only reads.
type QueryRequest interface {
	Request
	Query() *QueryOptions
}

// QueryMeta is what every answer to a reading request carries. HTTP sends it
// in headers.
type QueryMeta struct {
	Index       uint64
	LastContact time.Duration // since the answering server heard of the leader
	KnownLeader bool
	NextToken   string // the first item of the next page; empty on the last
}

// Meta gives access to what every answer to a reading request carries.
func (m *QueryMeta) Meta() *QueryMeta { return m }

// BodyMeta is a QueryMeta of which HTTP makes no headers.
type BodyMeta QueryMeta

// A Reply is the answer to a reading request.
type Reply[T any] struct {
	QueryMeta
	Value T
}

// Body is what HTTP sends.
func (r *Reply[T]) Body() any { return r.Value }

// WriteMeta is what every answer to a changing request carries.
type WriteMeta struct{ Index uint64 }

// WriteIndex is the raft index of the change; HTTP sends it in a header.
func (m *WriteMeta) WriteIndex() uint64 { return m.Index }

// Requests that name one thing.
type (
	// ListRequest lists things; QueryOptions narrows it down.
	ListRequest struct{ QueryOptions }

	JobQuery struct {
		QueryOptions
		JobID JobID `path:"JobID"`
		// All includes what belongs to earlier jobs of the same id.
		All bool `query:"all"`
	}
	EvalQuery struct {
		QueryOptions
		EvalID  EvalID `path:"EvalID"`
		Related bool   `query:"related"`
	}
	AllocQuery struct {
		QueryOptions
		AllocID AllocID `path:"AllocID"`
	}
	DeploymentQuery struct {
		QueryOptions
		DeploymentID DeploymentID `path:"DeploymentID"`
	}
	NodeQuery struct {
		QueryOptions
		NodeID NodeID `path:"NodeID"`
	}
)

// JobListRequest lists jobs.
type JobListRequest struct {
	QueryOptions
	Meta bool `query:"meta"` // with their meta
}

// JobRegister asks to run a job, new or changed.
type JobRegister struct {
	WriteOptions
	JobID             JobID `path:"JobID" json:"-" codec:"JobID"` // of the route; must be Job's
	Job               *Job
	Submission        *JobSubmission
	EnforceIndex      bool   // refuse unless JobModifyIndex is the job's; 0: it must not exist
	JobModifyIndex    uint64 `json:",omitempty"`
	PreserveCounts    bool   // keep the counts of groups that exist
	PreserveResources bool   // keep the resources of tasks that exist
	PolicyOverride    bool   // of policies that this build does not have; accepted
	EvalPriority      int    // 0: the job's
}

// JobRegistered answers a JobRegister.
type JobRegistered struct {
	EvalID          EvalID
	EvalCreateIndex uint64
	JobModifyIndex  uint64
	Warnings        string
	QueryMeta
}

// WriteIndex is the raft index of the change.
func (r *JobRegistered) WriteIndex() uint64 { return r.Index }

// JobParse asks for a job file to be turned into a job.
type JobParse struct {
	WriteOptions
	JobHCL       string
	Variables    string // the text of a variable file
	Canonicalize bool   // show defaults where nothing is written, not null
}

// JobPlan asks what running a job would do.
type JobPlan struct {
	WriteOptions
	JobID          JobID `path:"JobID"`
	Job            *Job
	Diff           bool
	PolicyOverride bool
	Why            bool `json:",omitempty"` // tell how nodes were chosen
}

// JobPlanned answers a JobPlan.
type JobPlanned struct {
	Annotations        *PlanAnnotations
	FailedTGAllocs     map[string]*AllocMetric
	JobModifyIndex     uint64 // for JobRegister.EnforceIndex; 0 for a new job
	CreatedEvals       []*Evaluation
	Diff               *JobDiff
	NextPeriodicLaunch *time.Time
	Warnings           string
	Why                map[string]*GroupWhy `json:",omitempty"` // by group, if it was asked for
	WriteMeta
}

// JobValidate asks whether a job is valid.
type JobValidate struct {
	WriteOptions
	Job *Job
}

// JobValidated answers a JobValidate.
type JobValidated struct {
	DriverConfigValidated bool
	ValidationErrors      []string
	Error                 string
	Warnings              string
}

// JobDeregister asks to stop a job.
type JobDeregister struct {
	WriteOptions
	JobID           JobID `path:"JobID"`
	Purge           bool  `query:"purge"` // forget it as well
	Global          bool  `query:"global"`
	NoShutdownDelay bool  `query:"no_shutdown_delay"`
	EvalPriority    int   `query:"eval_priority"`
}

// JobDeregistered answers a JobDeregister.
type JobDeregistered struct {
	EvalID          EvalID
	EvalCreateIndex uint64
	JobModifyIndex  uint64
	VolumeEvalID    EvalID
	VolumeEvalIndex uint64
	QueryMeta
}

// WriteIndex is the raft index of the change.
func (r *JobDeregistered) WriteIndex() uint64 { return r.Index }

// JobEvaluate asks to look at a job again.
type JobEvaluate struct {
	WriteOptions
	JobID       JobID `path:"JobID"`
	EvalOptions EvalOptions
}

type EvalOptions struct{ ForceReschedule bool }

// JobRevert asks for an old version of a job to run again.
type JobRevert struct {
	WriteOptions
	JobID               JobID `path:"JobID"`
	JobVersion          uint64
	EnforcePriorVersion *uint64 // refuse unless this version is the current one
}

// JobStability marks a version of a job as one to go back to, or not.
type JobStability struct {
	WriteOptions
	JobID      JobID `path:"JobID"`
	JobVersion uint64
	Stable     bool
}

// JobStabilitySet answers a JobStability.
type JobStabilitySet struct{ WriteMeta }

// JobTag gives a version of a job a name, which keeps it from being forgotten.
type JobTag struct {
	WriteOptions
	JobID       JobID  `path:"JobID"`
	TagName     string `path:"TagName" json:"-" codec:"TagName"`
	Version     uint64
	Latest      bool // the current version, whichever that is; Version must be 0
	Description string
}

// JobUntag takes the name away.
type JobUntag struct {
	WriteOptions
	JobID   JobID  `path:"JobID"`
	TagName string `path:"TagName"`
}

// JobTagged answers a JobTag or a JobUntag with the tag.
type JobTagged struct {
	VersionTag
	BodyMeta
}

// JobVersionsRequest asks for a job's history.
type JobVersionsRequest struct {
	QueryOptions
	JobID       JobID  `path:"JobID"`
	Diffs       bool   `query:"diffs"`
	DiffVersion string `query:"diff_version"`
	DiffTag     string `query:"diff_tag"`
}

// JobVersions is a job's history, newest first.
type JobVersions struct {
	Versions []*Job
	Diffs    []*JobDiff
	QueryMeta
}

// JobSubmissionQuery asks for the text of a job's version.
type JobSubmissionQuery struct {
	QueryOptions
	JobID   JobID  `path:"JobID"`
	Version uint64 `query:"version"`
}

// AllocListRequest lists allocations.
type AllocListRequest struct {
	QueryOptions
	Resources  bool  `query:"resources"`
	TaskStates *bool `query:"task_states"` // nil: yes
}

// AllocStop asks to stop an allocation and to place it anew.
type AllocStop struct {
	WriteOptions
	AllocID         AllocID `path:"AllocID"`
	NoShutdownDelay bool    `query:"no_shutdown_delay"`
	Reschedule      bool    `query:"reschedule"`
}

// AllocStopped answers an AllocStop.
type AllocStopped struct {
	EvalID EvalID
	WriteMeta
}

// EvalListRequest lists evaluations.
type EvalListRequest struct {
	QueryOptions
	Status string `query:"status"`
	JobID  JobID  `query:"job"`
}

// Counted is how many there are.
type Counted struct {
	Count int
	QueryMeta
}

// DeploymentChange asks to fail, pause, resume or promote a deployment.
type DeploymentChange struct {
	WriteOptions
	DeploymentID DeploymentID `path:"DeploymentID"`
	Pause        bool
	All          bool
	Groups       []string
}

// DeploymentHealth sets the health of a deployment's allocations by hand.
type DeploymentHealth struct {
	WriteOptions
	DeploymentID           DeploymentID `path:"DeploymentID"`
	HealthyAllocationIDs   []AllocID
	UnhealthyAllocationIDs []AllocID
}

// DeploymentChanged answers a change of a deployment.
type DeploymentChanged struct {
	EvalID                EvalID
	EvalCreateIndex       uint64
	DeploymentModifyIndex uint64
	RevertedJobVersion    *uint64
	WriteMeta
}

// NodeListRequest lists nodes.
type NodeListRequest struct {
	QueryOptions
	Resources bool `query:"resources"`
	OS        bool `query:"os"`
}

// NodeEligibility makes a node take new allocations, or not.
type NodeEligibility struct {
	WriteOptions
	NodeID      NodeID `path:"NodeID"`
	Eligibility string
}

// NodeDrain has all allocations leave a node, or ends that.
type NodeDrain struct {
	WriteOptions
	NodeID       NodeID     `path:"NodeID"`
	DrainSpec    *DrainSpec // nil ends the drain
	MarkEligible bool       // with that, the node takes new allocations again
	Meta         map[string]string
}

// NodeWrite names a node to be purged or evaluated.
type NodeWrite struct {
	WriteOptions
	NodeID NodeID `path:"NodeID"`
}

// NodeChanged answers a change of a node.
type NodeChanged struct {
	EvalIDs         []EvalID
	EvalCreateIndex uint64
	NodeModifyIndex uint64
	WriteMeta
}

// SearchRequest looks for things whose id starts with Prefix.
type SearchRequest struct {
	QueryOptions
	Prefix  string
	Context string // "allocs", "deployment", "evals", "jobs", "namespaces", "nodes", "node_pools", "all"
}

// SearchResult holds at most 20 matches a context.
type SearchResult struct {
	Matches     map[string][]string
	Truncations map[string]bool
	QueryMeta
}

// SchedulerConfigUpdate replaces the scheduler configuration.
type SchedulerConfigUpdate struct {
	WriteOptions
	SchedulerConfiguration
	CAS *uint64 `query:"cas" json:"-" codec:"CAS"` // only if this is its ModifyIndex
}

// SchedulerConfigUpdated answers a SchedulerConfigUpdate.
type SchedulerConfigUpdated struct {
	Updated bool
	WriteMeta
}

// SchedulerConfigReply answers a read of the scheduler configuration.
type SchedulerConfigReply struct {
	SchedulerConfig *SchedulerConfiguration
	QueryMeta
}
