package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/serf/serf"

	"github.com/nomadlike/nomadlike/nomadlike/server/gossip"
)

// membership keeps raft's servers in step with gossip's.
func (s *Server) membership(ctx context.Context) error {
	return s.gossip.Watch(ctx, func() {
		s.beginTogether()
		if s.raft.IsLeader() {
			s.reconcile()
		}
	})
}

// join tries to join other servers until some answer, or it has tried so often as
// it may.
func (s *Server) join(ctx context.Context) error {
	for try := 1; len(s.Join) > 0; try++ {
		joined, err := s.gossip.Join(s.Join)
		if joined > 0 {
			s.Logger.Info("joined other servers", "servers", joined)
			break
		}
		if try == s.JoinMax {
			return fmt.Errorf("no server to join answered after %d tries of %s: %w", try, strings.Join(s.Join, ", "), err)
		}
		s.Logger.Warn("no server to join answered, trying again", "servers", s.Join, "in", s.JoinInterval, "error", err)
		select {
		case <-time.After(s.JoinInterval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// beginTogether begins a new cluster once as many servers know each other as
// were asked for. All of them do so with the same list, so it does not matter
// who is first.
func (s *Server) beginTogether() {
	if s.BootstrapExpect < 2 || !s.raft.Fresh() || s.raft.AppliedIndex() > 0 {
		return
	}
	var servers []raft.Server
	for _, m := range s.gossip.Servers(s.Region) {
		if m.Expect == 0 || m.Status != serf.StatusAlive {
			continue
		}
		if m.Expect != s.BootstrapExpect {
			s.Logger.Error("servers disagree on bootstrap_expect: set it to the same number on all", "here", s.BootstrapExpect, "server", m.Name, "there", m.Expect)
			return
		}
		servers = append(servers, raft.Server{ID: raft.ServerID(m.ID), Address: raft.ServerAddress(m.RPCAddr)})
	}
	if len(servers) < s.BootstrapExpect {
		return
	}
	if err := s.raft.Bootstrap(servers...); err != nil {
		s.Logger.Debug("the cluster has begun already", "error", err)
	}
}

// reconcile lets servers that gossip knows take part in raft, and removes those
// that left.
func (s *Server) reconcile() {
	current, _, err := s.raft.Configuration()
	if err != nil {
		return
	}
	voters := map[string]string{}
	for _, v := range current {
		voters[string(v.ID)] = string(v.Address)
	}
	for _, m := range s.gossip.Servers(s.Region) {
		addr, voter := voters[m.ID]
		if err := s.reconcileOne(m, addr, voter); err != nil {
			s.Logger.Error("could not change raft's servers, to be tried again", "server", m.Name, "error", err)
		}
	}
}

func (s *Server) reconcileOne(m gossip.Server, addr string, voter bool) error {
	switch {
	case m.ID == s.id:
		return nil
	case m.Status == serf.StatusAlive && (!voter || addr != m.RPCAddr):
		s.Logger.Info("server takes part", "server", m.Name, "address", m.RPCAddr)
		return s.raft.AddVoter(m.ID, m.RPCAddr)
	case m.Status == serf.StatusLeft && voter:
		s.Logger.Info("server has left", "server", m.Name)
		s.pool.Forget(m.RPCAddr)
		return s.raft.RemoveServer(m.ID)
	}
	return nil
}

// serverAddrs lists the RPC addresses of the region's servers, for clients.
func (s *Server) serverAddrs() []string {
	if s.gossip == nil {
		return []string{s.addr}
	}
	var out []string
	for _, m := range s.gossip.Servers(s.Region) {
		if m.Status == serf.StatusAlive {
			out = append(out, m.RPCAddr)
		}
	}
	return out
}
