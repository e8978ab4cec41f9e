package nomadlike

// Stubs are what lists show of a thing. Each field that has the name of a field
// of the thing itself is a copy of it; the few others are computed where the
// list is made.

// JobStub is a job in a list.
type JobStub struct {
	ID                JobID
	ParentID          JobID
	Name              string
	Namespace         string `json:",omitempty"`
	Datacenters       []string
	NodePool          string
	Multiregion       *Multiregion
	Type              string
	Priority          int
	Periodic          bool
	ParameterizedJob  bool
	Stop              bool
	Status            JobStatus
	StatusDescription string
	JobSummary        *JobSummary
	CreateIndex       uint64
	ModifyIndex       uint64
	JobModifyIndex    uint64
	SubmitTime        int64
	Meta              map[string]string `json:",omitempty"`
}

// AllocStub is an allocation in a list.
type AllocStub struct {
	ID                    AllocID
	EvalID                EvalID
	Name                  string
	Namespace             string
	NodeID                NodeID
	NodeName              string
	JobID                 JobID
	JobType               string
	JobVersion            uint64
	TaskGroup             string
	AllocatedResources    *AllocatedResources `json:",omitempty"`
	DesiredStatus         DesiredStatus
	DesiredDescription    string
	ClientStatus          ClientStatus
	ClientDescription     string
	DesiredTransition     DesiredTransition
	TaskStates            map[string]*TaskState
	DeploymentStatus      *AllocDeployment
	FollowupEvalID        EvalID
	NextAllocation        AllocID
	RescheduleTracker     *RescheduleTracker
	PreemptedAllocations  []AllocID
	PreemptedByAllocation AllocID
	CreateIndex           uint64
	ModifyIndex           uint64
	CreateTime            int64
	ModifyTime            int64
}

// AllocDetail is an allocation as the API shows it, with its job as it was
// placed.
type AllocDetail struct {
	Allocation
	Job *Job `json:",omitempty"`
}

// NodeStub is a node in a list.
type NodeStub struct {
	Address               string
	ID                    NodeID
	Datacenter            string
	Name                  string
	NodeClass             string
	NodePool              string
	Version               string
	Drain                 bool
	SchedulingEligibility string
	Status                NodeStatus
	StatusDescription     string
	Drivers               map[string]*DriverInfo
	HostVolumes           map[string]*HostVolumeInfo
	LastDrain             *DrainMetadata
	Attributes            map[string]string  `json:",omitempty"`
	NodeResources         *NodeResources     `json:",omitempty"`
	ReservedResources     *ReservedResources `json:",omitempty"`
	CreateIndex           uint64
	ModifyIndex           uint64
}

// NodeDetail is a node as the API shows it.
type NodeDetail struct {
	Node
	SecretID string // always empty: secrets are never shown
	Drain    bool   // DrainStrategy is set
}
