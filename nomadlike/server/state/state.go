// Package state is what a server remembers: the tables, every command of the
// raft log with its effect on them, and what is derived from them on the way
// (job statuses, summaries, counters of deployments).
//
// Commands are the only writers and run on every server alike: they read no
// clock and no randomness but what the command brings. Whoever needs to know of
// a change subscribes to commits; nobody is told by a second path.
package state

import (
	"io"
	"sync"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
)

var (
	schema table.Schema
	log    raftlog.Log[*table.Tx]
)

// Indexes of the tables.
var (
	evalsByJob        = table.By("job", func(e *n.Evaluation) table.Key { return table.K2(e.Namespace, e.JobID) })
	allocsByJob       = table.By("job", func(a *n.Allocation) table.Key { return table.K2(a.Namespace, a.JobID) })
	allocsByNode      = table.By("node", func(a *n.Allocation) table.Key { return table.K(a.NodeID) })
	allocsByEval      = table.By("eval", func(a *n.Allocation) table.Key { return table.K(a.EvalID) })
	allocsByDeploy    = table.By("deployment", deploymentOf)
	deploymentsByJob  = table.By("job", func(d *n.Deployment) table.Key { return table.K2(d.Namespace, d.JobID) })
	evalsLive         = table.By("live", liveEval)
	jobsByParent      = table.By("parent", parentOf)
	jobsByToken       = table.By("token", tokenOf)
	deploymentsActive = table.By("active", activeDeployment)
)

// The tables.
var (
	nodes       = table.New(&schema, "nodes", func(v *n.Node) table.Key { return table.K(v.ID) })
	secrets     = table.New(&schema, "node_secrets", func(v *NodeSecret) table.Key { return table.K(v.NodeID) })
	jobs        = table.New(&schema, "jobs", func(v *n.Job) table.Key { return jobKey(v.Key()) }, jobsByParent, jobsByToken)
	versions    = table.New(&schema, "job_versions", func(v *n.Job) table.Key { return versionKey(v.Key(), v.Version) })
	retired     = table.New(&schema, "job_versions_retired", func(v *n.Job) table.Key { return versionKey(v.Key(), v.Version) })
	submissions = table.New(&schema, "job_submissions", func(v *n.JobSubmission) table.Key {
		return versionKey(n.JobKey{Namespace: v.Namespace, ID: v.JobID}, v.Version)
	})
	summaries   = table.New(&schema, "job_summaries", func(v *n.JobSummary) table.Key { return table.K2(v.Namespace, v.JobID) })
	activities  = table.New(&schema, "job_activity", func(v *activity) table.Key { return table.K2(v.Namespace, v.JobID) })
	evals       = table.New(&schema, "evals", func(v *n.Evaluation) table.Key { return table.K(v.ID) }, evalsByJob, evalsLive)
	allocs      = table.New(&schema, "allocs", func(v *n.Allocation) table.Key { return table.K(v.ID) }, allocsByJob, allocsByNode, allocsByEval, allocsByDeploy).Restored(&schema, shared.alloc)
	deployments = table.New(&schema, "deployments", func(v *n.Deployment) table.Key { return table.K(v.ID) }, deploymentsByJob, deploymentsActive)
	namespaces  = table.New(&schema, "namespaces", func(v *n.Namespace) table.Key { return table.K(v.Name) })
	pools       = table.New(&schema, "node_pools", func(v *n.NodePool) table.Key { return table.K(v.Name) })
	scheduling  = table.New(&schema, "scheduler_config", func(*n.SchedulerConfiguration) table.Key { return table.K("config") })
)

// A NodeSecret proves that whoever speaks for a node is the node. It is kept
// apart from the node because no route shows it.
type NodeSecret struct {
	NodeID   n.NodeID
	SecretID string
}

// activity counts what keeps a job from being dead.
type activity struct {
	Namespace  string
	JobID      n.JobID
	LiveAllocs int // not terminal
	LiveEvals  int // not terminal
	HadEvals   bool
}

func jobKey(k n.JobKey) table.Key { return table.K2(k.Namespace, k.ID) }

func versionKey(k n.JobKey, version uint64) table.Key {
	return table.K3(k.Namespace, k.ID, table.Uint(version))
}

func deploymentOf(a *n.Allocation) table.Key {
	if a.DeploymentID == "" {
		return ""
	}
	return table.K(a.DeploymentID)
}

