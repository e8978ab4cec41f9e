package nomadlike

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DesiredStatus is what the servers want of an allocation. It only moves from
// run to one of the others.
type DesiredStatus string

const (
	DesiredRun   DesiredStatus = "run"
	DesiredStop  DesiredStatus = "stop"
	DesiredEvict DesiredStatus = "evict" // stopped for the sake of a more important one
)

// ClientStatus is what became of an allocation.
type ClientStatus string

const (
	ClientPending  ClientStatus = "pending"
	ClientRunning  ClientStatus = "running"
	ClientComplete ClientStatus = "complete"
	ClientFailed   ClientStatus = "failed"
	ClientLost     ClientStatus = "lost"    // its node is down; only servers say so
	ClientUnknown  ClientStatus = "unknown" // its node is disconnected; only servers say so
)

// Terminal reports a status that never changes again.
func (s ClientStatus) Terminal() bool {
	return s == ClientComplete || s == ClientFailed || s == ClientLost
}

// Descriptions of desired statuses, which tools match on.
const (
	DescNotNeeded   = "alloc not needed due to job update"
	DescReconnected = "alloc not needed due to disconnected client reconnect"
	DescMigrating   = "alloc is being migrated"
	DescUpdating    = "alloc is being updated due to job update"
	DescLost        = "alloc is lost since its node is down"
	DescUnknown     = "alloc is unknown since its node is disconnected"
	DescTainted     = "alloc not needed as node is tainted"
	DescRescheduled = "alloc was rescheduled because it failed"
	DescPreempted   = "Preempted by alloc ID "
)

// An Allocation is one run of a group on a node. The planner writes where it
// runs and what is desired; the client that runs it writes what is observed.
// It names its job's version and does not hold it. Most of its fields are empty in
// most of them, and are left out of all encodings.
type Allocation struct {
	ID            AllocID       `json:",omitempty" wire:",omitempty"`
	Namespace     string        `json:",omitempty" wire:",omitempty"`
	EvalID        EvalID        `json:",omitempty" wire:",omitempty"` // that placed it or last changed it
	Name          string        `json:",omitempty" wire:",omitempty"` // AllocName
	NodeID        NodeID        `json:",omitempty" wire:",omitempty"`
	NodeName      string        `json:",omitempty" wire:",omitempty"`
	JobID         JobID         `json:",omitempty" wire:",omitempty"`
	JobVersion    uint64        `json:",omitempty" wire:",omitempty"`
	TaskGroup     string        `json:",omitempty" wire:",omitempty"`
	DesiredStatus DesiredStatus `json:",omitempty" wire:",omitempty"`

	DesiredDescription    string              `json:",omitempty" wire:",omitempty"`
	DesiredTransition     DesiredTransition   `json:",omitzero" wire:",omitempty"`
	AllocatedResources    *AllocatedResources `json:",omitempty" wire:",omitempty"`
	Metrics               *AllocMetric        `json:",omitempty" wire:",omitempty"` // why it is where it is
	DeploymentID          DeploymentID        `json:",omitempty" wire:",omitempty"`
	PreviousAllocation    AllocID             `json:",omitempty" wire:",omitempty"`
	NextAllocation        AllocID             `json:",omitempty" wire:",omitempty"`
	RescheduleTracker     *RescheduleTracker  `json:",omitempty" wire:",omitempty"`
	FollowupEvalID        EvalID              `json:",omitempty" wire:",omitempty"`
	PreemptedAllocations  []AllocID           `json:",omitempty" wire:",omitempty"`
	PreemptedByAllocation AllocID             `json:",omitempty" wire:",omitempty"`

	ClientStatus      ClientStatus          `json:",omitempty" wire:",omitempty"`
	ClientDescription string                `json:",omitempty" wire:",omitempty"`
	TaskStates        map[string]*TaskState `json:",omitempty" wire:",omitempty"`
	NetworkStatus     *NetworkStatus        `json:",omitempty" wire:",omitempty"`
	DeploymentStatus  *AllocDeployment      `json:",omitempty" wire:",omitempty"`
	AllocStates       []AllocStateChange    `json:",omitempty" wire:",omitempty"` // of ClientStatus, made by servers

	// AllocModifyIndex changes with what servers write, ModifyIndex with all.
	AllocModifyIndex uint64 `json:",omitempty" wire:",omitempty"`
	CreateIndex      uint64 `json:",omitempty" wire:",omitempty"`
	ModifyIndex      uint64 `json:",omitempty" wire:",omitempty"`
	CreateTime       int64  `json:",omitempty" wire:",omitempty"` // Unix nanoseconds
	ModifyTime       int64  `json:",omitempty" wire:",omitempty"`
}

// AllocName is "job.group[index]". The index says which of a group's count an
// allocation is; a replacement has its predecessor's name.
func AllocName(job, group string, index int) string {
	return job + "." + group + "[" + strconv.Itoa(index) + "]"
}

