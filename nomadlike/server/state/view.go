package state

import (
	"iter"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
)

// A View is the state at one moment. What it returns is shared and must not be
// changed. Methods with a WatchSet add to it what fires when their answer may
// have changed; nil watches nothing.
type View struct {
	tx    *table.Tx
	fleet *fleet.Fleet
}

// Fleet holds all nodes with what is used of them.
func (v *View) Fleet() *fleet.Fleet { return v.fleet }

// Index is the newest index of any table.
func (v *View) Index() uint64 { return v.tx.LastIndex() }

// A TableIndex names what blocking queries wait for.
type TableIndex func(v *View, ws table.WatchSet) uint64

// Indexes of the tables: when each last changed.
var (
	JobsIndex TableIndex = func(v *View, ws table.WatchSet) uint64 {
		return max(jobs.LastIndex(v.tx, ws), summaries.LastIndex(v.tx, ws))
	}
	EvalsIndex       TableIndex = func(v *View, ws table.WatchSet) uint64 { return evals.LastIndex(v.tx, ws) }
	AllocsIndex      TableIndex = func(v *View, ws table.WatchSet) uint64 { return allocs.LastIndex(v.tx, ws) }
	DeploymentsIndex TableIndex = func(v *View, ws table.WatchSet) uint64 { return deployments.LastIndex(v.tx, ws) }
	NodesIndex       TableIndex = func(v *View, ws table.WatchSet) uint64 { return max(nodes.LastIndex(v.tx, ws), 1) }
	NamespacesIndex  TableIndex = func(v *View, ws table.WatchSet) uint64 { return max(namespaces.LastIndex(v.tx, ws), 1) }
	NodePoolsIndex   TableIndex = func(v *View, ws table.WatchSet) uint64 { return max(pools.LastIndex(v.tx, ws), 1) }
)

// Job returns a job, or nil.
func (v *View) Job(k n.JobKey) *n.Job { return v.WatchJob(nil, k) }

// WatchJob is Job, watched.
func (v *View) WatchJob(ws table.WatchSet, k n.JobKey) *n.Job {
	return jobs.Get(v.tx, ws, jobKey(k))
}

// Jobs ranges over a namespace's jobs by id, over all jobs with
// n.AllNamespaces; prefix narrows the ids down.
func (v *View) Jobs(ws table.WatchSet, namespace, prefix string) iter.Seq[*n.Job] {
	if namespace != n.AllNamespaces {
		return jobs.Prefix(v.tx, ws, table.K2(namespace, prefix).Open())
	}
	return withPrefix(jobs.All(v.tx, ws), func(j *n.Job) string { return string(j.ID) }, prefix)
}

// Children ranges over the jobs that a job has launched.
func (v *View) Children(ws table.WatchSet, parent n.JobKey) iter.Seq[*n.Job] {
	return jobs.By(v.tx, ws, jobsByParent, jobKey(parent))
}

// JobVersion returns a version of a job that is remembered, or that an allocation
// is of, or nil.
func (v *View) JobVersion(k n.JobKey, version uint64) *n.Job {
	if j := versions.Get(v.tx, nil, versionKey(k, version)); j != nil {
		return j
	}
	return retired.Get(v.tx, nil, versionKey(k, version))
}

// JobVersions ranges over the versions of a job that are remembered, oldest first.
func (v *View) JobVersions(ws table.WatchSet, k n.JobKey) iter.Seq[*n.Job] {
	return versions.Prefix(v.tx, ws, jobKey(k))
}

// Submission returns the text of a job's version, or nil.
func (v *View) Submission(ws table.WatchSet, k n.JobKey, version uint64) *n.JobSubmission {
	return submissions.Get(v.tx, ws, versionKey(k, version))
}

// Summary returns a job's summary, or nil.
func (v *View) Summary(ws table.WatchSet, k n.JobKey) *n.JobSummary {
	return summaries.Get(v.tx, ws, jobKey(k))
}

// Eval returns an evaluation, or nil.
func (v *View) Eval(ws table.WatchSet, id n.EvalID) *n.Evaluation {
	return evals.Get(v.tx, ws, table.K(id))
}

// Evals ranges over all evaluations by id.
func (v *View) Evals(ws table.WatchSet, prefix string) iter.Seq[*n.Evaluation] {
	return evals.Prefix(v.tx, ws, table.K(prefix).Open())
}

// JobEvals ranges over a job's evaluations.
func (v *View) JobEvals(ws table.WatchSet, k n.JobKey) iter.Seq[*n.Evaluation] {
	return evals.By(v.tx, ws, evalsByJob, jobKey(k))
}

// EvalsInStatus ranges over the evaluations in a status that is not terminal.
func (v *View) EvalsInStatus(s n.EvalStatus) iter.Seq[*n.Evaluation] {
	return evals.By(v.tx, nil, evalsLive, table.K(string(s)))
}

// Alloc returns an allocation, or nil.
func (v *View) Alloc(id n.AllocID) *n.Allocation { return v.WatchAlloc(nil, id) }

// WatchAlloc is Alloc, watched.
func (v *View) WatchAlloc(ws table.WatchSet, id n.AllocID) *n.Allocation {
	return allocs.Get(v.tx, ws, table.K(id))
}