func parentOf(j *n.Job) table.Key {
	if j.ParentID == "" {
		return ""
	}
	return table.K2(j.Namespace, j.ParentID)
}

// tokenOf is the token that a dispatched job was asked for with.
func tokenOf(j *n.Job) table.Key {
	if j.ParentID == "" || j.DispatchIdempotencyToken == "" {
		return ""
	}
	return table.K3(j.Namespace, j.ParentID, j.DispatchIdempotencyToken)
}

func liveEval(e *n.Evaluation) table.Key {
	if e.Status.Terminal() {
		return ""
	}
	return table.K(string(e.Status))
}

func activeDeployment(d *n.Deployment) table.Key {
	if !d.Status.Active() {
		return ""
	}
	return table.K("active")
}

// A Commit is what one log entry changed.
type Commit struct {
	Index   uint64
	Changes []table.Change
}

// A Store holds the state. It is safe for use by many goroutines.
type Store struct {
	db *table.DB

	views sync.RWMutex // the newest state and its fleet change together
	fleet *fleet.Fleet

	mu          sync.Mutex
	subscribers []func(Commit)
}

// New returns an empty store with what exists without being made.
func New() *Store {
	s := &Store{db: schema.Open(), fleet: fleet.New()}
	tx := s.db.Write(0)
	must(namespaces.Put(tx, &n.Namespace{Name: n.DefaultNamespace, Description: "Default shared namespace"}))
	must(pools.Put(tx, &n.NodePool{Name: n.DefaultNodePool, Description: "Node pool with no other meaning"}))
	must(pools.Put(tx, &n.NodePool{Name: n.AllNodePool, Description: "Node pool with all nodes in the cluster"}))
	must(scheduling.Put(tx, DefaultSchedulerConfig()))
	tx.Commit()
	return s
}

// DefaultSchedulerConfig is in force until an operator changes it.
func DefaultSchedulerConfig() *n.SchedulerConfiguration {
	return &n.SchedulerConfiguration{
		SchedulerAlgorithm: n.AlgorithmBinpack,
		PreemptionConfig:   n.PreemptionConfig{SystemSchedulerEnabled: true},
	}
}

// Subscribe calls fn after every commit, in order and from the goroutine that
// applies the log: fn must not block, nor call Apply.
func (s *Store) Subscribe(fn func(Commit)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, fn)
}

// Apply carries out a log entry. Its error is the outcome of the command, or a
// *raftlog.Unreadable.
func (s *Store) Apply(index uint64, entry []byte) (any, error) {
	tx := s.db.Write(index)
	defer tx.Abort()
	v, err := log.Apply(tx, index, entry)
	if err != nil {
		return nil, err
	}
	s.commit(tx)
	s.publish(Commit{index, tx.Changes()})
	return v, nil
}

// commit makes what was written the state.
func (s *Store) commit(tx *table.Tx) {
	next := s.fleet.Change()
	for _, c := range tx.Changes() {
		switch c.Table {
		case nodes.Name():
			before, _ := c.Before.(*n.Node)
			after, _ := c.After.(*n.Node)
			if after != nil {
				before = after
			}
			next.Node(before.ID, after)
		case allocs.Name():
			before, _ := c.Before.(*n.Allocation)
			after, _ := c.After.(*n.Allocation)
			next.Alloc(before, after)
		}
	}
	s.views.Lock()
	defer s.views.Unlock()
	tx.Commit()
	s.fleet = next.Done()
}

func (s *Store) publish(c Commit) {
	if len(c.Changes) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fn := range s.subscribers {
		fn(c)
	}
}

// Snapshot returns a function that writes the state as it is now.
func (s *Store) Snapshot() (func(io.Writer) error, error) {
	return s.db.Read().Save, nil
}

// Restore replaces the state by what Snapshot's function wrote.
func (s *Store) Restore(r io.Reader) error {
	s.views.Lock()
	defer s.views.Unlock()
	if err := s.db.Restore(r); err != nil {
		return err
	}
	tx := s.db.Read()
	s.fleet = fleet.Of(nodes.All(tx, nil), allocs.All(tx, nil))
	return nil
}

// Read returns a view of the state as it is now.
func (s *Store) Read() *View {
	s.views.RLock()
	defer s.views.RUnlock()
	return &View{tx: s.db.Read(), fleet: s.fleet}
}

// must panics on what can only be a mistake in a table's declaration.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
