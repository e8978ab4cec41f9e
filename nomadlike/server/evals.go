package server

import (
	"context"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func (s *Server) evalList(ctx context.Context, req *n.EvalListRequest) (*n.Reply[[]*n.Evaluation], error) {
	if err := checkEvalList(req); err != nil {
		return nil, err
	}
	return list(ctx, s, &req.QueryOptions, state.EvalsIndex, func(e *n.Evaluation) string { return ageToken(req.Prefix, e.CreateIndex, string(e.ID)) },
		func(v *state.View, ws table.WatchSet) source[*n.Evaluation] { return evalSource(v, ws, req) }, all)
}

func checkEvalList(req *n.EvalListRequest) error {
	if req.Filter != "" && (req.Status != "" || req.JobID != "") {
		return errs.New(errs.Invalid, "Filter expression cannot be used with other filter parameters")
	}
	return checkPrefix(req.Prefix)
}

func evalSource(v *state.View, ws table.WatchSet, req *n.EvalListRequest) source[*n.Evaluation] {
	from := inNamespace(v.Evals(ws, req.Prefix), req.Namespace, func(e *n.Evaluation) string { return e.Namespace })
	return inOrder(func(yield func(*n.Evaluation) bool) {
		for e := range from {
			if req.Status != "" && string(e.Status) != req.Status || req.JobID != "" && e.JobID != req.JobID {
				continue
			}
			if !yield(e) {
				return
			}
		}
	}, req.Prefix, evalAge)
}

func (s *Server) evalCount(ctx context.Context, req *n.EvalListRequest) (*n.Counted, error) {
	req.PerPage, req.NextToken = 0, ""
	reply, err := s.evalList(ctx, req)
	if err != nil {
		return nil, err
	}
	return &n.Counted{Count: len(reply.Value), QueryMeta: reply.QueryMeta}, nil
}

func (s *Server) evalGet(ctx context.Context, req *n.EvalQuery) (*n.Reply[*n.Evaluation], error) {
	if err := checkID("failed to lookup eval: eval", string(req.EvalID)); err != nil {
		return nil, err
	}
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.Evaluation, uint64, error) {
		e := v.Eval(ws, req.EvalID)
		if e == nil {
			return nil, state.EvalsIndex(v, nil), errs.New(errs.NotFound, "eval not found")
		}
		if req.Related {
			with := *e
			with.RelatedEvals = related(v, e)
			return &with, e.ModifyIndex, nil
		}
		return e, e.ModifyIndex, nil
	})
}

// related are the evaluations that one led to or came from.
func related(v *state.View, e *n.Evaluation) []n.EvalStub {
	var out []n.EvalStub
	seen := map[n.EvalID]bool{e.ID: true}
	todo := []n.EvalID{e.NextEval, e.PreviousEval, e.BlockedEval}
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		if r := v.Eval(nil, id); r != nil {
			var stub n.EvalStub
			project(&stub, r)
			out = append(out, stub)
			todo = append(todo, r.NextEval, r.PreviousEval, r.BlockedEval)
		}
	}
	return out
}

func (s *Server) evalAllocs(ctx context.Context, req *n.EvalQuery) (*n.Reply[[]*n.AllocStub], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.AllocStub, uint64, error) {
		return allocStubs(v, v.EvalAllocs(ws, req.EvalID)), state.AllocsIndex(v, nil), nil
	})
}
