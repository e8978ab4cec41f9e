// Package scheduler decides what an evaluation makes of a job: a pure function
// from a view of the state to a plan. What is compared with what is asked for is
// decided in reconcile, which nodes can run a group in feasible, which is the
// best of them in rank, and who leaves a full one in preempt; here the four are
// joined.
//
// There are three ways to have it decide otherwise, from the least to the most:
//
//   - A rule more for all jobs: a check of nodes with feasible.Register, a rating of
//     them with rank.Register.
//   - Other ratings for the jobs that ask for them: a Scheduler that Rated makes, given
//     a name with Register. See package leastcost.
//   - Something altogether different: any function that is a Scheduler, with Register.
//
// A job asks for a scheduler in its meta:
//
//	meta = {
//	  "nomadlike.scheduler" = "leastcost"
//	}
//
// Meta goes through every tool that knows jobs, and means nothing to those that do not
// know the key. Names that no scheduler has are refused when the job is registered. As
// any change of meta, a change of the scheduler replaces what runs.
//
// What any scheduler must keep to is checked by package schedulertest.
package scheduler

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// A View is the state that is decided on. What it returns must not be changed.
type View interface {
	Index() uint64
	Job(n.JobKey) *n.Job
	JobVersion(n.JobKey, uint64) *n.Job
	JobAllocs(table.WatchSet, n.JobKey) iter.Seq[*n.Allocation]
	Node(n.NodeID) *n.Node
	Fleet() *fleet.Fleet
	NodeAllAllocs(table.WatchSet, n.NodeID) iter.Seq[*n.Allocation]
	LatestDeployment(n.JobKey) *n.Deployment
	SchedulerConfig() *n.SchedulerConfiguration
}

// Options is what a decision depends on beside the state and the evaluation.
type Options struct {
	Now  time.Time
	Seed uint64 // of all that is left to chance
	// scorers rate nodes; nil: all that are registered.
	scorers []rank.Scorer
	Why     bool // tell which nodes were ruled out, and by what; it costs a look at each
}

// A Decision is what is to become of an evaluation. It takes effect as a whole.
type Decision struct {
	Plan     *n.Plan         // nil or NoOp: nothing changes
	Eval     *n.Evaluation   // the evaluation with its outcome
	NewEvals []*n.Evaluation // that follow from it
	// Why is there if Options asked for it, by group. It has no Placements: their
	// scores are in the allocations' metrics.
	Why map[string]*n.GroupWhy
}

// A Scheduler handles one evaluation. It depends on nothing but its arguments, may be
// called by many goroutines at once, and changes nothing of what the view returns. Its
// plan is checked once more before it takes effect, and what does not fit any more is
// dropped; then it is asked again, with newer state. An error means that it could not decide,
// and is to be asked again later.
type Scheduler func(View, *n.Evaluation, Options) (*Decision, error)

// usual are the schedulers of jobs that ask for none, by type.
var usual = map[string]Scheduler{
	n.JobTypeService:  generic,
	n.JobTypeBatch:    generic,
	n.JobTypeSystem:   everywhere,
	n.JobTypeSysBatch: everywhere,
}

// triggers that each type of job accepts beyond those of all.
var (
	common = []string{
		n.TriggerJobRegister, n.TriggerNodeUpdate, n.TriggerFailedFollowUp, n.TriggerJobDeregister, n.TriggerRollingUpdate, n.TriggerPreemption,
		n.TriggerDeployment, n.TriggerNodeDrain, n.TriggerAllocStop, n.TriggerQueuedAllocs, n.TriggerJobScaling, n.TriggerReconnect,
	}
	counted = append([]string{
		n.TriggerPeriodicJob, n.TriggerAllocFailure, n.TriggerAllocReschedule, n.TriggerMaxPlans, n.TriggerDisconnectTimeout,
	}, common...)
	triggers = map[string][]string{
		n.JobTypeService:  counted,
		n.JobTypeBatch:    counted,
		n.JobTypeSystem:   common,
		n.JobTypeSysBatch: append([]string{n.TriggerPeriodicJob}, common...),
	}
)

// Process decides about an evaluation with the scheduler that its job asks for, or
// with the usual one of its type.
func Process(v View, e *n.Evaluation, o Options) (*Decision, error) {
	s, why := find(v, e)
	if why != "" {
		failed := *e
		failed.Status, failed.StatusDescription = n.EvalFailed, why
		return &Decision{Eval: &failed}, nil
	}
	if s == nil {
		return nil, unknownType(e)
	}
	if accepted := triggers[e.Type]; accepted != nil && !slices.Contains(accepted, e.TriggeredBy) {
		failed := *e
		failed.Status = n.EvalFailed
		failed.StatusDescription = fmt.Sprintf("scheduler cannot handle '%s' evaluation reason", e.TriggeredBy)
		return &Decision{Eval: &failed}, nil
	}
	return s(v, e, o)
}

// Fits reports whether allocations fit on a node together, and if not, what
// there is too little of.
func Fits(node *n.Node, allocs []*n.Allocation) (ok bool, lacking string) {
	return rank.Fits(node, allocs)
}

// chance is all randomness of one decision.
type chance struct {
	*rand.Rand
	source *rand.ChaCha8
}

func newChance(seed uint64) chance {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	source := rand.NewChaCha8(key)
	return chance{rand.New(source), source}
}

func (c chance) id() string {
	id, err := uuid.NewRandomFromReader(c.source)
	if err != nil {
		panic(err) // the source never fails
	}
	return id.String()
}
