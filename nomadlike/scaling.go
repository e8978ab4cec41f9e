package nomadlike

import "github.com/google/uuid"

// ScalingHorizontal is the type of policies that are about a group's count.
const ScalingHorizontal = "horizontal"

// Aim says what a group's policy is about, and names it after that: as long as
// there is such a group, its policy keeps its id.
func (p *ScalingPolicy) Aim(job JobKey, group string) {
	p.Target = map[string]string{"Namespace": job.Namespace, "Job": string(job.ID), "Group": group}
	if p.Type == "" {
		p.Type = ScalingHorizontal
	}
	name := job.Namespace + "\x00" + string(job.ID) + "\x00" + group
	p.ID = uuid.NewSHA1(policyNames, []byte(name)).String()
}

// policyNames is a UUID of our own, as version 5 of UUIDs wants.
var policyNames = uuid.MustParse("5f0c3a52-6a5b-4b0e-9a53-6d1c58f1f3a7")

// JobKey is the job that a policy is about.
func (p *ScalingPolicy) JobKey() JobKey {
	return JobKey{p.Target["Namespace"], JobID(p.Target["Job"])}
}

// ScalingPolicyStub is a policy in a list.
type ScalingPolicyStub struct {
	ID          string
	Enabled     bool
	Type        string
	Target      map[string]string
	CreateIndex uint64
	ModifyIndex uint64
}

// ScalingEventsKept is how many events of a group are remembered.
const ScalingEventsKept = 20

// A ScalingEvent is one thing that was said about a group's count.
type ScalingEvent struct {
	Time          int64  // Unix nanoseconds
	Count         *int64 // nil: it stayed
	PreviousCount int64
	Message       string
	Error         bool
	EvalID        *EvalID
	Meta          Raw
	CreateIndex   uint64
}

// JobScaleStatus is how many allocations a job's groups have and want.
type JobScaleStatus struct {
	JobID          JobID
	Namespace      string
	JobCreateIndex uint64
	JobModifyIndex uint64
	JobStopped     bool
	TaskGroups     map[string]*GroupScaleStatus
}

// GroupScaleStatus counts a group's allocations that are not terminal and no
// canaries.
type GroupScaleStatus struct {
	Desired   int
	Placed    int
	Running   int
	Healthy   int
	Unhealthy int
	Events    []*ScalingEvent // newest first
}

// JobScale asks to change a group's count, or to remember what is said of it.
type JobScale struct {
	WriteOptions
	JobID          JobID `path:"JobID" json:"-" codec:"JobID"`
	Target         map[string]string
	Count          *int64 // nil: leave it, and remember the event
	Message        string
	Error          bool // the message tells of a mistake; never with a Count
	Meta           Raw
	PolicyOverride bool   // of policies that this build does not have; accepted
	JobModifyIndex uint64 `json:",omitempty"` // refuse unless it is the job's; 0: do not care
}

// ScalingPolicyListRequest lists policies.
type ScalingPolicyListRequest struct {
	QueryOptions
	Job  JobID  `query:"job"`
	Type string `query:"type"`
}

// ScalingPolicyQuery asks for one policy.
type ScalingPolicyQuery struct {
	QueryOptions
	PolicyID string `path:"PolicyID"`
}
