// Package config owns the agent's configuration: its files in HCL and JSON,
// the flags, the defaults, how sources are merged and what is refused. It
// starts nothing and keeps no file open.
//
// keys.go is the table of what can be configured: a line there is all that a
// new key needs besides its field. later.go names the keys of other agents
// that this build does not honour yet; they are refused, not ignored.
package config

import (
	"runtime"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Config is the effective configuration of an agent. Load returns it complete.
type Config struct {
	Region     string
	Datacenter string
	Name       string // of the node; the host's name unless written
	DataDir    string
	BindAddr   string
	Ports      Ports
	Addresses  Addresses // to listen on, as written; Listen resolves them
	Advertise  Addresses // for others to dial, as written; Announce resolves them

	LogLevel           string
	LogJSON            bool
	LogIncludeLocation bool // file:line after the level
	LogFile            string
	LogRotate          LogRotate

	EnableDebug        bool
	LeaveOnInterrupt   bool
	LeaveOnTerminate   bool
	DisableUpdateCheck bool // accepted: nothing is ever called home
	HTTPHeaders        map[string]string

	Server    Server
	Client    Client
	Plugins   map[string]Plugin
	Telemetry Telemetry
	TLS       TLS
	Limits    Limits
	UI        UI

	// Dev is set by -dev: nothing survives the process.
	Dev bool
	// Files are those that were loaded, in order.
	Files []string
	// Warnings are for the user, and no reason to stop.
	Warnings []string `json:"-"`

	written map[string]Pos
}

// Ports by protocol. Serf is gossip, over TCP and UDP.
type Ports struct{ HTTP, RPC, Serf int }

// LogRotate says when the log file is set aside and a new one begun, and how many
// of those are kept.
type LogRotate struct {
	Duration time.Duration // 0: never by age
	Bytes    int           // 0: never by size
	MaxFiles int           // 0: all are kept; negative: none is
}

// Addresses by protocol, as they are written: an address, an address with a
// port, a host name or a template.
type Addresses struct{ HTTP, RPC, Serf string }

// Server configures an agent's server.
type Server struct {
	Enabled         bool
	BootstrapExpect int
	DataDir         string // data_dir/server unless written; empty: in memory
	Encrypt         string `json:"-"` // the gossip key in base64; EncryptKey decodes it
	RaftMultiplier  int

	NumSchedulers     int
	EnabledSchedulers []string
	DefaultScheduler  n.SchedulerConfiguration // of a new cluster

	HeartbeatGrace         time.Duration
	MinHeartbeatTTL        time.Duration
	MaxHeartbeatsPerSecond float64
	FailoverHeartbeatTTL   time.Duration

	EvalNackTimeout   time.Duration
	EvalDeliveryLimit int

	NodeGCThreshold       time.Duration
	JobGCInterval         time.Duration
	JobGCThreshold        time.Duration
	EvalGCThreshold       time.Duration
	BatchEvalGCThreshold  time.Duration
	DeploymentGCThreshold time.Duration

	JobDefaultPriority int
	JobMaxPriority     int
	JobMaxCount        int // 0: no limit
	JobMaxSourceSize   int // bytes; 0: none is kept
	JobTrackedVersions int

	Join ServerJoin
}

// ServerJoin says where servers are found.
type ServerJoin struct {
	StartJoin     []string // servers only: one try, failure ends the start
	RetryJoin     []string // tried until one answers
	RetryInterval time.Duration
	RetryMax      int // 0: for ever
}

// Client configures an agent's client.
type Client struct {
	Enabled  bool
	StateDir string // data_dir/client unless written
	AllocDir string // data_dir/alloc unless written
	Servers  []string
	Join     ServerJoin

	NodeClass string
	NodePool  string
	Meta      map[string]string
	Options   map[string]string

	NetworkInterface string // a name, after Load; empty: that of the default route
	NetworkSpeed     int    // Mbit/s; 0: detected
	CPUTotalCompute  int    // MHz; 0: detected
	MemoryTotalMB    int
	DiskTotalMB      int
	Reserved         Reserved

	MinDynamicPort int
	MaxDynamicPort int
	MaxKillTimeout time.Duration

	GCInterval            time.Duration
	GCParallelDestroys    int
	GCDiskUsageThreshold  float64 // percent
	GCInodeUsageThreshold float64 // percent
	GCMaxAllocs           int

	NoHostUUID   bool
	CgroupParent string
	ChrootEnv    map[string]string // empty: the driver's own
}

// Reserved is what tasks may not use.
type Reserved struct {
	CPU    int    // MHz
	Memory int    // MB
	Disk   int    // MB
	Cores  string // such as "0-3,8"
	Ports  string // such as "22,80,8500-8600"
}

// Plugin configures one task driver or other plugin by its name.
type Plugin struct {
	Args   []string
	Config n.Raw `json:"-"` // the plugin's own business, and perhaps its secrets
}

type Telemetry struct {
	PrometheusMetrics        bool
	CollectionInterval       time.Duration
	PublishNodeMetrics       bool
	PublishAllocationMetrics bool
	DisableHostname          bool
}

type TLS struct {
	HTTP, RPC            bool
	CAFile               string
	CertFile             string
	KeyFile              string
	VerifyServerHostname bool
	VerifyHTTPSClient    bool
}

// Limits of connections. 0 is none.
type Limits struct {
	HTTPMaxConnsPerClient int
	HTTPSHandshakeTimeout time.Duration
	RPCMaxConnsPerClient  int
	RPCHandshakeTimeout   time.Duration
}

type UI struct{ Enabled bool }

// Default is the configuration of an agent that is told nothing.
func Default() *Config {
	return &Config{
		Region:     "global",
		Datacenter: "dc1",
		BindAddr:   "0.0.0.0",
		Ports:      Ports{HTTP: 4646, RPC: 4647, Serf: 4648},
		LogLevel:   "INFO",
		LogRotate:  LogRotate{Duration: 24 * time.Hour},
		Server: Server{
			RaftMultiplier: 1,
			NumSchedulers:  runtime.NumCPU(),
			DefaultScheduler: n.SchedulerConfiguration{
				SchedulerAlgorithm: "binpack",
				PreemptionConfig:   n.PreemptionConfig{SystemSchedulerEnabled: true},
			},
			HeartbeatGrace:         10 * time.Second,
			MinHeartbeatTTL:        10 * time.Second,
			MaxHeartbeatsPerSecond: 50,
			FailoverHeartbeatTTL:   5 * time.Minute,
			EvalNackTimeout:        time.Minute,
			EvalDeliveryLimit:      3,
			NodeGCThreshold:        24 * time.Hour,
			JobGCInterval:          5 * time.Minute,
			JobGCThreshold:         4 * time.Hour,
			EvalGCThreshold:        time.Hour,
			BatchEvalGCThreshold:   24 * time.Hour,
			DeploymentGCThreshold:  time.Hour,
			JobDefaultPriority:     50,
			JobMaxPriority:         100,
			JobMaxCount:            50000,
			JobMaxSourceSize:       1 << 20,
			JobTrackedVersions:     6,
			Join:                   ServerJoin{RetryInterval: 30 * time.Second},
		},
		Client: Client{
			NodePool:              "default",
			MinDynamicPort:        20000,
			MaxDynamicPort:        32000,
			MaxKillTimeout:        30 * time.Second,
			GCInterval:            time.Minute,
			GCParallelDestroys:    2,
			GCDiskUsageThreshold:  80,
			GCInodeUsageThreshold: 70,
			GCMaxAllocs:           50,
			NoHostUUID:            true,
			Join:                  ServerJoin{RetryInterval: 30 * time.Second},
		},
		Telemetry: Telemetry{CollectionInterval: time.Second},
		Limits: Limits{
			HTTPMaxConnsPerClient: 100, HTTPSHandshakeTimeout: 5 * time.Second,
			RPCMaxConnsPerClient: 100, RPCHandshakeTimeout: 5 * time.Second,
		},
		UI: UI{Enabled: true},
	}
}

// Dev is the configuration that -dev begins with: server and client in one, on
// loopback, remembering nothing. Directories are left to the agent, which makes
// and removes them.
func Dev() *Config {
	c := Default()
	c.Dev = true
	c.BindAddr = "127.0.0.1"
	c.LogLevel = "DEBUG"
	c.EnableDebug = true
	c.Server.Enabled = true
	c.Server.BootstrapExpect = 1
	c.Client.Enabled = true
	c.Client.NetworkInterface = `{{ GetAllInterfaces | include "flags" "loopback" | limit 1 | attr "name" }}`
	c.Client.Options = map[string]string{
		"driver.raw_exec.enable":        "true",
		"driver.docker.volumes":         "true",
		"test.tighten_network_timeouts": "true",
	}
	c.Client.GCInterval = 10 * time.Minute
	c.Client.GCDiskUsageThreshold = 99
	c.Client.GCInodeUsageThreshold = 99
	c.Telemetry.PrometheusMetrics = true
	c.Telemetry.PublishAllocationMetrics = true
	c.Telemetry.PublishNodeMetrics = true
	return c
}