// Index returns the number in the allocation's name, or -1.
func (a *Allocation) Index() int {
	open := strings.LastIndexByte(a.Name, '[')
	if open < 0 || !strings.HasSuffix(a.Name, "]") {
		return -1
	}
	n, err := strconv.Atoi(a.Name[open+1 : len(a.Name)-1])
	if err != nil {
		return -1
	}
	return n
}

// JobKey identifies the allocation's job.
func (a *Allocation) JobKey() JobKey { return JobKey{a.Namespace, a.JobID} }

// ServerTerminal reports an allocation that servers want gone.
func (a *Allocation) ServerTerminal() bool {
	return a.DesiredStatus == DesiredStop || a.DesiredStatus == DesiredEvict
}

// Terminal reports an allocation that does not run, or will not for long.
func (a *Allocation) Terminal() bool { return a.ServerTerminal() || a.ClientStatus.Terminal() }

// Healthy reports what the client found for the deployment; nil is undecided.
func (a *Allocation) Healthy() *bool {
	if a.DeploymentStatus == nil {
		return nil
	}
	return a.DeploymentStatus.Healthy
}

// IsCanary reports a canary that was not promoted.
func (a *Allocation) IsCanary() bool { return a.DeploymentStatus != nil && a.DeploymentStatus.Canary }

// Returning reports an allocation that servers last knew as unknown: whatever its
// client says since, nobody has decided yet whether it is to go on.
func (a *Allocation) Returning() bool {
	return len(a.AllocStates) > 0 && a.AllocStates[len(a.AllocStates)-1].Value == string(ClientUnknown)
}

// UnknownSince is when the allocation last became unknown, or zero.
func (a *Allocation) UnknownSince() (at time.Time) {
	for i := len(a.AllocStates) - 1; i >= 0; i-- {
		switch {
		case a.AllocStates[i].Value == string(ClientUnknown):
			at = a.AllocStates[i].Time
		case !at.IsZero():
			return at
		}
	}
	return at
}

// LostSince is when servers gave the allocation up, or zero.
func (a *Allocation) LostSince() time.Time {
	for _, s := range a.AllocStates {
		if s.Value == string(ClientLost) {
			return s.Time
		}
	}
	return time.Time{}
}

// Became adds a client status to those that servers have noted, unless nothing
// changes by it: the first is one that clients do not set.
func (a *Allocation) Became(s ClientStatus, at time.Time) {
	l := len(a.AllocStates)
	if l > 0 && a.AllocStates[l-1].Value == string(s) || l == 0 && s != ClientUnknown && s != ClientLost {
		return
	}
	a.AllocStates = append(slices.Clone(a.AllocStates), AllocStateChange{Value: string(s), Time: at.UTC()})
}

// DesiredTransition is what servers ask the scheduler to do with an allocation;
// nil is "not asked".
type DesiredTransition struct {
	Migrate                 *bool
	Reschedule              *bool
	ForceReschedule         *bool
	NoShutdownDelay         *bool
	MigrateDisablePlacement *bool
}

// Merge overlays what o asks for.
func (d *DesiredTransition) Merge(o DesiredTransition) {
	for _, f := range []struct{ dst, src **bool }{
		{&d.Migrate, &o.Migrate}, {&d.Reschedule, &o.Reschedule}, {&d.ForceReschedule, &o.ForceReschedule},
		{&d.NoShutdownDelay, &o.NoShutdownDelay}, {&d.MigrateDisablePlacement, &o.MigrateDisablePlacement},
	} {
		if *f.src != nil {
			*f.dst = *f.src
		}
	}
}

// Asked reports an asked-for transition.
func Asked(b *bool) bool { return b != nil && *b }

// AllocatedResources are what an allocation got.
type AllocatedResources struct {
	Tasks          map[string]*AllocatedTask
	TaskLifecycles map[string]*Lifecycle
	Shared         AllocatedShared
}

// AllocatedTask is a task's part.
type AllocatedTask struct {
	Cpu      AllocatedCPU
	Memory   AllocatedMemory
	Networks []Network
	Devices  []AllocatedDevice
}

type AllocatedCPU struct {
	CpuShares     int64 // MHz, with those of ReservedCores
	ReservedCores []uint16
}

type AllocatedMemory struct {
	MemoryMB    int64
	MemoryMaxMB int64 // 0: no more than MemoryMB; -1: unlimited
}

type AllocatedDevice struct {
	Vendor    string
	Type      string
	Name      string
	DeviceIDs []string
}

// AllocatedShared is what the tasks share.
type AllocatedShared struct {
	Networks []Network
	DiskMB   int64
	Ports    []AllocatedPort
}

// AllocatedPort is a port of the node given to the allocation.
type AllocatedPort struct {
	Label           string `json:",omitempty"`
	Value           int    `json:",omitempty"`
	To              int    `json:",omitempty"`
	HostIP          string `json:",omitempty"`
	IgnoreCollision bool   `json:",omitempty"`
}

// AllocDeployment is an allocation's part in a deployment.
type AllocDeployment struct {
	Healthy     *bool // nil: not decided yet
	Timestamp   *time.Time
	Canary      bool
	ModifyIndex uint64
}

// AllocStateChange is a change of ClientStatus that servers made.
type AllocStateChange struct {
	Field int // 0: ClientStatus
	Value string
	Time  time.Time
}

