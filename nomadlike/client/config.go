package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// Config is what a client is made of. The agent's configuration has defaults for
// it; here a zero value means what is said beside the field.
type Config struct {
	Region     string // "global"
	Datacenter string // "dc1"
	Name       string // the host's name
	NodeClass  string
	NodePool   string // "default"
	Meta       map[string]string

	StateDir string // required, absolute: the journal, the identity, the drivers' states
	AllocDir string // required, absolute: above the allocations' directories

	Servers []string // RPC addresses to begin with; more are learned from these
	// JoinInterval is the longest wait between tries to reach a first server; 30 s.
	JoinInterval time.Duration
	// JoinWithin ends Run with an error when none of the servers can be reached
	// for so long after it began; 0: it goes on trying. One that answers is enough,
	// though it may have no leader.
	JoinWithin time.Duration
	Dial       rpc.Dialer
	TLS        *tls.Config // nil: no TLS towards servers

	HTTPAddr string // "ip:port" at which others reach this node's HTTP API
	HTTPS    bool
	Revision string // of this program's source

	Drivers []Driver
	Options map[string]string // fingerprint.denylist and the like

	NetworkInterface string // that of the default route; with DevMode loopback
	NetworkSpeed     int    // Mbit/s; 0: detected
	CPUTotalCompute  int    // MHz; 0: detected
	MemoryTotalMB    int    // 0: detected
	DiskTotalMB      int    // 0: detected
	Reserved         Reserved
	MinDynamicPort   int // 20000
	MaxDynamicPort   int // 32000
	CgroupParent     string
	ChrootEnv        map[string]string
	MaxKillTimeout   time.Duration // 30 s
	GC               GC

	// DevMode ends and removes everything when the client stops.
	DevMode bool

	Logger       hclog.Logger
	Metrics      prometheus.Registerer // nil: none
	NodeMetrics  bool                  // also what the host uses
	AllocMetrics bool                  // also what tasks use
}

// A Driver is one that tasks may use, and its plugin block.
type Driver struct {
	drivers.Driver
	Config n.Raw
}

// Reserved is what tasks may not use.
type Reserved struct {
	CPU    int    // MHz
	Memory int    // MB
	Disk   int    // MB
	Cores  string // such as "0-3,8"
	Ports  string // such as "22,80,8500-8600"
}

// GC says when allocations that have ended are removed from the disk. A zero
// limit never does.
type GC struct {
	Interval   time.Duration // between looks at the disk; 1 min
	Parallel   int           // how many are removed at a time; 2
	DiskUsage  float64       // percent of the disk in use
	InodeUsage float64       // percent of the inodes in use
	MaxAllocs  int           // allocations, running or not
}

// complete fills in defaults and says what is missing.
func (c *Config) complete() error {
	fill(&c.Region, n.DefaultRegion)
	fill(&c.Datacenter, "dc1")
	fill(&c.NodePool, n.DefaultNodePool)
	fill(&c.MinDynamicPort, 20000)
	fill(&c.MaxDynamicPort, 32000)
	fill(&c.JoinInterval, longestWait)
	fill(&c.MaxKillTimeout, 30*time.Second)
	fill(&c.GC.Interval, time.Minute)
	fill(&c.GC.Parallel, 2)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	for name, dir := range map[string]string{"state_dir": c.StateDir, "alloc_dir": c.AllocDir} {
		if !filepath.IsAbs(dir) {
			return fmt.Errorf("client.%s %q is not an absolute path", name, dir)
		}
	}
	if c.Dial == nil {
		return errors.New("the client has no way to reach servers")
	}
	return nil
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
