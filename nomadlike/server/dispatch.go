package server

import (
	"context"
	"errors"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// leaderWait is how long a call waits for a leader to be found.
const leaderWait = 5 * time.Second

// Call answers a call, whoever made it: it checks what every request must have,
// sends the call on to whom it is for, and otherwise runs its handler. It is the
// one place where all of that is done.
func (s *Server) Call(ctx context.Context, r *api.Row, req any) (resp any, err error) {
	defer s.metrics.measure(r.Name, time.Now(), &err)
	to, err := s.route(ctx, r, req)
	if err != nil {
		return nil, err
	}
	resp, err = to.Call(ctx, r, req)
	if err == nil && to == api.Caller(s.handlers) {
		s.describe(resp)
	}
	return resp, err
}

// Stream is Call for calls with any number of answers.
func (s *Server) Stream(ctx context.Context, r *api.Row, req any, send func(any) error) (err error) {
	defer s.metrics.measure(r.Name, time.Now(), &err)
	to, err := s.route(ctx, r, req)
	if err != nil {
		return err
	}
	return to.Stream(ctx, r, req, send)
}

// route says who answers a call.
func (s *Server) route(ctx context.Context, r *api.Row, req any) (api.Caller, error) {
	o := req.(n.Request).Common()
	if o.Region == "" {
		o.Region = s.Region
	}
	if o.Region != s.Region {
		return nil, errs.New(errs.Internal, "No path to region")
	}
	if o.Namespace == "" {
		o.Namespace = n.DefaultNamespace
	}
	switch r.Where {
	case api.Node:
		return s.nodeCaller(req.(n.NodeTarget), o)
	case api.Leader:
		return s.leaderCaller(ctx, r, req)
	}
	return s.handlers, nil
}

// leaderCaller is this server when it leads, or may answer in the leader's
// stead, and the leader otherwise.
func (s *Server) leaderCaller(ctx context.Context, r *api.Row, req any) (api.Caller, error) {
	if q, ok := req.(n.QueryRequest); ok && r.Kind == api.Read && q.Query().AllowStale {
		return s.handlers, nil
	}
	o := req.(n.Request).Common()
	deadline := time.Now().Add(leaderWait)
	for {
		if s.raft.IsLeader() {
			return s.handlers, s.leader.ready(ctx, r.Kind == api.Read)
		}
		addr := s.raft.Leader()
		if addr != "" && addr != s.addr {
			if o.Forwarded {
				return nil, errs.New(errs.NotLeader, "the leader changed while the request was on its way; try again")
			}
			o.Forwarded = true
			return api.Remote(s.pool.To(addr)), nil
		}
		if time.Now().After(deadline) {
			return nil, errs.New(errs.NoLeader, "No cluster leader")
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// describe fills in what every answer to a read says of the server.
func (s *Server) describe(resp any) {
	m, ok := resp.(interface{ Meta() *n.QueryMeta })
	if !ok {
		return
	}
	meta := m.Meta()
	meta.KnownLeader = s.raft.Leader() != ""
	meta.LastContact = s.raft.LastContact()
}

// commit appends an encoded command to the log and waits until it is applied.
func (s *Server) commit(ctx context.Context, entry []byte) (any, uint64, error) {
	v, index, err := s.raft.Apply(ctx, entry)
	if errs.Is(err, errs.NotLeader) {
		err = errs.Newf(errs.NoLeader, "this server lost leadership before the change was committed; it may or may not take effect: %w", err)
	}
	return v, index, err
}

// ServeCalls lets the RPC server answer all calls of the table that this server
// answers or knows the way to.
func (s *Server) serveCalls() {
	for _, r := range api.Rows() {
		if r.Where != api.Agent {
			r.Serve(s.rpc, s)
		}
	}
}

// Handlers are the calls that this server answers itself.
func (s *Server) Handlers() *api.Handlers { return s.handlers }

var errClosing = errors.New("this server is stopping")
