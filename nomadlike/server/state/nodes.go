package state

import (
	"crypto/subtle"
	"path"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// NodeRegister stores what a client measured of its node.
type NodeRegister struct {
	Node     *n.Node
	SecretID string
	Now      int64
	Seed     uint64
}

// NodeOutcome is the outcome of commands that may make evaluations for a node.
type NodeOutcome struct{ EvalIDs []n.EvalID }

var RegisterNode = raftlog.Command(&log, 30, "NodeRegister", func(tx *table.Tx, index uint64, c *NodeRegister) (any, error) {
	node := c.Node
	old := nodes.Get(tx, nil, table.K(node.ID))
	if err := checkSecret(tx, node.ID, c.SecretID, old); err != nil {
		return nil, err
	}
	node.ModifyIndex, node.StatusUpdatedAt = index, c.Now/int64(time.Second)
	message := "Node registered"
	if old == nil {
		node.CreateIndex, node.Status = index, n.NodeInitializing
		if node.SchedulingEligibility == "" {
			node.SchedulingEligibility = n.NodeEligible
		}
	} else {
		message = "Node re-registered"
		keepServers(node, old)
	}
	if old == nil || old.Status == n.NodeDown {
		addEvent(node, index, c.Now, message)
	}
	if err := nodes.Put(tx, node); err != nil {
		return nil, err
	}
	if pools.Get(tx, nil, table.K(node.NodePool)) == nil {
		if err := pools.Put(tx, &n.NodePool{Name: node.NodePool, CreateIndex: index, ModifyIndex: index}); err != nil {
			return nil, err
		}
	}
	if old == nil || !offersDiffer(old, node) {
		return NodeOutcome{}, nil
	}
	return evaluateNode(tx, index, c.Now, c.Seed, node)
})

func checkSecret(tx *table.Tx, id n.NodeID, secret string, old *n.Node) error {
	known := secrets.Get(tx, nil, table.K(id))
	if known == nil || old == nil {
		return secrets.Put(tx, &NodeSecret{id, secret})
	}
	if subtle.ConstantTimeCompare([]byte(known.SecretID), []byte(secret)) != 1 {
		return errs.Newf(errs.Permission, "node %s is registered with another secret: give this client a new node id (remove client-id and secret-id from its state directory), or purge the node", n.Short(id))
	}
	return nil
}

// keepServers takes over what is the servers' of a node.
func keepServers(node, old *n.Node) {
	node.CreateIndex = old.CreateIndex
	node.Status, node.StatusDescription = old.Status, old.StatusDescription
	node.SchedulingEligibility = old.SchedulingEligibility
	node.DrainStrategy, node.LastDrain = old.DrainStrategy, old.LastDrain
	node.Events = old.Events
	node.LastMissedHeartbeatIndex, node.LastAllocUpdateIndex = old.LastMissedHeartbeatIndex, old.LastAllocUpdateIndex
}

// offersDiffer reports a change that jobs may care about.
func offersDiffer(a, b *n.Node) bool {
	return a.ComputedClass != b.ComputedClass || a.Name != b.Name ||
		!walk.Equal(a.Attributes, b.Attributes) || !walk.Equal(a.Meta, b.Meta) ||
		!walk.Equal(a.HostVolumes, b.HostVolumes) || !walk.Equal(a.NodeResources.Devices, b.NodeResources.Devices)
}

func addEvent(node *n.Node, index uint64, now int64, message string) {
	addEventOf(node, index, now, n.NodeEvent{Message: message, Subsystem: "Cluster"})
}

func addEventOf(node *n.Node, index uint64, now int64, e n.NodeEvent) {
	e.Timestamp, e.CreateIndex = time.Unix(0, now).UTC(), index
	node.Events = append(slices.Clone(node.Events), e)
	if extra := len(node.Events) - n.NodeEventsKept; extra > 0 {
		node.Events = node.Events[extra:]
	}
}

// NodeStatus changes what servers know of a node's life.
type NodeStatus struct {
	NodeID  n.NodeID
	Status  n.NodeStatus
	Message string // of the node event, if any
	Now     int64
	Seed    uint64
}

var SetNodeStatus = raftlog.Command(&log, 31, "NodeStatus", func(tx *table.Tx, index uint64, c *NodeStatus) (any, error) {
	old := nodes.Get(tx, nil, table.K(c.NodeID))
	if old == nil {
		return nil, errs.New(errs.NotFound, "node not found")
	}
	node := walk.Clone(old)
	node.Status, node.StatusUpdatedAt, node.ModifyIndex = c.Status, c.Now/int64(time.Second), index
	if c.Status == n.NodeDown || c.Status == n.NodeDisconnected {
		node.LastMissedHeartbeatIndex = index
	}
	if c.Message != "" {
		addEvent(node, index, c.Now, c.Message)
	}
	if err := nodes.Put(tx, node); err != nil {
		return nil, err
	}
	if !statusMatters(old.Status, c.Status) {
		return NodeOutcome{}, nil
	}
	return evaluateNode(tx, index, c.Now, c.Seed, node)
})

// statusMatters reports a change that jobs must be looked at for.
func statusMatters(from, to n.NodeStatus) bool {
	switch {
	case from == to:
		return false
	case to == n.NodeDown, to == n.NodeDisconnected, from == n.NodeDisconnected:
		return true
	}
	return to == n.NodeReady
}

// NodeEligibility makes a node take new allocations, or not.
type NodeEligibility struct {
	NodeID      n.NodeID
	Eligibility string
	Now         int64
	Seed        uint64
}

var SetNodeEligibility = raftlog.Command(&log, 32, "NodeEligibility", func(tx *table.Tx, index uint64, c *NodeEligibility) (any, error) {
	old := nodes.Get(tx, nil, table.K(c.NodeID))
	switch {
	case old == nil:
		return nil, errs.New(errs.NotFound, "node not found")
	case old.DrainStrategy != nil && c.Eligibility == n.NodeEligible:
		return nil, errs.New(errs.Internal, "can not set node's scheduling eligibility to eligible while it is draining")
	case old.SchedulingEligibility == c.Eligibility:
		return NodeOutcome{}, nil
	}
	node := walk.Clone(old)
	node.SchedulingEligibility, node.ModifyIndex = c.Eligibility, index
	addEvent(node, index, c.Now, "Node marked as "+c.Eligibility+" for scheduling")
	if err := nodes.Put(tx, node); err != nil {
		return nil, err
	}
	if c.Eligibility != n.NodeEligible {
		return NodeOutcome{}, nil
	}
	return evaluateNode(tx, index, c.Now, c.Seed, node)
})

// NodeEvaluate looks again at all jobs that a node concerns; with Purge the
// node is forgotten first.
type NodeEvaluate struct {
	NodeID n.NodeID
	Purge  bool
	Now    int64
	Seed   uint64
}

var EvaluateNode = raftlog.Command(&log, 33, "NodeEvaluate", func(tx *table.Tx, index uint64, c *NodeEvaluate) (any, error) {
	node := nodes.Get(tx, nil, table.K(c.NodeID))
	if node == nil {
		return nil, errs.New(errs.NotFound, "node not found")
	}
	if c.Purge {
		nodes.Delete(tx, table.K(c.NodeID))
		secrets.Delete(tx, table.K(c.NodeID))
	}
	return evaluateNode(tx, index, c.Now, c.Seed, node)
})

// evaluateNode makes one evaluation for each job that has work on the node, and
// for each system job that could have; see the scheduling reference, 1.5.
func evaluateNode(tx *table.Tx, index uint64, now int64, seed uint64, node *n.Node) (any, error) {
	b, newID := newBatch(tx, index, now), idsFrom(seed)
	var out NodeOutcome
	done := map[n.JobKey]bool{}
	add := func(k n.JobKey) error {
		if done[k] {
			return nil
		}
		done[k] = true
		e := b.evalFor(k, n.EvalID(newID()), n.TriggerNodeUpdate)
		e.NodeID, e.NodeModifyIndex = node.ID, node.ModifyIndex
		out.EvalIDs = append(out.EvalIDs, e.ID)
		return b.putEval(e)
	}
	for a := range allocs.By(tx, nil, allocsByNode, table.K(node.ID)) {
		job := jobs.Get(tx, nil, jobKey(a.JobKey()))
		if job == nil || job.RunsEverywhere() || a.ClientStatus.Terminal() && (job.Type == n.JobTypeBatch || a.ServerTerminal()) {
			continue
		}
		if err := add(a.JobKey()); err != nil {
			return nil, err
		}
	}
	for job := range jobs.All(tx, nil) {
		if job.Type != n.JobTypeSystem || job.Stop || !mayRunOn(job, node) {
			continue
		}
		if err := add(job.Key()); err != nil {
			return nil, err
		}
	}
	return out, b.flush()
}

func mayRunOn(job *n.Job, node *n.Node) bool {
	if job.NodePool != n.AllNodePool && job.NodePool != node.NodePool {
		return false
	}
	return slices.ContainsFunc(job.Datacenters, func(glob string) bool {
		ok, err := path.Match(glob, node.Datacenter)
		return ok && err == nil
	})
}
