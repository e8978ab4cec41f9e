package server

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// sessions are the streams that clients hold open to this server. A commit wakes
// the sessions of the nodes that it concerns and no others.
type sessions struct {
	s     *Server
	nodes *rpc.Pool // to clients, through tunnels; addresses are node ids

	mu     sync.Mutex
	byNode map[n.NodeID]*session
	dials  map[uint64]chan<- tunnel
	dialed uint64
}

// A session is one client's stream.
type session struct {
	node  n.NodeID
	wake  chan struct{} // holds a token when allocations of the node changed
	out   chan *n.SessionDown
	done  chan struct{}
	known map[n.AllocID]uint64 // AllocModifyIndex of what the client has
}

func newSessions(s *Server) *sessions {
	ss := &sessions{s: s, byNode: map[n.NodeID]*session{}, dials: map[uint64]chan<- tunnel{}}
	ss.nodes = rpc.NewPool(rpc.PoolOptions{Dial: ss.dialNode, Idle: time.Minute})
	return ss
}

func (ss *sessions) close() { ss.nodes.Close() }

// changed wakes the sessions of the nodes whose allocations a commit changed.
func (ss *sessions) changed(c state.Commit) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, ch := range c.Changes {
		before, _ := ch.Before.(*n.Allocation)
		after, _ := ch.After.(*n.Allocation)
		switch {
		case after != nil && (before == nil || before.AllocModifyIndex != after.AllocModifyIndex):
			ss.poke(after.NodeID)
		case after == nil && before != nil:
			ss.poke(before.NodeID)
		}
	}
}

func (ss *sessions) poke(id n.NodeID) {
	if x := ss.byNode[id]; x != nil {
		select {
		case x.wake <- struct{}{}:
		default:
		}
	}
}

// serve holds one session until either side ends it.
func (ss *sessions) serve(ctx context.Context, stream *rpc.Stream[n.SessionDown, n.SessionUp]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if first.Hello == nil {
		return errs.New(errs.Invalid, "a session begins with a hello")
	}
	hello := first.Hello
	if why := ss.admit(ctx, hello); why != "" {
		return stream.Send(&n.SessionDown{Rejected: why})
	}
	x := &session{node: hello.NodeID, wake: make(chan struct{}, 1), out: make(chan *n.SessionDown, 8), done: make(chan struct{}), known: hello.Known}
	if x.known == nil {
		x.known = map[n.AllocID]uint64{}
	}
	ss.add(x)
	defer ss.remove(x)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		ss.receive(ctx, x, stream)
	}()
	if err := ss.heartbeat(ctx, x, hello.SecretID); err != nil {
		return err
	}
	return ss.send(ctx, x, stream)
}

