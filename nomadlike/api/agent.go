package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	AgentSelf       = read[n.ListRequest, *n.AgentSelf]("Agent.Self", "GET /v1/agent/self", Agent, agentRead)
	AgentMembers    = read[n.ListRequest, *n.ServerMembers]("Agent.Members", "GET /v1/agent/members", Server, nodeRead)
	AgentJoin       = write[n.AgentJoin, n.AgentJoined]("Agent.Join", "PUT /v1/agent/join", Agent, agentWrite)
	AgentForceLeave = write[n.AgentForceLeave, n.Empty]("Agent.ForceLeave", "PUT /v1/agent/force-leave", Agent, agentWrite)

	StatusLeader = read[n.ListRequest, string]("Status.Leader", "GET /v1/status/leader", Server, anyone)
	StatusPeers  = read[n.ListRequest, []string]("Status.Peers", "GET /v1/status/peers", Server, anyone)
	RegionList   = read[n.ListRequest, []string]("Region.List", "GET /v1/regions", Server, anyone)

	SchedulerConfigGet = readAs[n.ListRequest, n.SchedulerConfigReply]("Operator.SchedulerConfig", "GET /v1/operator/scheduler/configuration", Leader, operatorRead, blocking)
	SchedulerConfigSet = write[n.SchedulerConfigUpdate, n.SchedulerConfigUpdated]("Operator.SetSchedulerConfig", "PUT /v1/operator/scheduler/configuration", Leader, operatorWrite)
	RaftConfiguration  = read[n.ListRequest, *n.RaftConfiguration]("Operator.RaftConfiguration", "GET /v1/operator/raft/configuration", Leader, management)

	Search = write[n.SearchRequest, n.SearchResult]("Search.Prefix", "PUT /v1/search", Leader, readJob)

	NamespaceList = read[n.ListRequest, []*n.Namespace]("Namespace.List", "GET /v1/namespaces", Leader, anyone, blocking)
	NodePoolList  = read[n.ListRequest, []*n.NodePool]("NodePool.List", "GET /v1/node/pools", Leader, anyone, blocking)

	SystemGC = write[n.WriteOptions, n.Empty]("System.GC", "PUT /v1/system/gc", Leader, management)
)
