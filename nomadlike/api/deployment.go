package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	DeploymentList   = read[n.ListRequest, []*n.Deployment]("Deployment.List", "GET /v1/deployments", Leader, readJob, blocking)
	DeploymentGet    = read[n.DeploymentQuery, *n.Deployment]("Deployment.Get", "GET /v1/deployment/{DeploymentID}", Leader, readJob, blocking)
	DeploymentAllocs = read[n.DeploymentQuery, []*n.AllocStub]("Deployment.Allocations", "GET /v1/deployment/allocations/{DeploymentID}", Leader, readJob, blocking)

	DeploymentFail    = write[n.DeploymentChange, n.DeploymentChanged]("Deployment.Fail", "PUT /v1/deployment/fail/{DeploymentID}", Leader, namespace("submit-job", "fail-deployment"))
	DeploymentPause   = write[n.DeploymentChange, n.DeploymentChanged]("Deployment.Pause", "PUT /v1/deployment/pause/{DeploymentID}", Leader, namespace("submit-job", "pause-deployment"))
	DeploymentPromote = write[n.DeploymentChange, n.DeploymentChanged]("Deployment.Promote", "PUT /v1/deployment/promote/{DeploymentID}", Leader, namespace("submit-job", "promote-deployment"))
	DeploymentHealth  = write[n.DeploymentHealth, n.DeploymentChanged]("Deployment.SetAllocHealth", "PUT /v1/deployment/allocation-health/{DeploymentID}", Leader, namespace("submit-job", "set-alloc-health-deployment"))
)
