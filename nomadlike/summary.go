package nomadlike

// A JobSummary counts a job's allocations by group and status.
type JobSummary struct {
	JobID       JobID
	Namespace   string
	Summary     map[string]*GroupSummary
	Children    *ChildrenSummary
	CreateIndex uint64
	ModifyIndex uint64
}

// GroupSummary counts a group's allocations. Queued are those that are wanted
// and have no place; Complete and Failed never go down.
type GroupSummary struct {
	Queued   int
	Complete int
	Failed   int
	Running  int
	Starting int
	Lost     int
	Unknown  int
}

// Counter returns the count of a client status.
func (s *GroupSummary) Counter(c ClientStatus) *int {
	switch c {
	case ClientPending:
		return &s.Starting
	case ClientRunning:
		return &s.Running
	case ClientComplete:
		return &s.Complete
	case ClientFailed:
		return &s.Failed
	case ClientLost:
		return &s.Lost
	}
	return &s.Unknown
}

// ChildrenSummary counts the children of a periodic or parameterized job.
type ChildrenSummary struct {
	Pending int
	Running int
	Dead    int
}

// SchedulerConfiguration is what operators may change of scheduling while it
// runs.
type SchedulerConfiguration struct {
	SchedulerAlgorithm            string // "binpack", "spread", or the name of a registered ranker
	PreemptionConfig              PreemptionConfig
	MemoryOversubscriptionEnabled bool
	RejectJobRegistration         bool
	PauseEvalBroker               bool
	CreateIndex                   uint64
	ModifyIndex                   uint64
}

// Algorithms of ranking that are built in.
const (
	AlgorithmBinpack = "binpack"
	AlgorithmSpread  = "spread"
)

// PreemptionConfig says which schedulers may stop less important work.
type PreemptionConfig struct {
	SystemSchedulerEnabled   bool
	SysBatchSchedulerEnabled bool
	BatchSchedulerEnabled    bool
	ServiceSchedulerEnabled  bool
}

// Enabled reports whether jobs of a type may.
func (c PreemptionConfig) Enabled(jobType string) bool {
	switch jobType {
	case JobTypeSystem:
		return c.SystemSchedulerEnabled
	case JobTypeSysBatch:
		return c.SysBatchSchedulerEnabled
	case JobTypeBatch:
		return c.BatchSchedulerEnabled
	case JobTypeService:
		return c.ServiceSchedulerEnabled
	}
	return false
}
