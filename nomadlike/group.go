package nomadlike

import (
	"slices"
	"time"
)

// A Group is a set of tasks that run together on one node.
type Group struct {
	Name             string                    `hcl:",label"`
	Count            int                       `update:"inplace"`
	Constraints      []Constraint              `hcl:"constraint" update:"inplace"`
	Affinities       []Affinity                `hcl:"affinity" update:"inplace"`
	Spreads          []Spread                  `hcl:"spread" update:"inplace"`
	Tasks            []Task                    `hcl:"task"`
	RestartPolicy    *Restart                  `hcl:"restart"`
	ReschedulePolicy *Reschedule               `hcl:"reschedule" update:"inplace"`
	Disconnect       *Disconnect               `hcl:"disconnect" update:"inplace"`
	EphemeralDisk    *EphemeralDisk            `hcl:"ephemeral_disk"`
	Update           *Update                   `hcl:"update" update:"inplace"`
	Migrate          *Migrate                  `hcl:"migrate" update:"inplace"`
	Networks         []Network                 `hcl:"network"`
	Services         []Service                 `hcl:"service" update:"inplace"` // but for what proxies are started with
	Volumes          map[string]*VolumeRequest `hcl:"volume"`
	Consul           *Consul                   `hcl:"consul"`
	Scaling          *ScalingPolicy            `hcl:"scaling" update:"inplace"`
	Meta             map[string]string         `hcl:"meta,map"`
	ShutdownDelay    *time.Duration            `update:"inplace"`
	MaxRunDuration   *time.Duration            `update:"inplace"`

	// Older spellings of what Disconnect holds; refused with that hint.
	StopAfterClientDisconnect *time.Duration `json:",omitempty" update:"inplace"`
	MaxClientDisconnect       *time.Duration `json:",omitempty" update:"inplace"`
	PreventRescheduleOnLost   *bool          `json:",omitempty" update:"inplace"`
}

// Task returns the task of that name, or nil.
func (g *Group) Task(name string) *Task {
	for i := range g.Tasks {
		if g.Tasks[i].Name == name {
			return &g.Tasks[i]
		}
	}
	return nil
}

// DisconnectTimeout is how long an allocation of the group stays unknown before
// it counts as lost; 0 when it is lost at once.
func (g *Group) DisconnectTimeout() time.Duration {
	if g.Disconnect == nil || g.Disconnect.LostAfter == nil {
		return 0
	}
	return *g.Disconnect.LostAfter
}

// StopsAlone is how long allocations of the group run on without any server; 0
// when that does not end them.
func (g *Group) StopsAlone() time.Duration {
	if g.Disconnect == nil || g.Disconnect.StopOnClientAfter == nil {
		return 0
	}
	return *g.Disconnect.StopOnClientAfter
}

// ReplacesUnknown reports whether an allocation of a node that is not heard of is
// replaced.
func (g *Group) ReplacesUnknown() bool { return g.Disconnect == nil || g.Disconnect.Replace }

// EphemeralDisk is the space that the allocation's directory may use.
type EphemeralDisk struct {
	SizeMB  int  `hcl:"size"`
	Sticky  bool // the replacement goes to the same node and takes the data over
	Migrate bool // with Sticky: the data follows to another node
}

// A Network is an allocation's network and its ports.
type Network struct {
	Mode          string `json:",omitempty"` // "", "host", "none", "bridge", "cni/<name>"
	Device        string `json:",omitempty" hcl:"device" update:"inplace"`
	CIDR          string `json:",omitempty" hcl:"cidr" update:"inplace"`
	IP            string `json:",omitempty" hcl:"ip" update:"inplace"`
	Hostname      string `json:",omitempty"`
	MBits         int    `json:",omitempty" hcl:"mbits"` // deprecated, not enforced
	DNS           *DNS   `json:",omitempty" hcl:"dns"`
	CNI           *CNI   `json:",omitempty" hcl:"cni"`
	ReservedPorts []Port `json:",omitempty" hcl:"-"` // ports with a static number
	DynamicPorts  []Port `json:",omitempty" hcl:"-"` // ports that the scheduler chooses
}

// AllPorts returns reserved and dynamic ports, reserved first.
func (n *Network) AllPorts() []Port { return slices.Concat(n.ReservedPorts, n.DynamicPorts) }

// A Port of a network.
type Port struct {
	Label           string `hcl:",label" json:",omitempty"`
	Value           int    `hcl:"static" json:",omitempty"` // on the host; 0 until assigned
	To              int    `hcl:"to" json:",omitempty"`     // inside; 0: none named, -1: same as Value
	HostNetwork     string `hcl:"host_network" json:",omitempty"`
	IgnoreCollision bool   `hcl:"ignore_collision" json:",omitempty" update:"inplace"`
}

// DNS is what tasks find in /etc/resolv.conf.
type DNS struct {
	Servers  []string
	Searches []string
	Options  []string
}

// CNI passes arguments to the network's plugins.
type CNI struct {
	Args map[string]string `hcl:"args,attr"`
}

// A VolumeRequest asks for a volume that tasks of the group can mount.
type VolumeRequest struct {
	Name           string `hcl:",label"`
	Type           string // "host" or "csi"
	Source         string
	ReadOnly       bool
	PerAlloc       bool
	Sticky         bool
	AccessMode     string
	AttachmentMode string
	MountOptions   *MountOptions `hcl:"mount_options"`
}

type MountOptions struct {
	FSType     string `hcl:"fs_type"`
	MountFlags []string
}

// Consul names the Consul of a group or task.
type Consul struct {
	Namespace string
	Cluster   string
	Partition string
}
