package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	JobScale       = write[n.JobScale, n.JobRegistered]("Job.Scale", "PUT /v1/job/{JobID...}/scale", Leader, namespace("scale-job", "submit-job"))
	JobScaleStatus = read[n.JobQuery, *n.JobScaleStatus]("Job.ScaleStatus", "GET /v1/job/{JobID...}/scale", Leader, namespace("read-job", "read-job-scaling"), blocking)

	ScalingPolicyList = read[n.ScalingPolicyListRequest, []*n.ScalingPolicyStub]("Scaling.ListPolicies", "GET /v1/scaling/policies", Leader,
		namespace("list-scaling-policies", "read-job"), blocking)
	ScalingPolicyGet = read[n.ScalingPolicyQuery, *n.ScalingPolicy]("Scaling.GetPolicy", "GET /v1/scaling/policy/{PolicyID}", Leader,
		namespace("read-scaling-policy", "read-job"), blocking)
)