// admit says in words why a client may not hold a session, or "".
func (ss *sessions) admit(ctx context.Context, h *n.SessionHello) string {
	// A node that just registered may not have reached this server's state.
	for deadline := time.Now().Add(3 * time.Second); ; {
		secret := ss.s.store.Read().NodeSecret(h.NodeID)
		switch {
		case secret != "" && secret == h.SecretID:
			return ""
		case secret != "":
			return "the node's secret is not the one that it registered with"
		case ss.s.raft.IsLeader() || time.Now().After(deadline) || ctx.Err() != nil:
			return "the node is not registered"
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// add makes x the node's session; an older one ends.
func (ss *sessions) add(x *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if old := ss.byNode[x.node]; old != nil {
		close(old.done)
	}
	ss.byNode[x.node] = x
}

func (ss *sessions) remove(x *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.byNode[x.node] == x {
		delete(ss.byNode, x.node)
		close(x.done)
	}
	ss.nodes.Forget(string(x.node))
}

// heartbeat passes a sign of life on to the leader, and its answer back.
func (ss *sessions) heartbeat(ctx context.Context, x *session, secret string) error {
	resp, err := api.Do(ctx, ss.s, api.NodeHeartbeat, &n.NodeHeartbeat{NodeID: x.node, SecretID: secret, Status: n.NodeReady})
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Permission) {
		return x.put(ctx, &n.SessionDown{Rejected: errs.Text(err)})
	}
	if err != nil {
		ss.s.Logger.Warn("heartbeat did not reach the leader", "node_id", x.node, "error", err)
		return nil // the client tries again
	}
	return x.put(ctx, &n.SessionDown{HeartbeatTTL: resp.HeartbeatTTL, Servers: resp.Servers, GivenUp: resp.GivenUp})
}

func (x *session) put(ctx context.Context, m *n.SessionDown) error {
	select {
	case x.out <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive handles what the client says until it hangs up.
func (ss *sessions) receive(ctx context.Context, x *session, stream *rpc.Stream[n.SessionDown, n.SessionUp]) {
	secret := ss.s.store.Read().NodeSecret(x.node)
	for {
		m, err := stream.Recv()
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				ss.s.Logger.Debug("session ended", "node_id", x.node, "error", err)
			}
			return
		}
		if m.Heartbeat {
			go func() { _ = ss.heartbeat(ctx, x, secret) }()
		}
		if len(m.Updates) == 0 {
			continue
		}
		if err := ss.update(ctx, x, secret, m); err != nil {
			if ctx.Err() == nil {
				ss.s.Logger.Warn("what a node observed could not be stored; it will say so again", "node_id", x.node, "error", err)
			}
			return // the client resends what was not acknowledged
		}
	}
}

func (ss *sessions) update(ctx context.Context, x *session, secret string, m *n.SessionUp) error {
	_, err := api.Do(ctx, ss.s, api.NodeUpdateAllocs, &n.AllocUpdates{NodeID: x.node, SecretID: secret, Updates: m.Updates})
	if err != nil {
		return err
	}
	return x.put(ctx, &n.SessionDown{AckSeq: m.UpdateSeq})
}

// send pushes to the client what concerns it until the session ends.
func (ss *sessions) send(ctx context.Context, x *session, stream *rpc.Stream[n.SessionDown, n.SessionUp]) error {
	full := true
	for {
		if a := ss.assignments(x, full); a != nil {
			if err := stream.Send(&n.SessionDown{Assignments: a}); err != nil {
				return err
			}
		}
		full = false
		select {
		case m := <-x.out:
			if err := stream.Send(m); err != nil {
				return err
			}
			if m.Rejected != "" {
				return nil
			}
		case <-x.wake:
		case <-x.done:
			return stream.Send(&n.SessionDown{Rejected: "the node began another session"})
		case <-ctx.Done():
			return nil
		}
	}
}

// assignments are what changed for the node since the client was told, or nil.
func (ss *sessions) assignments(x *session, full bool) *n.Assignments {
	view := ss.s.store.Read()
	a := &n.Assignments{Full: full, Index: view.Index()}
	there := 0
	for alloc := range view.NodeAllAllocs(nil, x.node) {
		there++
		if index, ok := x.known[alloc.ID]; ok && index == alloc.AllocModifyIndex {
			if full {
				a.Known = append(a.Known, alloc.ID)
			}
			continue
		}
		x.known[alloc.ID] = alloc.AllocModifyIndex
		pushed := *alloc
		pushed.Metrics = nil // why it is there is nothing to the node, and a good part of it
		a.Allocs = append(a.Allocs, &pushed)
		addJob(a, view, alloc)
	}
	if len(x.known) > there {
		a.Removed = x.forget(view)
	}
	if !full && len(a.Allocs)+len(a.Removed) == 0 {
		return nil
	}
	return a
}

// forget returns what the client has and the servers no longer know.
func (x *session) forget(view *state.View) (gone []n.AllocID) {
	there := map[n.AllocID]bool{}
	for alloc := range view.NodeAllAllocs(nil, x.node) {
		there[alloc.ID] = true
	}
	for id := range x.known {
		if !there[id] {
			gone = append(gone, id)
			delete(x.known, id)
		}
	}
	slices.Sort(gone)
	return gone
}

// addJob adds the version of its job that an allocation runs, once.
func addJob(a *n.Assignments, view *state.View, alloc *n.Allocation) {
	for _, j := range a.Jobs {
		if j.Key() == alloc.JobKey() && j.Version == alloc.JobVersion {
			return
		}
	}
	if job := view.JobVersion(alloc.JobKey(), alloc.JobVersion); job != nil {
		a.Jobs = append(a.Jobs, job)
	}
}
