package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// A named scheduler is one that jobs ask for.
type named struct {
	schedule Scheduler
	types    []string // of jobs
}

var byName = map[string]named{}

// Register adds a scheduler for jobs that ask for it by name, in their meta with the
// key n.MetaScheduler. It handles jobs of these types, or of all types if none are
// given. Register is called before any scheduling, and panics on a name that is taken.
func Register(name string, s Scheduler, types ...string) {
	if _, taken := byName[name]; taken || usual[name] != nil || name == "" {
		panic(fmt.Sprintf("scheduler: there is one named %q", name))
	}
	if len(types) == 0 {
		types = slices.Sorted(maps.Keys(usual))
	}
	byName[name] = named{s, types}
}

// Names lists the schedulers that jobs may ask for, each with the types of jobs that
// it handles.
func Names() map[string][]string {
	out := map[string][]string{}
	for name, s := range byName {
		out[name] = s.types
	}
	return out
}

// Rated returns a scheduler that decides as the usual one does, but rates nodes with
// the scorers that change makes of the usual ones. change may change its argument.
func Rated(change func(usual []rank.Scorer) []rank.Scorer) Scheduler {
	return func(v View, e *n.Evaluation, o Options) (*Decision, error) {
		s := usual[e.Type]
		if s == nil {
			return nil, unknownType(e)
		}
		o.scorers = change(rank.Scorers())
		return s(v, e, o)
	}
}

func unknownType(e *n.Evaluation) error {
	return fmt.Errorf("no scheduler handles evaluations of type %q", e.Type)
}

// find returns the scheduler of an evaluation: the one that its job asks for, or the
// usual one of its type. why says in words that there is none of the name.
func find(v View, e *n.Evaluation) (s Scheduler, why string) {
	job := v.Job(e.JobKey())
	if job == nil || job.Meta[n.MetaScheduler] == "" {
		return usual[e.Type], ""
	}
	name := job.Meta[n.MetaScheduler]
	switch s, ok := byName[name]; {
	case !ok:
		return nil, fmt.Sprintf("no scheduler is named %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(byName)), ", "))
	case !slices.Contains(s.types, e.Type):
		return nil, fmt.Sprintf("scheduler %q handles no jobs of type %q", name, e.Type)
	default:
		return s.schedule, ""
	}
}
