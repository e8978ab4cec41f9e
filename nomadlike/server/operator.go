package server

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/gc"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func reply[T any](v T) *n.Reply[T] { return &n.Reply[T]{Value: v} }

func (s *Server) agentMembers(context.Context, *n.ListRequest) (*n.Reply[*n.ServerMembers], error) {
	out := &n.ServerMembers{ServerName: s.NodeName + "." + s.Region, ServerRegion: s.Region, ServerDC: s.Datacenter, Members: []n.AgentMember{}}
	if s.gossip != nil {
		out.Members = s.gossip.Members()
	}
	return reply(out), nil
}

func (s *Server) statusLeader(context.Context, *n.ListRequest) (*n.Reply[string], error) {
	leader := s.raft.Leader()
	if leader == "" {
		return nil, errs.New(errs.NoLeader, "No cluster leader")
	}
	return reply(leader), nil
}

func (s *Server) statusPeers(context.Context, *n.ListRequest) (*n.Reply[[]string], error) {
	servers, _, err := s.raft.Configuration()
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, v := range servers {
		out = append(out, string(v.Address))
	}
	return reply(out), nil
}

func (s *Server) regionList(context.Context, *n.ListRequest) (*n.Reply[[]string], error) {
	if s.gossip == nil {
		return reply([]string{s.Region}), nil
	}
	return reply(s.gossip.Regions()), nil
}

func (s *Server) raftConfiguration(context.Context, *n.ListRequest) (*n.Reply[*n.RaftConfiguration], error) {
	servers, _, err := s.raft.Configuration()
	if err != nil {
		return nil, err
	}
	names := map[string]string{s.id: s.NodeName + "." + s.Region}
	if s.gossip != nil {
		for _, m := range s.gossip.Servers(s.Region) {
			names[m.ID] = m.Name
		}
	}
	out := &n.RaftConfiguration{}
	for _, v := range servers {
		name := names[string(v.ID)]
		if name == "" {
			name = "(unknown)"
		}
		out.Servers = append(out.Servers, n.RaftServer{
			ID: string(v.ID), Node: name, Address: string(v.Address), Leader: string(v.Address) == s.raft.Leader(), Voter: v.Suffrage == 0, RaftProtocol: "3",
		})
	}
	return reply(out), nil
}

func (s *Server) schedulerConfigGet(ctx context.Context, req *n.ListRequest) (*n.SchedulerConfigReply, error) {
	c, index, err := wait(ctx, s, &req.QueryOptions, func(v *state.View, ws table.WatchSet) (*n.SchedulerConfiguration, uint64, error) {
		c := v.WatchSchedulerConfig(ws)
		return c, max(c.ModifyIndex, 1), nil
	})
	if err != nil {
		return nil, err
	}
	return &n.SchedulerConfigReply{SchedulerConfig: c, QueryMeta: n.QueryMeta{Index: index}}, nil
}

func (s *Server) schedulerConfigSet(ctx context.Context, req *n.SchedulerConfigUpdate) (*n.SchedulerConfigUpdated, error) {
	c := req.SchedulerConfiguration
	switch c.SchedulerAlgorithm {
	case "":
		c.SchedulerAlgorithm = n.AlgorithmBinpack
	case n.AlgorithmBinpack, n.AlgorithmSpread:
	default:
		return nil, errs.Newf(errs.Invalid, "invalid scheduler algorithm: %s", c.SchedulerAlgorithm)
	}
	if c.PauseEvalBroker {
		return nil, errs.New(errs.Unsupported, "pausing the evaluation broker is not available yet in this build")
	}
	out, index, err := commitTo(ctx, s, state.SetSchedulerConfig, &state.SchedulerConfig{Config: &c, CAS: req.CAS})
	if err != nil {
		return nil, err
	}
	return &n.SchedulerConfigUpdated{Updated: out.(bool), WriteMeta: n.WriteMeta{Index: index}}, nil
}

func (s *Server) namespaceList(ctx context.Context, req *n.ListRequest) (*n.Reply[[]*n.Namespace], error) {
	return list(ctx, s, &req.QueryOptions, state.NamespacesIndex, func(x *n.Namespace) string { return x.Name },
		func(v *state.View, ws table.WatchSet) source[*n.Namespace] { return v.Namespaces(ws, req.Prefix) }, all)
}

func (s *Server) nodePoolList(ctx context.Context, req *n.ListRequest) (*n.Reply[[]*n.NodePool], error) {
	return list(ctx, s, &req.QueryOptions, state.NodePoolsIndex, func(x *n.NodePool) string { return x.Name },
		func(v *state.View, ws table.WatchSet) source[*n.NodePool] { return v.NodePools(ws, req.Prefix) }, all)
}

