package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	JobDispatch        = write[n.JobDispatch, n.JobDispatched]("Job.Dispatch", "PUT /v1/job/{JobID...}/dispatch", Leader, namespace("dispatch-job"))
	JobDispatchPayload = write[n.JobDispatchPayload, n.JobDispatched]("Job.DispatchPayload", "PUT /v1/job/{JobID...}/dispatch/payload", Leader, namespace("dispatch-job"))
	JobPeriodicForce   = write[n.JobPeriodicForce, n.JobPeriodicForced]("Job.PeriodicForce", "PUT /v1/job/{JobID...}/periodic/force", Leader,
		namespace("dispatch-job", "submit-job", "force-periodic-job"))
)
