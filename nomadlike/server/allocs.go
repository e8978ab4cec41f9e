package server

import (
	"context"
	"iter"
	"maps"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func (s *Server) allocList(ctx context.Context, req *n.AllocListRequest) (*n.Reply[[]*n.AllocStub], error) {
	if err := checkPrefix(req.Prefix); err != nil {
		return nil, err
	}
	return list(ctx, s, &req.QueryOptions, state.AllocsIndex, func(a *n.Allocation) string { return ageToken(req.Prefix, a.CreateIndex, string(a.ID)) },
		func(v *state.View, ws table.WatchSet) source[*n.Allocation] {
			from := inNamespace(v.AllAllocs(ws, req.Prefix), req.Namespace, func(a *n.Allocation) string { return a.Namespace })
			return inOrder(from, req.Prefix, allocAge)
		},
		func(v *state.View, a *n.Allocation) *n.AllocStub {
			stub := allocStub(v, a)
			if req.Resources {
				stub.AllocatedResources = a.AllocatedResources
			}
			if req.TaskStates != nil && !*req.TaskStates {
				stub.TaskStates = nil
			}
			return stub
		})
}

// inOrder sorts a list by age, unless it was narrowed down by a prefix: then it
// stays in order of ids.
func inOrder[T any](from source[T], prefix string, age func(T) (uint64, string)) source[T] {
	if prefix != "" {
		return from
	}
	return slices.Values(byAge(slices.Collect(from), age))
}

// ageToken names a thing in such a list.
func ageToken(prefix string, index uint64, id string) string {
	if prefix != "" {
		return id
	}
	return table.Uint(index) + "." + id
}

// checkPrefix refuses prefixes that can be of no id.
func checkPrefix(prefix string) error {
	hex := 0
	for _, c := range prefix {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			hex++
		case c != '-':
			return errs.Newf(errs.Internal, "prefix %q is no part of an id: Invalid UUID: encoding/hex: invalid byte: %q", prefix, c)
		}
	}
	if hex%2 != 0 {
		return errs.Newf(errs.Internal, "index error: Input (without hyphens) must be even length")
	}
	return nil
}

// checkID refuses ids that are not whole.
func checkID(what, id string) error {
	if len(id) != 36 {
		return errs.Newf(errs.Internal, "%s lookup failed: index error: UUID must be 36 characters", what)
	}
	return nil
}

func allocStub(v *state.View, a *n.Allocation) *n.AllocStub {
	stub := &n.AllocStub{}
	project(stub, a)
	stub.AllocatedResources = nil
	if job := v.JobVersion(a.JobKey(), a.JobVersion); job != nil {
		stub.JobType = job.Type
	}
	return stub
}

func allocStubs(v *state.View, from iter.Seq[*n.Allocation]) []*n.AllocStub {
	out := []*n.AllocStub{}
	for _, a := range byAge(slices.Collect(from), allocAge) {
		out = append(out, allocStub(v, a))
	}
	return out
}

func (s *Server) allocGet(ctx context.Context, req *n.AllocQuery) (*n.Reply[*n.AllocDetail], error) {
	if err := checkID("alloc", string(req.AllocID)); err != nil {
		return nil, err
	}
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.AllocDetail, uint64, error) {
		a := v.WatchAlloc(ws, req.AllocID)
		if a == nil {
			return nil, state.AllocsIndex(v, nil), errs.New(errs.NotFound, "alloc not found")
		}
		return allocDetail(v, a), a.ModifyIndex, nil
	})
}

func allocDetail(v *state.View, a *n.Allocation) *n.AllocDetail {
	return &n.AllocDetail{Allocation: *a, Job: v.JobVersion(a.JobKey(), a.JobVersion)}
}

func (s *Server) allocStop(ctx context.Context, req *n.AllocStop) (*n.AllocStopped, error) {
	view := s.store.Read()
	a := view.Alloc(req.AllocID)
	if a == nil {
		return nil, errs.New(errs.NotFound, "allocation not found")
	}
	e := &n.Evaluation{
		ID: n.EvalID(newID()), Namespace: a.Namespace, JobID: a.JobID, Type: n.JobTypeService, Priority: n.JobDefaultPriority,
		TriggeredBy: n.TriggerAllocStop, Status: n.EvalPending,
	}
	if job := view.Job(a.JobKey()); job != nil {
		e.Type, e.Priority, e.JobModifyIndex = job.Type, job.Priority, job.JobModifyIndex
	}
	yes := true
	t := n.DesiredTransition{Migrate: &yes, NoShutdownDelay: &req.NoShutdownDelay}
	if req.Reschedule {
		t.Reschedule = &yes
	}
	_, index, err := commitTo(ctx, s, state.TransitionAllocs, &state.AllocTransition{
		Allocs: []n.AllocID{a.ID}, Transition: t, Evals: []*n.Evaluation{e}, Now: now(),
	})
	if err != nil {
		return nil, err
	}
	return &n.AllocStopped{EvalID: e.ID, WriteMeta: n.WriteMeta{Index: index}}, nil
}

// preempted lists what would leave if a plan were carried out, as it is now.
func preempted(v *state.View, p *n.Plan) (out []n.AllocStub) {
	for _, id := range slices.Sorted(maps.Keys(p.NodePreemptions)) {
		for _, a := range p.NodePreemptions[id] {
			out = append(out, *allocStub(v, v.Alloc(a.ID)))
		}
	}
	return out
}
