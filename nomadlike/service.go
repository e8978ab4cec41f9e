package nomadlike

import "time"

// Providers of service discovery.
const (
	ProviderConsul = "consul"
	ProviderNomad  = "nomad" // the built-in catalogue
)

// A Service is an address that others can look up by name.
type Service struct {
	Name              string
	TaskName          string `hcl:"task"`
	PortLabel         string `hcl:"port"`
	AddressMode       string // "auto", "host", "driver", "alloc", "alloc_ipv6"
	Address           string
	EnableTagOverride bool
	Tags              []string
	CanaryTags        []string
	Checks            []Check       `hcl:"check"`
	CheckRestart      *CheckRestart `hcl:"check_restart"`
	Connect           *Connect      `hcl:"connect"`
	Meta              map[string]string
	CanaryMeta        map[string]string
	TaggedAddresses   map[string]string
	Weights           *Weights  `hcl:"weights"`
	Namespace         string    `hcl:"-" json:",omitempty"`
	OnUpdate          string    // "require_healthy", "ignore_warnings", "ignore"
	Identity          *Identity `hcl:"identity"`
	Provider          string
	Cluster           string
	Kind              string
}

type Weights struct{ Passing, Warning int }

// A Check says whether a service is healthy.
type Check struct {
	Name                   string
	Type                   string // "http", "tcp", "grpc", "script"
	Command                string
	Args                   []string
	Path                   string
	Protocol               string
	PortLabel              string `hcl:"port"`
	Expose                 bool
	AddressMode            string
	Interval               time.Duration
	Timeout                time.Duration
	InitialStatus          string
	Notes                  string
	TLSServerName          string `hcl:"tls_server_name"`
	TLSSkipVerify          bool   `hcl:"tls_skip_verify"`
	Header                 map[string][]string
	Method                 string
	CheckRestart           *CheckRestart `hcl:"check_restart"`
	GRPCService            string        `hcl:"grpc_service"`
	GRPCUseTLS             bool          `hcl:"grpc_use_tls"`
	TaskName               string        `hcl:"task"`
	SuccessBeforePassing   int
	FailuresBeforeCritical int
	FailuresBeforeWarning  int
	Body                   string
	OnUpdate               string
	Advertise              string
}

// CheckRestart restarts a task whose check stays unhealthy.
type CheckRestart struct {
	Limit          int // 0: never
	Grace          time.Duration
	IgnoreWarnings bool
}
