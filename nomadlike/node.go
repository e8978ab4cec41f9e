package nomadlike

import "time"

// NodeStatus is what the servers know of a node's life.
type NodeStatus string

const (
	NodeInitializing NodeStatus = "initializing" // registered, not yet heard of since
	NodeReady        NodeStatus = "ready"
	NodeDown         NodeStatus = "down"
	NodeDisconnected NodeStatus = "disconnected" // silent, but has allocations that may outlive that
)

// Scheduling eligibility of a node.
const (
	NodeEligible   = "eligible"
	NodeIneligible = "ineligible"
)

// A Node is a machine that runs allocations. What its client measures is
// replaced at each registration; status, drain and eligibility are the servers'.
type Node struct {
	ID                    NodeID
	Datacenter            string
	Name                  string
	NodeClass             string
	NodePool              string
	HTTPAddr              string // "ip:port" of the node's own HTTP API
	TLSEnabled            bool
	Attributes            map[string]string
	Meta                  map[string]string
	Links                 map[string]string
	NodeResources         NodeResources
	ReservedResources     ReservedResources
	Drivers               map[string]*DriverInfo
	HostVolumes           map[string]*HostVolumeInfo
	HostNetworks          map[string]*HostNetwork
	CgroupParent          string
	NodeMaxAllocs         int    // 0: no limit
	ComputedClass         string // hash of all that feasibility looks at, see ComputeClass
	Status                NodeStatus
	StatusDescription     string
	StatusUpdatedAt       int64 // Unix seconds
	SchedulingEligibility string
	DrainStrategy         *DrainStrategy
	LastDrain             *DrainMetadata
	Events                []NodeEvent // the last 10
	// LastMissedHeartbeatIndex and LastAllocUpdateIndex tell whether a node that
	// came back has brought its allocations up to date.
	LastMissedHeartbeatIndex uint64
	LastAllocUpdateIndex     uint64
	CreateIndex              uint64
	ModifyIndex              uint64
}

// Ready reports a node that new allocations may be placed on.
func (n *Node) Ready() bool {
	return n.Status == NodeReady && n.DrainStrategy == nil && n.SchedulingEligibility != NodeIneligible
}

// DriverInfo is the state of a driver on a node.
type DriverInfo struct {
	Attributes        map[string]string
	Detected          bool
	Healthy           bool
	HealthDescription string
	UpdateTime        time.Time
}

type HostVolumeInfo struct {
	ID       string
	Name     string
	Path     string
	ReadOnly bool
}

// HostNetwork is a named set of the node's addresses.
type HostNetwork struct {
	Name          string
	CIDR          string
	Interface     string
	ReservedPorts string
}

// DrainStrategy moves all allocations off a node.
type DrainStrategy struct {
	DrainSpec
	ForceDeadline *time.Time
	StartedAt     *time.Time
}

// DrainSpec is what an operator asks for.
type DrainSpec struct {
	Deadline         time.Duration // negative: at once; 0: none
	IgnoreSystemJobs bool
}

// What became of a drain.
const (
	DrainDraining = "draining"
	DrainComplete = "complete"
	DrainCanceled = "canceled"
)

// DrainMetadata remembers the last drain.
type DrainMetadata struct {
	StartedAt  *time.Time
	UpdatedAt  *time.Time
	Status     string // DrainDraining and so on
	AccessorID string
	Meta       map[string]string
}

// A NodeEvent is something worth telling of a node.
type NodeEvent struct {
	Message     string
	Subsystem   string // "Cluster", "Drain", "Driver", "Heartbeat", "Storage"
	Details     map[string]string
	Timestamp   time.Time
	CreateIndex uint64
}

// NodeEventsKept is how many events of a node are remembered.
const NodeEventsKept = 10

// NodeResources are what a node has.
type NodeResources struct {
	Cpu            NodeCPU
	Processors     NodeProcessors
	Memory         NodeMemory
	Disk           NodeDisk
	Networks       []Network
	NodeNetworks   []NodeNetwork
	Devices        []NodeDevice
	MinDynamicPort int // the range of ports that the scheduler chooses from
	MaxDynamicPort int
}

type NodeCPU struct {
	CpuShares          int64 // MHz
	TotalCpuCores      uint16
	ReservableCpuCores []uint16
}

type NodeProcessors struct{ Topology *Topology }

// Topology of a node's processors.
type Topology struct {
	Nodes                  []uint8
	Distances              [][]uint8
	Cores                  []Core
	OverrideTotalCompute   int64
	OverrideWitholdCompute int64
}

type Core struct {
	SocketID   uint8
	NodeID     uint8
	ID         uint16
	Grade      uint8 // 0 performance, 1 efficiency
	Disable    bool
	BaseSpeed  uint64 // MHz, as all speeds
	MaxSpeed   uint64
	GuessSpeed uint64
}

type NodeMemory struct{ MemoryMB int64 }

type NodeDisk struct{ DiskMB int64 }

// NodeNetwork is an interface of the node.
type NodeNetwork struct {
	Mode       string // "host", "bridge", "cni/<name>"
	Device     string
	MacAddress string
	Speed      int // Mbit/s
	Addresses  []NodeAddress
}

type NodeAddress struct {
	Alias         string // the host network that it belongs to
	Address       string
	Family        string // "ipv4", "ipv6"
	ReservedPorts string
	Gateway       string
}

// NodeDevice is a kind of device on a node.
type NodeDevice struct {
	Vendor     string
	Type       string
	Name       string
	Instances  []DeviceInstance
	Attributes map[string]string // as text, with unit
}

type DeviceInstance struct {
	ID                string
	Healthy           bool
	HealthDescription string
}

// ReservedResources are kept from the scheduler.
type ReservedResources struct {
	Cpu      ReservedCPU
	Memory   NodeMemory
	Disk     NodeDisk
	Networks ReservedNetworks
}

type ReservedCPU struct {
	CpuShares        uint64
	ReservedCpuCores []uint16
}

type ReservedNetworks struct{ ReservedHostPorts string } // "22,80,8500-8600"

// A NodePool is a named set of nodes that jobs can ask for.
type NodePool struct {
	Name                   string
	Description            string
	Meta                   map[string]string
	SchedulerConfiguration *NodePoolSchedulerConfiguration
	NodeIdentityTTL        time.Duration
	Hash                   []byte
	CreateIndex            uint64
	ModifyIndex            uint64
}

type NodePoolSchedulerConfiguration struct {
	SchedulerAlgorithm            string
	MemoryOversubscriptionEnabled *bool
}

// A Namespace separates jobs of different people.
type Namespace struct {
	Name         string
	Description  string
	Quota        string
	Meta         map[string]string
	Capabilities *NamespaceCapabilities
	Hash         []byte
	CreateIndex  uint64
	ModifyIndex  uint64
}

// NamespaceCapabilities restricts what the namespace's jobs may use. Disabled
// wins; a non-empty Enabled list allows nothing else.
type NamespaceCapabilities struct {
	EnabledTaskDrivers   []string
	DisabledTaskDrivers  []string
	EnabledNetworkModes  []string
	DisabledNetworkModes []string
}