// AllAllocs ranges over all allocations by id.
func (v *View) AllAllocs(ws table.WatchSet, prefix string) iter.Seq[*n.Allocation] {
	return allocs.Prefix(v.tx, ws, table.K(prefix).Open())
}

// JobAllocs ranges over a job's allocations, terminal ones too.
func (v *View) JobAllocs(ws table.WatchSet, k n.JobKey) iter.Seq[*n.Allocation] {
	return allocs.By(v.tx, ws, allocsByJob, jobKey(k))
}

// NodeAllAllocs ranges over a node's allocations, terminal ones too.
func (v *View) NodeAllAllocs(ws table.WatchSet, id n.NodeID) iter.Seq[*n.Allocation] {
	return allocs.By(v.tx, ws, allocsByNode, table.K(id))
}

// NodeAllocs returns a node's allocations that are not terminal.
func (v *View) NodeAllocs(id n.NodeID) []*n.Allocation {
	var out []*n.Allocation
	for a := range v.NodeAllAllocs(nil, id) {
		if !a.Terminal() {
			out = append(out, a)
		}
	}
	return out
}

// EvalAllocs ranges over the allocations that an evaluation placed or changed.
func (v *View) EvalAllocs(ws table.WatchSet, id n.EvalID) iter.Seq[*n.Allocation] {
	return allocs.By(v.tx, ws, allocsByEval, table.K(id))
}

// DeploymentAllocs ranges over a deployment's allocations.
func (v *View) DeploymentAllocs(ws table.WatchSet, id n.DeploymentID) iter.Seq[*n.Allocation] {
	return allocs.By(v.tx, ws, allocsByDeploy, table.K(id))
}

// Deployment returns a deployment, or nil.
func (v *View) Deployment(ws table.WatchSet, id n.DeploymentID) *n.Deployment {
	return deployments.Get(v.tx, ws, table.K(id))
}

// Deployments ranges over all deployments by id.
func (v *View) Deployments(ws table.WatchSet, prefix string) iter.Seq[*n.Deployment] {
	return deployments.Prefix(v.tx, ws, table.K(prefix).Open())
}

// JobDeployments ranges over a job's deployments.
func (v *View) JobDeployments(ws table.WatchSet, k n.JobKey) iter.Seq[*n.Deployment] {
	return deployments.By(v.tx, ws, deploymentsByJob, jobKey(k))
}

// ActiveDeployments ranges over the deployments that go on.
func (v *View) ActiveDeployments() iter.Seq[*n.Deployment] {
	return deployments.By(v.tx, nil, deploymentsActive, table.K("active"))
}

// LatestDeployment returns a job's newest deployment, or nil.
func (v *View) LatestDeployment(k n.JobKey) *n.Deployment {
	var latest *n.Deployment
	for d := range v.JobDeployments(nil, k) {
		if latest == nil || d.CreateIndex > latest.CreateIndex {
			latest = d
		}
	}
	return latest
}

// Node returns a node, or nil.
func (v *View) Node(id n.NodeID) *n.Node { return v.WatchNode(nil, id) }

// WatchNode is Node, watched.
func (v *View) WatchNode(ws table.WatchSet, id n.NodeID) *n.Node {
	return nodes.Get(v.tx, ws, table.K(id))
}

// AllNodes ranges over all nodes by id.
func (v *View) AllNodes(ws table.WatchSet, prefix string) iter.Seq[*n.Node] {
	return nodes.Prefix(v.tx, ws, table.K(prefix).Open())
}

// NodeSecret returns the secret of a node, or "" for one that is not known.
func (v *View) NodeSecret(id n.NodeID) string {
	if s := secrets.Get(v.tx, nil, table.K(id)); s != nil {
		return s.SecretID
	}
	return ""
}

// Namespaces ranges over all namespaces by name.
func (v *View) Namespaces(ws table.WatchSet, prefix string) iter.Seq[*n.Namespace] {
	return namespaces.Prefix(v.tx, ws, table.K(prefix).Open())
}

// Namespace returns a namespace, or nil.
func (v *View) Namespace(name string) *n.Namespace { return namespaces.Get(v.tx, nil, table.K(name)) }

// NodePools ranges over all node pools by name.
func (v *View) NodePools(ws table.WatchSet, prefix string) iter.Seq[*n.NodePool] {
	return pools.Prefix(v.tx, ws, table.K(prefix).Open())
}

// NodePool returns a node pool, or nil.
func (v *View) NodePool(name string) *n.NodePool { return pools.Get(v.tx, nil, table.K(name)) }

// WatchSchedulerConfig returns the configuration in force.
func (v *View) WatchSchedulerConfig(ws table.WatchSet) *n.SchedulerConfiguration {
	return scheduling.Get(v.tx, ws, table.K("config"))
}

// SchedulerConfig returns the configuration in force.
func (v *View) SchedulerConfig() *n.SchedulerConfiguration { return v.WatchSchedulerConfig(nil) }

func withPrefix[T any](seq iter.Seq[T], id func(T) string, prefix string) iter.Seq[T] {
	if prefix == "" {
		return seq
	}
	return func(yield func(T) bool) {
		for x := range seq {
			if s := id(x); len(s) >= len(prefix) && s[:len(prefix)] == prefix && !yield(x) {
				return
			}
		}
	}
}
