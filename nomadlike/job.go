package nomadlike

import "time"

// Job types.
const (
	JobTypeService  = "service"  // runs until stopped, on the best nodes
	JobTypeBatch    = "batch"    // runs to completion, on the best nodes
	JobTypeSystem   = "system"   // runs until stopped, on every feasible node
	JobTypeSysBatch = "sysbatch" // runs to completion, on every feasible node
)

// JobTypes lists the job types that users may write.
var JobTypes = []string{JobTypeService, JobTypeBatch, JobTypeSystem, JobTypeSysBatch}

// MetaScheduler is the key of a job's meta that names the scheduler that decides about
// the job; without it that is the usual one of its type.
const MetaScheduler = "nomadlike.scheduler"

// JobStatus is derived from a job's evaluations and allocations, never set.
type JobStatus string

const (
	JobPending JobStatus = "pending"
	JobRunning JobStatus = "running"
	JobDead    JobStatus = "dead"
)

// Limits of a job's priority; the default lies between.
const (
	JobMinPriority     = 1
	JobDefaultPriority = 50
	JobMaxPriority     = 100
)

// A Job is what a user wants to run. A changed job is a new version; the fields
// below the blank line are the server's.
type Job struct {
	ID               JobID  `hcl:"id"`
	Name             string `hcl:"name"`
	Type             string
	Region           string
	Namespace        string
	NodePool         string
	Datacenters      []string          // with globs; ["*"] is all
	Priority         int               `update:"inplace"` // 1 to 100
	AllAtOnce        bool              `update:"inplace"` // place all of a plan or none of it
	Constraints      []Constraint      `hcl:"constraint" update:"inplace"`
	Affinities       []Affinity        `hcl:"affinity" update:"inplace"`
	Spreads          []Spread          `hcl:"spread" update:"inplace"`
	TaskGroups       []Group           `hcl:"group"`
	Update           *Update           `hcl:"update" update:"inplace"`
	Migrate          *Migrate          `hcl:"migrate" json:",omitempty"`    // merged into the groups
	Reschedule       *Reschedule       `hcl:"reschedule" json:",omitempty"` // merged into the groups
	Periodic         *Periodic         `hcl:"periodic"`
	ParameterizedJob *Parameterized    `hcl:"parameterized"`
	Multiregion      *Multiregion      `hcl:"multiregion"`
	Meta             map[string]string `hcl:"meta,map"`
	UI               *JobUI            `hcl:"ui" update:"inplace"`

	ParentID                 JobID       `hcl:"-"`
	Payload                  []byte      `hcl:"-"` // of a dispatched job
	Dispatched               bool        `hcl:"-"`
	DispatchIdempotencyToken string      `hcl:"-"`
	ConsulNamespace          string      `hcl:"-"`
	VaultNamespace           string      `hcl:"-"`
	NomadTokenID             string      `hcl:"-"` // accessor, not secret, of who registered it
	Stop                     bool        `hcl:"-"`
	Status                   JobStatus   `hcl:"-"`
	StatusDescription        string      `hcl:"-"`
	Stable                   bool        `hcl:"-"`
	Version                  uint64      `hcl:"-"`
	VersionTag               *VersionTag `hcl:"-"`
	SubmitTime               int64       `hcl:"-" json:",omitempty"` // Unix nanoseconds
	CreateIndex              uint64      `hcl:"-"`
	ModifyIndex              uint64      `hcl:"-"`
	JobModifyIndex           uint64      `hcl:"-"` // of the specification alone
}

// Key identifies the job.
func (j *Job) Key() JobKey { return JobKey{j.Namespace, j.ID} }

// Group returns the group of that name, or nil.
func (j *Job) Group(name string) *Group {
	for i := range j.TaskGroups {
		if j.TaskGroups[i].Name == name {
			return &j.TaskGroups[i]
		}
	}
	return nil
}

// Stopped reports that the job must not run: it was stopped, or does not exist.
func (j *Job) Stopped() bool { return j == nil || j.Stop }

// IsPeriodic reports a job that is launched by a clock, not by itself.
func (j *Job) IsPeriodic() bool { return j.Periodic != nil }

// IsParameterized reports a template that runs only as its dispatched children.
func (j *Job) IsParameterized() bool { return j.ParameterizedJob != nil && !j.Dispatched }

// RunsEverywhere reports a job with an allocation on every feasible node.
func (j *Job) RunsEverywhere() bool {
	return j.Type == JobTypeSystem || j.Type == JobTypeSysBatch
}

