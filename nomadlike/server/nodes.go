package server

import (
	"context"
	"crypto/subtle"
	"net"
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
)

func (s *Server) nodeList(ctx context.Context, req *n.NodeListRequest) (*n.Reply[[]*n.NodeStub], error) {
	if err := checkPrefix(req.Prefix); err != nil {
		return nil, err
	}
	return list(ctx, s, &req.QueryOptions, state.NodesIndex, func(node *n.Node) string { return string(node.ID) },
		func(v *state.View, ws table.WatchSet) source[*n.Node] { return v.AllNodes(ws, req.Prefix) },
		func(_ *state.View, node *n.Node) *n.NodeStub { return nodeStub(node, req.Resources, req.OS) })
}

func nodeStub(node *n.Node, resources, os bool) *n.NodeStub {
	stub := &n.NodeStub{Version: node.Attributes["nomad.version"], Drain: node.DrainStrategy != nil}
	project(stub, node)
	stub.Attributes = nil
	if host, _, err := net.SplitHostPort(node.HTTPAddr); err == nil {
		stub.Address = host
	}
	if os {
		stub.Attributes = map[string]string{"os.name": node.Attributes["os.name"]}
	}
	if resources {
		stub.NodeResources, stub.ReservedResources = &node.NodeResources, &node.ReservedResources
	}
	return stub
}

var errNodeNotFound = errs.New(errs.NotFound, "node not found")

func (s *Server) nodeGet(ctx context.Context, req *n.NodeQuery) (*n.Reply[*n.NodeDetail], error) {
	if err := checkID("node", string(req.NodeID)); err != nil {
		return nil, err
	}
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.NodeDetail, uint64, error) {
		node := v.WatchNode(ws, req.NodeID)
		if node == nil {
			return nil, state.NodesIndex(v, nil), errNodeNotFound
		}
		return &n.NodeDetail{Node: *node, Drain: node.DrainStrategy != nil}, node.ModifyIndex, nil
	})
}

func (s *Server) nodeAllocs(ctx context.Context, req *n.NodeQuery) (*n.Reply[[]*n.AllocDetail], error) {
	return query(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) ([]*n.AllocDetail, uint64, error) {
		out, newest := []*n.AllocDetail{}, uint64(0)
		for _, a := range byAge(slices.Collect(v.NodeAllAllocs(ws, req.NodeID)), allocAge) {
			out = append(out, allocDetail(v, a))
			newest = max(newest, a.ModifyIndex)
		}
		if len(out) == 0 {
			newest = state.AllocsIndex(v, nil)
		}
		return out, newest, nil
	})
}

// nodeRegister makes a client's node known.
func (s *Server) nodeRegister(ctx context.Context, req *n.NodeRegister) (*n.NodeRegistered, error) {
	node := req.Node
	switch {
	case node == nil, node.ID == "":
		return nil, errs.New(errs.Invalid, "missing node ID for client registration")
	case node.Datacenter == "":
		return nil, errs.New(errs.Invalid, "missing datacenter for client registration")
	case node.Name == "":
		return nil, errs.New(errs.Invalid, "missing node name for client registration")
	case req.SecretID == "":
		return nil, errs.New(errs.Invalid, "missing node secret ID for client registration")
	case node.NodePool == n.AllNodePool:
		return nil, errs.Newf(errs.Invalid, "node pool %q is every node's and can not be a node's own", n.AllNodePool)
	}
	if node.NodePool == "" {
		node.NodePool = n.DefaultNodePool
	}
	node.ComputedClass = feasible.ComputeClass(node)
	out, index, err := commitTo(ctx, s, state.RegisterNode, &state.NodeRegister{Node: node, SecretID: req.SecretID, Now: now(), Seed: newSeed()})
	if err != nil {
		return nil, err
	}
	return &n.NodeRegistered{
		HeartbeatTTL: s.leader.timers.Heard(node.ID), Servers: s.serverAddrs(), EvalIDs: out.(state.NodeOutcome).EvalIDs, WriteMeta: n.WriteMeta{Index: index},
	}, nil
}

// authenticate returns the node that a secret proves.
func (s *Server) authenticate(id n.NodeID, secret string) (*n.Node, error) {
	view := s.store.Read()
	node := view.Node(id)
	if node == nil {
		return nil, errNodeNotFound
	}
	if subtle.ConstantTimeCompare([]byte(view.NodeSecret(id)), []byte(secret)) != 1 {
		return nil, errs.Newf(errs.Permission, "the secret is not the one that node %s registered with", n.Short(id))
	}
	return node, nil
}

