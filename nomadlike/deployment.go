package nomadlike

import "time"

// DeploymentStatus is the status of a deployment.
type DeploymentStatus string

const (
	DeploymentRunning      DeploymentStatus = "running"
	DeploymentPaused       DeploymentStatus = "paused"
	DeploymentFailed       DeploymentStatus = "failed"
	DeploymentSuccessful   DeploymentStatus = "successful"
	DeploymentCancelled    DeploymentStatus = "cancelled" // two l, unlike evaluations
	DeploymentInitializing DeploymentStatus = "initializing"
	DeploymentPending      DeploymentStatus = "pending"
	DeploymentBlocked      DeploymentStatus = "blocked"
	DeploymentUnblocking   DeploymentStatus = "unblocking"
)

// Active reports a deployment that goes on.
func (s DeploymentStatus) Active() bool {
	return s != DeploymentFailed && s != DeploymentSuccessful && s != DeploymentCancelled && s != ""
}

// Descriptions of deployment statuses, which tools match on.
const (
	DescDeploymentRunning        = "Deployment is running"
	DescDeploymentManualPromote  = "Deployment is running but requires manual promotion"
	DescDeploymentAutoPromote    = "Deployment is running pending automatic promotion"
	DescDeploymentPaused         = "Deployment is paused"
	DescDeploymentSuccessful     = "Deployment completed successfully"
	DescDeploymentStopped        = "Cancelled because job is stopped"
	DescDeploymentNewerJob       = "Cancelled due to newer version of job"
	DescDeploymentFailedAllocs   = "Failed due to unhealthy allocations"
	DescDeploymentFailedProgress = "Failed due to progress deadline"
	DescDeploymentFailedByUser   = "Deployment marked as failed"
)

// A Deployment is the way from one version of a job to the next.
type Deployment struct {
	ID                 DeploymentID
	Namespace          string
	JobID              JobID
	JobVersion         uint64
	JobModifyIndex     uint64
	JobSpecModifyIndex uint64
	JobCreateIndex     uint64
	IsMultiregion      bool
	TaskGroups         map[string]*DeploymentGroup
	Status             DeploymentStatus
	StatusDescription  string
	EvalPriority       int
	CreateIndex        uint64
	ModifyIndex        uint64
	CreateTime         int64 // Unix nanoseconds
	ModifyTime         int64
}

// JobKey identifies the deployment's job.
func (d *Deployment) JobKey() JobKey { return JobKey{d.Namespace, d.JobID} }

// RequiresPromotion reports canaries that wait to be promoted.
func (d *Deployment) RequiresPromotion() bool {
	for _, g := range d.TaskGroups {
		if g.DesiredCanaries > 0 && !g.Promoted {
			return true
		}
	}
	return false
}

// DeploymentGroup is a group's part in a deployment.
type DeploymentGroup struct {
	AutoRevert        bool
	AutoPromote       bool
	ProgressDeadline  time.Duration
	RequireProgressBy *time.Time
	Promoted          bool
	PlacedCanaries    []AllocID
	DesiredCanaries   int
	DesiredTotal      int
	PlacedAllocs      int
	HealthyAllocs     int
	UnhealthyAllocs   int
}

// DeploymentStatusUpdate changes a deployment's status.
type DeploymentStatusUpdate struct {
	DeploymentID      DeploymentID
	Status            DeploymentStatus
	StatusDescription string
}