// RunsToCompletion reports a job whose tasks are meant to end.
func (j *Job) RunsToCompletion() bool {
	return j.Type == JobTypeBatch || j.Type == JobTypeSysBatch
}

// JobUI is shown by the web UI.
type JobUI struct {
	Description string      // at most 1,000 bytes
	Links       []JobUILink `hcl:"link"`
}

// JobUILink is a button of the job's page.
type JobUILink struct {
	Label string
	URL   string `hcl:"url"`
}

// A VersionTag names a version of a job and keeps it from being pruned.
type VersionTag struct {
	Name        string
	Description string
	TaggedTime  int64 // Unix nanoseconds
}

// Periodic launches a batch job by the clock.
type Periodic struct {
	Enabled         bool
	Spec            string   `hcl:"cron"` // deprecated spelling of Specs with one element
	Specs           []string `hcl:"crons"`
	SpecType        string   `hcl:"-"` // always "cron"
	ProhibitOverlap bool
	TimeZone        string // IANA name, "UTC" or "Local"
}

// Parameterized makes a batch job a template to be dispatched.
type Parameterized struct {
	Payload      string // "optional", "required", "forbidden"
	MetaRequired []string
	MetaOptional []string
}

// Multiregion is kept and shown; registering a job with regions is refused.
type Multiregion struct {
	Strategy *MultiregionStrategy `hcl:"strategy"`
	Regions  []MultiregionRegion  `hcl:"region"`
}

type MultiregionStrategy struct {
	MaxParallel int
	OnFailure   string
}

type MultiregionRegion struct {
	Name        string `hcl:",label"`
	Count       int
	Datacenters []string
	NodePool    string
	Meta        map[string]string
}

// A JobSubmission is the text that a job's version came from.
type JobSubmission struct {
	Source         string
	Format         string // "hcl2" or "json"
	VariableFlags  map[string]string
	Variables      string
	Namespace      string
	JobID          JobID
	Version        uint64
	JobModifyIndex uint64
}

// Restart is a task's restart policy, see tasklife.
type Restart struct {
	Attempts        int           `update:"inplace"`
	Interval        time.Duration `update:"inplace"`
	Delay           time.Duration `update:"inplace"`
	Mode            string        `update:"inplace"` // RestartModeFail or RestartModeDelay
	RenderTemplates bool
}

const (
	RestartModeFail  = "fail"  // after Attempts the task has failed
	RestartModeDelay = "delay" // after Attempts, wait for the next Interval
)

// Reschedule says whether and when a failed allocation is placed anew.
type Reschedule struct {
	Attempts      int
	Interval      time.Duration
	Delay         time.Duration
	DelayFunction string // "constant", "exponential", "fibonacci"
	MaxDelay      time.Duration
	Unlimited     bool
}

// Enabled reports a policy that reschedules at all.
func (r *Reschedule) Enabled() bool { return r != nil && (r.Unlimited || r.Attempts > 0) }

// Update says how a new version of a job replaces the old one.
type Update struct {
	Stagger          time.Duration
	MaxParallel      int    // 0: no deployment, all at once
	HealthCheck      string // "checks", "task_states", "manual"
	MinHealthyTime   time.Duration
	HealthyDeadline  time.Duration
	ProgressDeadline time.Duration // 0: the first unhealthy allocation fails the deployment
	AutoRevert       bool
	AutoPromote      bool
	Canary           int
}

// Rolling reports an update that makes a deployment.
func (u *Update) Rolling() bool { return u != nil && u.MaxParallel > 0 }

// Migrate says how allocations move off a draining node.
type Migrate struct {
	MaxParallel     int
	HealthCheck     string // "checks", "task_states"
	MinHealthyTime  time.Duration
	HealthyDeadline time.Duration
}

// Disconnect says what happens to allocations of a node that is not heard of.
type Disconnect struct {
	LostAfter         *time.Duration
	StopOnClientAfter *time.Duration
	Replace           bool
	Reconcile         string // "best_score", "longest_running", "keep_original", "keep_replacement"
}

// A ScalingPolicy bounds a group's count, or a task's resources, and carries
// what an autoscaler needs.
type ScalingPolicy struct {
	ID          string            `hcl:"-"`
	Namespace   string            `hcl:"-"`
	Type        string            // "horizontal", "vertical_cpu", "vertical_mem"
	Target      map[string]string `hcl:"-"` // Namespace, Job, Group, Task
	Min         *int64
	Max         *int64
	Enabled     bool
	Policy      Raw
	CreateIndex uint64 `hcl:"-"`
	ModifyIndex uint64 `hcl:"-"`
}