// nodeHeartbeat notes that a node lives, and makes it ready when it may be; see
// the scheduling reference, 1.5.
func (s *Server) nodeHeartbeat(ctx context.Context, req *n.NodeHeartbeat) (*n.NodeHeartbeatReply, error) {
	node, err := s.authenticate(req.NodeID, req.SecretID)
	if err != nil {
		return nil, err
	}
	to, message := nextStatus(s.store.Read(), node, req.Status)
	if to != node.Status {
		_, _, err := commitTo(ctx, s, state.SetNodeStatus, &state.NodeStatus{NodeID: node.ID, Status: to, Message: message, Now: now(), Seed: newSeed()})
		if err != nil {
			return nil, err
		}
	}
	if to == n.NodeDown {
		s.leader.timers.Forget(node.ID)
		return &n.NodeHeartbeatReply{}, nil
	}
	return &n.NodeHeartbeatReply{
		HeartbeatTTL: s.leader.timers.Heard(node.ID), Servers: s.serverAddrs(), GivenUp: node.Status == n.NodeDown || node.Status == n.NodeDisconnected,
	}, nil
}

// nextStatus is what a node becomes that was heard of.
func nextStatus(v *state.View, node *n.Node, asked n.NodeStatus) (status n.NodeStatus, message string) {
	if asked == n.NodeDown {
		return n.NodeDown, "Node says goodbye"
	}
	switch node.Status {
	case n.NodeDown:
		return n.NodeReady, "Node reregistered by heartbeat"
	case n.NodeDisconnected:
		return n.NodeInitializing, "Node reregistered by heartbeat"
	case n.NodeInitializing:
		if node.LastAllocUpdateIndex > node.LastMissedHeartbeatIndex || len(v.NodeAllocs(node.ID)) == 0 {
			return n.NodeReady, ""
		}
	}
	return node.Status, ""
}

// nodeUpdateAllocs stores what a node observed.
func (s *Server) nodeUpdateAllocs(ctx context.Context, req *n.AllocUpdates) (*n.WriteMeta, error) {
	node, err := s.authenticate(req.NodeID, req.SecretID)
	if err != nil {
		return nil, err
	}
	if node.Status == n.NodeDown || node.Status == n.NodeDisconnected {
		return nil, errs.Newf(errs.Conflict, "node %s is %s: it must send a heartbeat before it reports on allocations", n.Short(node.ID), node.Status)
	}
	index, err := s.observed.store(ctx, req.NodeID, req.Updates)
	if err != nil {
		return nil, err
	}
	return &n.WriteMeta{Index: index}, nil
}

func (s *Server) nodeEligibility(ctx context.Context, req *n.NodeEligibility) (*n.NodeChanged, error) {
	if req.Eligibility != n.NodeEligible && req.Eligibility != n.NodeIneligible {
		return nil, errs.Newf(errs.Invalid, "invalid scheduling eligibility %q: it is %q or %q", req.Eligibility, n.NodeEligible, n.NodeIneligible)
	}
	out, index, err := commitTo(ctx, s, state.SetNodeEligibility, &state.NodeEligibility{NodeID: req.NodeID, Eligibility: req.Eligibility, Now: now(), Seed: newSeed()})
	return nodeChanged(out, index, err)
}

// nodeDrain begins, changes or ends a drain; package drainer carries it out.
func (s *Server) nodeDrain(ctx context.Context, req *n.NodeDrain) (*n.NodeChanged, error) {
	c := &state.NodeDrain{NodeID: req.NodeID, MarkEligible: req.MarkEligible, Meta: req.Meta, Now: now(), Seed: newSeed()}
	if req.DrainSpec != nil {
		c.Strategy = strategy(*req.DrainSpec, time.Unix(0, c.Now).UTC())
	}
	out, index, err := commitTo(ctx, s, state.DrainNode, c)
	return nodeChanged(out, index, err)
}

// strategy is a drain that begins now.
func strategy(spec n.DrainSpec, now time.Time) *n.DrainStrategy {
	d := &n.DrainStrategy{DrainSpec: spec, StartedAt: &now}
	if spec.Deadline > 0 {
		at := now.Add(spec.Deadline)
		d.ForceDeadline = &at
	}
	return d
}

func (s *Server) nodeEvaluate(ctx context.Context, req *n.NodeWrite) (*n.NodeChanged, error) {
	out, index, err := commitTo(ctx, s, state.EvaluateNode, &state.NodeEvaluate{NodeID: req.NodeID, Now: now(), Seed: newSeed()})
	return nodeChanged(out, index, err)
}

func (s *Server) nodePurge(ctx context.Context, req *n.NodeWrite) (*n.NodeChanged, error) {
	out, index, err := commitTo(ctx, s, state.EvaluateNode, &state.NodeEvaluate{NodeID: req.NodeID, Purge: true, Now: now(), Seed: newSeed()})
	return nodeChanged(out, index, err)
}

func nodeChanged(out any, index uint64, err error) (*n.NodeChanged, error) {
	if err != nil {
		return nil, err
	}
	c := &n.NodeChanged{EvalIDs: out.(state.NodeOutcome).EvalIDs, NodeModifyIndex: index, WriteMeta: n.WriteMeta{Index: index}}
	if len(c.EvalIDs) > 0 {
		c.EvalCreateIndex = index
	}
	return c, nil
}
