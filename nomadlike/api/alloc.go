package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	AllocList = read[n.AllocListRequest, []*n.AllocStub]("Alloc.List", "GET /v1/allocations", Leader, readJob, blocking)
	AllocGet  = read[n.AllocQuery, *n.AllocDetail]("Alloc.Get", "GET /v1/allocation/{AllocID}", Leader, readJob, blocking)
	AllocStop = write[n.AllocStop, n.AllocStopped]("Alloc.Stop", "PUT /v1/allocation/{AllocID}/stop", Leader, namespace("alloc-lifecycle"))

	AllocLogs    = stream[n.LogsRequest, n.StreamFrame]("Client.Logs", "GET /v1/client/fs/logs/{AllocID}", Node, namespace("read-logs", "read-fs"))
	AllocRestart = write[n.AllocRestart, n.WriteMeta]("Client.RestartAlloc", "PUT /v1/client/allocation/{AllocID}/restart", Node, namespace("alloc-lifecycle"))
	AllocSignal  = write[n.AllocSignal, n.WriteMeta]("Client.SignalAlloc", "PUT /v1/client/allocation/{AllocID}/signal", Node, namespace("alloc-lifecycle"))
	AllocStats   = read[n.AllocStatsRequest, *n.AllocUsage]("Client.AllocStats", "GET /v1/client/allocation/{AllocID}/stats", Node, readJob)
)
