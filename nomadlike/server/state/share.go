package state

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"unique"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// What is decoded comes with memory of its own for each word and each map in it, and
// most of these are the same in a million allocations: what happened to their tasks,
// what they got, how many nodes there were. A sharer lets them be one. It may, since
// nobody changes what is stored.
type sharer struct {
	mu    sync.Mutex
	parts map[string]any
}

// shared is for all states of this process.
var shared = &sharer{parts: map[string]any{}}

// mostShared bounds what the sharer itself keeps in memory.
const mostShared = 4096

// word returns the string that others of its text have.
func word[S ~string](s *S) {
	if *s != "" {
		*s = S(unique.Make(string(*s)).Value())
	}
}

// part returns what stands under a key, or v from now on.
func part[T any](s *sharer, key string, v T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.parts[key].(T); ok {
		return known
	}
	if len(s.parts) >= mostShared {
		clear(s.parts)
	}
	s.parts[key] = v
	return v
}

// details shares the details of an event.
func (s *sharer) details(d map[string]string) map[string]string {
	if d == nil {
		return nil
	}
	var key strings.Builder
	key.WriteString("details\x00")
	for _, k := range slices.Sorted(maps.Keys(d)) {
		key.WriteString(k)
		key.WriteByte(0)
		key.WriteString(d[k])
		key.WriteByte(0)
	}
	return part(s, key.String(), d)
}

// states shares what is the same in what happened to tasks.
func (s *sharer) states(states map[string]*n.TaskState) {
	for _, state := range states {
		if state == nil {
			continue
		}
		word(&state.State)
		for i := range state.Events {
			e := &state.Events[i]
			word(&e.Type)
			word(&e.DisplayMessage)
			word(&e.Message)
			e.Details = s.details(e.Details)
		}
	}
}

// alloc shares what is the same in an allocation of a snapshot.
func (s *sharer) alloc(a *n.Allocation) {
	for _, text := range []*string{&a.Namespace, &a.NodeName, &a.TaskGroup, &a.DesiredDescription, &a.ClientDescription} {
		word(text)
	}
	word(&a.EvalID)
	word(&a.NodeID)
	word(&a.JobID)
	word(&a.DeploymentID)
	word(&a.DesiredStatus)
	word(&a.ClientStatus)
	s.states(a.TaskStates)
	if a.AllocatedResources != nil {
		if b, err := wire.Encode(a.AllocatedResources); err == nil {
			a.AllocatedResources = part(s, "resources\x00"+string(b), a.AllocatedResources)
		}
	}
	if a.Metrics != nil {
		s.metric(a.Metrics)
	}
}

// metric shares what is the same in metrics: all but scores and time.
func (s *sharer) metric(m *n.AllocMetric) {
	scores, took := m.ScoreMetaData, m.AllocationTime
	base := *m
	base.ScoreMetaData, base.AllocationTime = nil, 0
	if b, err := wire.Encode(&base); err == nil {
		*m = *part(s, "metric\x00"+string(b), &base)
	}
	m.ScoreMetaData, m.AllocationTime = scores, took
	for i := range m.ScoreMetaData {
		word(&m.ScoreMetaData[i].NodeID)
		for k := range m.ScoreMetaData[i].Scores {
			word(&m.ScoreMetaData[i].Scores[k].Name)
		}
	}
}
