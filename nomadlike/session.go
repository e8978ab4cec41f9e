package nomadlike

import "time"

// A client holds one session stream open to some server. The server pushes what
// is assigned to the node; the client sends heartbeats and, in batches, what it
// observes. Either side may close it; the client then opens another.

// SessionUp is a message from a client. One of its fields is set.
type SessionUp struct {
	Hello     *SessionHello
	Heartbeat bool
	Updates   []AllocUpdate
	UpdateSeq uint64 // acknowledged by SessionDown.AckSeq once it is durable
}

// SessionHello opens a session.
type SessionHello struct {
	NodeID   NodeID
	SecretID string
	// Known is what the client runs, with each allocation's AllocModifyIndex,
	// so that only the difference is sent.
	Known map[AllocID]uint64
}

// SessionDown is a message from a server.
type SessionDown struct {
	Assignments *Assignments
	// HeartbeatTTL is set in the answer to a Hello or Heartbeat: how long until
	// the next one is due.
	HeartbeatTTL time.Duration
	AckSeq       uint64
	// Rejected says why the session ends; the client registers again.
	Rejected string
	// Dial asks the client to open a tunnel of this number, through which the
	// server calls the client.
	Dial uint64
	// Servers lists the RPC addresses of all servers, when it changed.
	Servers []string
	// GivenUp says that the servers had given the node up: what they know of its
	// allocations may be a guess, and the client tells of all of them again.
	GivenUp bool
}

// Assignments is a change of what a node is to run.
type Assignments struct {
	// Full says that an allocation which is not listed no longer exists.
	Full    bool
	Allocs  []*Allocation
	Removed []AllocID // forgotten by the servers; clean up
	Jobs    []*Job    // the versions that Allocs name, each once
	Known   []AllocID // with Full: allocations that exist and have not changed
	Index   uint64    // of the state it was made from
}

// AllocUpdate is what a client observed of an allocation. Only these fields of
// an allocation are the client's.
type AllocUpdate struct {
	ID                AllocID
	ClientStatus      ClientStatus
	ClientDescription string
	TaskStates        map[string]*TaskState
	NetworkStatus     *NetworkStatus
	DeploymentHealth  *bool // nil: not decided
	HealthTime        *time.Time
	ModifyTime        int64 // Unix nanoseconds, by the client's clock
}

// NodeRegister makes a node known, or brings what is known of it up to date.
type NodeRegister struct {
	WriteOptions
	Node     *Node
	SecretID string // proves later that it is the same node
}

// NodeRegistered answers a NodeRegister.
type NodeRegistered struct {
	HeartbeatTTL time.Duration
	Servers      []string // RPC addresses
	EvalIDs      []EvalID
	WriteMeta
}

// NodeHeartbeat says that a node is alive and ready.
type NodeHeartbeat struct {
	WriteOptions
	NodeID   NodeID
	SecretID string
	Status   NodeStatus // what the client asks for: ready, or down when it leaves
}

// NodeHeartbeatReply answers a NodeHeartbeat.
type NodeHeartbeatReply struct {
	HeartbeatTTL time.Duration
	Servers      []string
	GivenUp      bool // until this heartbeat
	WriteMeta
}

// AllocUpdates carries what a node observed to the leader.
type AllocUpdates struct {
	WriteOptions
	NodeID   NodeID
	SecretID string
	Updates  []AllocUpdate
}

// Tunnel carries the bytes of a connection in which the server is the caller.
type Tunnel struct {
	Dial uint64 // first message from the client alone: which SessionDown.Dial it answers
	Data []byte
}
