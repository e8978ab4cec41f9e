package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var readJob = namespace("read-job")

var (
	JobList = read[n.JobListRequest, []*n.JobStub]("Job.List", "GET /v1/jobs", Leader, namespace("list-jobs"), blocking)

	JobRegister = write[n.JobRegister, n.JobRegistered]("Job.Register", "PUT /v1/jobs", Leader, namespace("submit-job", "register-job"),
		also("PUT /v1/job/{JobID...}"))
	JobParse      = write[n.JobParse, n.Raw]("Job.Parse", "PUT /v1/jobs/parse", Agent, namespace("parse-job", "submit-job"))
	JobValidate   = write[n.JobValidate, n.JobValidated]("Job.Validate", "PUT /v1/validate/job", Leader, readJob)
	JobPlan       = write[n.JobPlan, n.JobPlanned]("Job.Plan", "PUT /v1/job/{JobID...}/plan", Leader, namespace("submit-job", "plan-job"))
	JobDeregister = write[n.JobDeregister, n.JobDeregistered]("Job.Deregister", "DELETE /v1/job/{JobID...}", Leader, namespace("submit-job", "deregister-job"))
	JobEvaluate   = write[n.JobEvaluate, n.JobRegistered]("Job.Evaluate", "PUT /v1/job/{JobID...}/evaluate", Leader, namespace("submit-job", "evaluate-job"))

	JobGet         = read[n.JobQuery, *n.Job]("Job.Get", "GET /v1/job/{JobID...}", Leader, readJob, blocking)
	JobAllocs      = read[n.JobQuery, []*n.AllocStub]("Job.Allocations", "GET /v1/job/{JobID...}/allocations", Leader, readJob, blocking)
	JobEvals       = read[n.JobQuery, []*n.Evaluation]("Job.Evaluations", "GET /v1/job/{JobID...}/evaluations", Leader, readJob, blocking)
	JobDeployments = read[n.JobQuery, []*n.Deployment]("Job.Deployments", "GET /v1/job/{JobID...}/deployments", Leader, readJob, blocking)
	JobDeployment  = read[n.JobQuery, *n.Deployment]("Job.LatestDeployment", "GET /v1/job/{JobID...}/deployment", Leader, readJob, blocking)
	JobSummary     = read[n.JobQuery, *n.JobSummary]("Job.Summary", "GET /v1/job/{JobID...}/summary", Leader, readJob, blocking)
	JobVersions    = readAs[n.JobVersionsRequest, n.JobVersions]("Job.Versions", "GET /v1/job/{JobID...}/versions", Leader, readJob, blocking)
	JobSubmission  = read[n.JobSubmissionQuery, *n.JobSubmission]("Job.Submission", "GET /v1/job/{JobID...}/submission", Leader, readJob, blocking)
)
