package api

import n "github.com/nomadlike/nomadlike/nomadlike"

var (
	NodeList        = read[n.NodeListRequest, []*n.NodeStub]("Node.List", "GET /v1/nodes", Leader, nodeRead, blocking)
	NodeGet         = read[n.NodeQuery, *n.NodeDetail]("Node.Get", "GET /v1/node/{NodeID}", Leader, nodeRead, blocking)
	NodeAllocs      = read[n.NodeQuery, []*n.AllocDetail]("Node.Allocations", "GET /v1/node/{NodeID}/allocations", Leader, nodeRead, blocking)
	NodeEvaluate    = write[n.NodeWrite, n.NodeChanged]("Node.Evaluate", "PUT /v1/node/{NodeID}/evaluate", Leader, nodeWrite)
	NodePurge       = write[n.NodeWrite, n.NodeChanged]("Node.Purge", "PUT /v1/node/{NodeID}/purge", Leader, nodeWrite)
	NodeDrain       = write[n.NodeDrain, n.NodeChanged]("Node.Drain", "PUT /v1/node/{NodeID}/drain", Leader, nodeWrite)
	NodeEligibility = write[n.NodeEligibility, n.NodeChanged]("Node.Eligibility", "PUT /v1/node/{NodeID}/eligibility", Leader, nodeWrite)

	ClientStats = read[n.ClientStatsRequest, *n.HostStats]("Client.Stats", "GET /v1/client/stats", Node, nodeRead)
)

// Calls that clients make, and servers for them. Node.Session and Node.Tunnel
// are streams in both directions and no part of the table; see their names.
var (
	NodeRegister     = write[n.NodeRegister, n.NodeRegistered]("Node.Register", "", Leader, peer)
	NodeHeartbeat    = write[n.NodeHeartbeat, n.NodeHeartbeatReply]("Node.Heartbeat", "", Leader, peer)
	NodeUpdateAllocs = write[n.AllocUpdates, n.WriteMeta]("Node.UpdateAllocs", "", Leader, peer)
)

// Names of the two streams between a client and its server.
const (
	NodeSession = "Node.Session" // n.SessionUp, n.SessionDown
	NodeTunnel  = "Node.Tunnel"  // n.Tunnel both ways
)