// RescheduleTracker is the history of an allocation's predecessors.
type RescheduleTracker struct {
	Events         []RescheduleEvent
	LastReschedule string // "ok", "no placement"
}

type RescheduleEvent struct {
	RescheduleTime int64 // Unix nanoseconds
	PrevAllocID    AllocID
	PrevNodeID     NodeID
	Delay          time.Duration
}

// NetworkStatus is how an allocation is reached.
type NetworkStatus struct {
	InterfaceName string
	Address       string
	AddressIPv6   string
	DNS           *DNS
}

// Task states. A task moves pending → running → dead, and back to pending when
// it is restarted.
const (
	TaskPending = "pending"
	TaskRunning = "running"
	TaskDead    = "dead"
)

// TaskState is what became of a task.
type TaskState struct {
	State       string
	Failed      bool
	Restarts    uint64
	LastRestart *time.Time
	StartedAt   *time.Time
	FinishedAt  *time.Time
	Events      []TaskEvent // oldest first, the last 10
	Paused      string
}

// TaskEventsKept is how many events of a task are remembered.
const TaskEventsKept = 10

// Successful reports a task that ended well.
func (s *TaskState) Successful() bool { return s.State == TaskDead && !s.Failed }

// Types of task events.
const (
	EventReceived         = "Received"
	EventTaskSetup        = "Task Setup"
	EventSetupFailure     = "Setup Failure"
	EventFailedValidation = "Failed Validation"
	EventDriver           = "Driver"
	EventDriverFailure    = "Driver Failure"
	EventStarted          = "Started"
	EventTerminated       = "Terminated"
	EventRestarting       = "Restarting"
	EventNotRestarting    = "Not Restarting"
	EventRestartSignaled  = "Restart Signaled"
	EventSignaling        = "Signaling"
	EventKilling          = "Killing"
	EventKilled           = "Killed"
	EventSiblingFailed    = "Sibling Task Failed"
	EventLeaderDead       = "Leader Task Dead"
	EventMainDead         = "Main Tasks Dead"
	EventHookFailed       = "Task hook failed"
	EventHookMessage      = "Task hook message"
	EventRestoreFailed    = "Failed Restoring Task"
	EventReconnected      = "Reconnected"
	EventShutdownDelay    = "Waiting for shutdown delay"
	EventSkipDelay        = "Skipping shutdown delay"
	EventAllocUnhealthy   = "Alloc Unhealthy"
)

// A TaskEvent is something that happened to a task. Older tools read scalar
// fields that the HTTP layer derives from Details.
type TaskEvent struct {
	Type           string
	Time           int64 // Unix nanoseconds
	DisplayMessage string
	Details        map[string]string
	Message        string
}

// AllocMetric tells how a placement was decided, or why there was none.
type AllocMetric struct {
	NodesEvaluated     int
	NodesFiltered      int
	NodesInPool        int
	NodePool           string
	NodesAvailable     map[string]int // by datacenter
	ClassFiltered      map[string]int
	ConstraintFiltered map[string]int // by reason
	NodesExhausted     int
	ClassExhausted     map[string]int
	DimensionExhausted map[string]int // by resource
	QuotaExhausted     []string
	ResourcesExhausted map[string]*Resources // by task
	Scores             map[string]float64    // always nil; ScoreMetaData replaced it
	ScoreMetaData      []*NodeScore          // the best few, best first
	AllocationTime     time.Duration
	CoalescedFailures  int // further allocations of the group that failed alike
	// Obstacles are kept of failed placements alone: the reasons above, with what
	// would have to be different.
	Obstacles []Obstacle `json:",omitempty"`
}

// NodeScore is how a node was rated.
type NodeScore struct {
	NodeID    NodeID
	Scores    Scores
	NormScore float64
}

// Scores are what a node's rating is the mean of. In JSON they are an object. Each
// allocation keeps those of some nodes, and as a map they would be most of it.
type Scores []Score

// Score is what one ranker says.
type Score struct {
	Name  string // of the ranker
	Value float64
}

// Of returns what a ranker says, 0 if it says nothing.
func (s Scores) Of(name string) float64 {
	for _, score := range s {
		if score.Name == name {
			return score.Value
		}
	}
	return 0
}

// String shows them as what they are in JSON, so that templates print the same.
func (s Scores) String() string { return fmt.Sprint(s.byName()) }

func (s Scores) byName() map[string]float64 {
	out := make(map[string]float64, len(s))
	for _, score := range s {
		out[score.Name] = score.Value
	}
	return out
}

// MarshalJSON writes an object with the scores by name.
func (s Scores) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte("null"), nil
	}
	return json.Marshal(s.byName())
}

// UnmarshalJSON reads such an object; the scores come in order of their names.
func (s *Scores) UnmarshalJSON(b []byte) error {
	var byName map[string]float64
	if err := json.Unmarshal(b, &byName); err != nil || byName == nil {
		return err
	}
	*s = make(Scores, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		*s = append(*s, Score{name, byName[name]})
	}
	return nil
}
