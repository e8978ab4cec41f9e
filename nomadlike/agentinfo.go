package nomadlike

// AgentSelf describes an agent to those who ask it.
type AgentSelf struct {
	Member AgentMember                  `json:"member"`
	Stats  map[string]map[string]string `json:"stats"`
	Config Raw                          `json:"config"` // the effective configuration, without secrets
}

// AgentMember is a server as gossip knows it.
type AgentMember struct {
	Name        string
	Addr        string
	Port        uint16
	Tags        map[string]string
	Status      string // "alive", "leaving", "left", "failed", "none"
	ProtocolMin uint8
	ProtocolMax uint8
	ProtocolCur uint8
	DelegateMin uint8
	DelegateMax uint8
	DelegateCur uint8
}

// ServerMembers lists the servers that gossip knows.
type ServerMembers struct {
	ServerName   string
	ServerRegion string
	ServerDC     string
	Members      []AgentMember
}

// AgentHealth says whether the parts of an agent work. Nil parts do not run.
type AgentHealth struct {
	Client *PartHealth `json:"client,omitempty"`
	Server *PartHealth `json:"server,omitempty"`
}

type PartHealth struct {
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"`
}

// RaftConfiguration lists the servers that hold the log.
type RaftConfiguration struct {
	Servers []RaftServer
	Index   uint64
}

type RaftServer struct {
	ID           string
	Node         string
	Address      string
	Leader       bool
	Voter        bool
	RaftProtocol string
}

// AgentJoin asks a server to join others by their gossip addresses.
type AgentJoin struct {
	WriteOptions
	Addresses []string `query:"address"`
}

// AgentJoined answers an AgentJoin.
type AgentJoined struct {
	Joined  int    `json:"num_joined"`
	Error   string `json:"error"`
	Warning string `json:"warning"`
}

// AgentForceLeave removes a failed server.
type AgentForceLeave struct {
	WriteOptions
	Node  string `query:"node"`
	Prune bool   `query:"prune"`
}

// Empty is an answer without a body.
type Empty struct{}

// A NodeTarget is a request that the client of a node answers. The node is the
// one named, or the one that runs the named allocation.
type NodeTarget interface{ Target() (NodeID, AllocID) }

// LogsRequest asks for a task's output.
type LogsRequest struct {
	QueryOptions
	AllocID AllocID `path:"AllocID"`
	Task    string  `query:"task"`
	Type    string  `query:"type"` // "stdout" or "stderr"
	Follow  bool    `query:"follow"`
	Offset  int64   `query:"offset"` // bytes from Origin
	Origin  string  `query:"origin"` // "start" (default) or "end"
	Plain   bool    `query:"plain"`  // bare bytes, not frames
}

// Target names the allocation.
func (r *LogsRequest) Target() (NodeID, AllocID) { return "", r.AllocID }

// A StreamFrame is a piece of a file. An empty one says that the stream lives.
type StreamFrame struct {
	Data      []byte `json:",omitempty"`
	File      string `json:",omitempty"` // relative to the allocation's directory
	Offset    int64  `json:",omitempty"` // in File, after Data
	FileEvent string `json:",omitempty"` // "file deleted", "file truncated"
}

// AllocRestart asks to restart tasks where they are.
type AllocRestart struct {
	WriteOptions
	AllocID  AllocID `path:"AllocID"`
	TaskName string  // empty: all that run
	AllTasks bool    // also those that have ended, from the beginning of the lifecycle
}

// Target names the allocation.
func (r *AllocRestart) Target() (NodeID, AllocID) { return "", r.AllocID }

// AllocSignal asks to send a signal to tasks.
type AllocSignal struct {
	WriteOptions
	AllocID AllocID `path:"AllocID"`
	Task    string  // empty: all
	Signal  string
}

// Target names the allocation.
func (r *AllocSignal) Target() (NodeID, AllocID) { return "", r.AllocID }

// AllocStatsRequest asks what an allocation uses.
type AllocStatsRequest struct {
	QueryOptions
	AllocID AllocID `path:"AllocID"`
	Task    string  `query:"task"`
}

// Target names the allocation.
func (r *AllocStatsRequest) Target() (NodeID, AllocID) { return "", r.AllocID }

// AllocUsage is what an allocation uses.
type AllocUsage struct {
	ResourceUsage ResourceUsage
	Tasks         map[string]*TaskUsage
	Timestamp     int64 // Unix nanoseconds
}

type TaskUsage struct {
	ResourceUsage ResourceUsage
	Timestamp     int64
	Pids          map[string]*ResourceUsage
}

// ResourceUsage is one measurement. Measured names the fields that mean
// something.
type ResourceUsage struct {
	MemoryStats MemoryStats
	CpuStats    CPUStats
	DeviceStats []Raw
}

// Add adds what another measured.
func (u *ResourceUsage) Add(o *ResourceUsage) {
	m, a := &u.MemoryStats, &o.MemoryStats
	m.RSS, m.Cache, m.Swap, m.MappedFile = m.RSS+a.RSS, m.Cache+a.Cache, m.Swap+a.Swap, m.MappedFile+a.MappedFile
	m.Usage, m.MaxUsage = m.Usage+a.Usage, m.MaxUsage+a.MaxUsage
	m.KernelUsage, m.KernelMaxUsage = m.KernelUsage+a.KernelUsage, m.KernelMaxUsage+a.KernelMaxUsage
	m.Measured = a.Measured
	c, b := &u.CpuStats, &o.CpuStats
	c.SystemMode, c.UserMode, c.TotalTicks, c.Percent = c.SystemMode+b.SystemMode, c.UserMode+b.UserMode, c.TotalTicks+b.TotalTicks, c.Percent+b.Percent
	c.ThrottledPeriods, c.ThrottledTime = c.ThrottledPeriods+b.ThrottledPeriods, c.ThrottledTime+b.ThrottledTime
	c.Measured = b.Measured
}

// MemoryStats in bytes.
type MemoryStats struct {
	RSS            uint64
	Cache          uint64
	Swap           uint64
	MappedFile     uint64
	Usage          uint64
	MaxUsage       uint64
	KernelUsage    uint64
	KernelMaxUsage uint64
	Measured       []string
}

// CPUStats in percent of one core, except where said.
type CPUStats struct {
	SystemMode       float64
	UserMode         float64
	TotalTicks       float64 // MHz
	ThrottledPeriods uint64
	ThrottledTime    uint64 // nanoseconds
	Percent          float64
	Measured         []string
}

// ClientStatsRequest asks what a node uses.
type ClientStatsRequest struct {
	QueryOptions
	NodeID NodeID `query:"node_id"` // empty: the agent's own
}

// Target names the node.
func (r *ClientStatsRequest) Target() (NodeID, AllocID) { return r.NodeID, "" }

// HostStats is what a node uses.
type HostStats struct {
	Timestamp        int64   // Unix nanoseconds
	Uptime           uint64  // seconds
	CPUTicksConsumed float64 // MHz
	Memory           *HostMemory
	CPU              []HostCPU
	DiskStats        []HostDisk
	AllocDirStats    *HostDisk
	DeviceStats      []Raw
}

type HostMemory struct{ Total, Available, Used, Free uint64 } // bytes

// HostCPU in percent of the core's time.
type HostCPU struct {
	CPU          string
	User         float64
	System       float64
	Idle         float64
	TotalPercent float64
	TotalTicks   float64
}

type HostDisk struct {
	Device            string
	Mountpoint        string
	Size              uint64 // bytes, as all sizes
	Used              uint64
	Available         uint64
	UsedPercent       float64
	InodesUsedPercent float64
}
