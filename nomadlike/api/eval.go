package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	EvalList   = read[n.EvalListRequest, []*n.Evaluation]("Eval.List", "GET /v1/evaluations", Leader, readJob, blocking)
	EvalCount  = readAs[n.EvalListRequest, n.Counted]("Eval.Count", "GET /v1/evaluations/count", Leader, readJob, blocking)
	EvalGet    = read[n.EvalQuery, *n.Evaluation]("Eval.Get", "GET /v1/evaluation/{EvalID}", Leader, readJob, blocking)
	EvalAllocs = read[n.EvalQuery, []*n.AllocStub]("Eval.Allocations", "GET /v1/evaluation/{EvalID}/allocations", Leader, readJob, blocking)
)