// searchLimit is how many matches of a context are returned.
const searchLimit = 20

// search looks for things whose id starts with a prefix.
func (s *Server) search(_ context.Context, req *n.SearchRequest) (*n.SearchResult, error) {
	v := s.store.Read()
	contexts := map[string]func(yield func(string)){
		"jobs": func(yield func(string)) {
			for j := range v.Jobs(nil, req.Namespace, req.Prefix) {
				yield(string(j.ID))
			}
		},
		"allocs": func(yield func(string)) {
			for a := range inNamespace(v.AllAllocs(nil, req.Prefix), req.Namespace, func(a *n.Allocation) string { return a.Namespace }) {
				yield(string(a.ID))
			}
		},
		"evals": func(yield func(string)) {
			for e := range inNamespace(v.Evals(nil, req.Prefix), req.Namespace, func(e *n.Evaluation) string { return e.Namespace }) {
				yield(string(e.ID))
			}
		},
		"deployment": func(yield func(string)) {
			for d := range inNamespace(v.Deployments(nil, req.Prefix), req.Namespace, func(d *n.Deployment) string { return d.Namespace }) {
				yield(string(d.ID))
			}
		},
		"nodes": func(yield func(string)) {
			for node := range v.AllNodes(nil, req.Prefix) {
				yield(string(node.ID))
			}
		},
		"namespaces": func(yield func(string)) {
			for x := range v.Namespaces(nil, req.Prefix) {
				yield(x.Name)
			}
		},
		"node_pools": func(yield func(string)) {
			for x := range v.NodePools(nil, req.Prefix) {
				yield(x.Name)
			}
		},
	}
	out := &n.SearchResult{Matches: map[string][]string{}, Truncations: map[string]bool{}}
	out.Index = v.Index()
	names := slices.Sorted(maps.Keys(contexts))
	if req.Context != "all" {
		if contexts[req.Context] == nil {
			return nil, errs.Newf(errs.Internal, "context must be one of [%s] or 'all' for all contexts; got %q", strings.Join(names, " "), req.Context)
		}
		names = []string{req.Context}
	}
	for _, name := range names {
		out.Truncations[name] = false
		var found []string
		contexts[name](func(id string) {
			if len(found) < searchLimit {
				found = append(found, id)
			} else {
				out.Truncations[name] = true
			}
		})
		out.Matches[name] = found
	}
	return out, nil
}

// Member is this server as gossip knows it.
func (s *Server) Member() n.AgentMember {
	if s.gossip == nil {
		return n.AgentMember{Name: s.NodeName + "." + s.Region, Status: "alive"}
	}
	return s.gossip.Self()
}

// Stats describes this server to those who look into it.
func (s *Server) Stats() map[string]map[string]string {
	leads, regions := "false", "1"
	if s.raft.IsLeader() {
		leads = "true"
	}
	out := map[string]map[string]string{"raft": s.raft.Stats()}
	if s.gossip != nil {
		out["serf"] = s.gossip.Stats()
		regions = strconv.Itoa(len(s.gossip.Regions()))
	}
	out["nomad"] = map[string]string{
		"server": "true", "leader": leads, "leader_addr": s.raft.Leader(), "bootstrap": strconv.FormatBool(s.BootstrapExpect == 1), "known_regions": regions,
	}
	return out
}

// JoinServers joins the servers at these gossip addresses and returns how many
// answered.
func (s *Server) JoinServers(addrs []string) (int, error) {
	if s.gossip == nil {
		return 0, errs.New(errs.Unsupported, "this server is alone for good: it was started without gossip")
	}
	return s.gossip.Join(addrs)
}

// ForceLeave makes a failed server count as left; prune forgets it too.
func (s *Server) ForceLeave(name string, prune bool) error {
	if s.gossip == nil {
		return nil
	}
	if !strings.Contains(name, ".") {
		name += "." + s.Region
	}
	return s.gossip.ForceLeave(name, prune)
}

// systemGC forgets at once all that nobody needs, however new.
func (s *Server) systemGC(ctx context.Context, _ *n.WriteOptions) (*n.Empty, error) {
	return &n.Empty{}, gc.Now(ctx, s.collector())
}

func (s *Server) collector() gc.Deps {
	return gc.Deps{Store: s.store, Commit: s.commit, Logger: s.Logger.Named("gc")}
}
