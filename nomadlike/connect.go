package nomadlike

import "time"

// Connect joins a service to Consul's mesh.
type Connect struct {
	Native         bool
	Gateway        *Gateway        `hcl:"gateway"`
	SidecarService *SidecarService `hcl:"sidecar_service"`
	SidecarTask    *SidecarTask    `hcl:"sidecar_task"`
}

type SidecarService struct {
	Tags                   []string
	Port                   string
	Proxy                  *ConnectProxy `hcl:"proxy"`
	DisableDefaultTCPCheck bool          `hcl:"disable_default_tcp_check"`
	Meta                   map[string]string
}

type ConnectProxy struct {
	LocalServiceAddress string
	LocalServicePort    int
	Expose              *Expose           `hcl:"expose"`
	Upstreams           []Upstream        `hcl:"upstreams"`
	TransparentProxy    *TransparentProxy `hcl:"transparent_proxy"`
	Config              Raw
}

type Expose struct {
	Paths []ExposePath `hcl:"path"`
}

type ExposePath struct {
	Path          string
	Protocol      string
	LocalPathPort int
	ListenerPort  string
}

type Upstream struct {
	DestinationName      string
	DestinationNamespace string
	DestinationPeer      string
	DestinationPartition string
	DestinationType      string
	Datacenter           string
	LocalBindAddress     string
	LocalBindPort        int
	LocalBindSocketPath  string
	LocalBindSocketMode  string
	MeshGateway          *MeshGateway `hcl:"mesh_gateway"`
	Config               Raw
}

type MeshGateway struct{ Mode string }

type TransparentProxy struct {
	UID                  string `hcl:"uid"`
	OutboundPort         uint16
	ExcludeInboundPorts  []string
	ExcludeOutboundPorts []uint16
	ExcludeOutboundCIDRs []string `hcl:"exclude_outbound_cidrs"`
	ExcludeUIDs          []string `hcl:"exclude_uids"`
	NoDNS                bool     `hcl:"no_dns"`
}

type SidecarTask struct {
	Name          string
	Driver        string
	User          string
	Config        Raw
	Env           map[string]string
	Meta          map[string]string
	Resources     *Resources `hcl:"resources"`
	KillTimeout   time.Duration
	KillSignal    string
	LogConfig     *LogConfig `hcl:"logs"`
	ShutdownDelay time.Duration
	Identities    []Identity    `hcl:"identity"`
	VolumeMounts  []VolumeMount `hcl:"volume_mount"`
}

type Gateway struct {
	Proxy       *GatewayProxy       `hcl:"proxy"`
	Ingress     *IngressGateway     `hcl:"ingress"`
	Terminating *TerminatingGateway `hcl:"terminating"`
	Mesh        *MeshGatewayConfig  `hcl:"mesh"`
}

type GatewayProxy struct {
	ConnectTimeout                  time.Duration
	EnvoyGatewayBindTaggedAddresses bool
	EnvoyGatewayBindAddresses       map[string]*GatewayBindAddress
	EnvoyGatewayNoDefaultBind       bool
	EnvoyDNSDiscoveryType           string `hcl:"envoy_dns_discovery_type"`
	Config                          Raw
}

type GatewayBindAddress struct {
	Name    string `hcl:",label"`
	Address string
	Port    int
}

type IngressGateway struct {
	TLS       *GatewayTLS       `hcl:"tls"`
	Listeners []IngressListener `hcl:"listener"`
}

type GatewayTLS struct {
	Enabled       bool
	TLSMinVersion string `hcl:"tls_min_version"`
	TLSMaxVersion string `hcl:"tls_max_version"`
	CipherSuites  []string
	SDS           *GatewaySDS `hcl:"sds"`
}

type GatewaySDS struct {
	ClusterName  string
	CertResource string
}

type IngressListener struct {
	Port     int
	Protocol string           // "tcp", "http", "http2", "grpc"
	Services []IngressService `hcl:"service"`
}

type IngressService struct {
	Name                  string
	Hosts                 []string
	TLS                   *GatewayTLS     `hcl:"tls"`
	RequestHeaders        *HeaderModifier `hcl:"request_headers"`
	ResponseHeaders       *HeaderModifier `hcl:"response_headers"`
	MaxConnections        *uint32
	MaxPendingRequests    *uint32
	MaxConcurrentRequests *uint32
}

type HeaderModifier struct {
	Add    map[string]string
	Set    map[string]string
	Remove []string
}

type TerminatingGateway struct {
	Services []LinkedService `hcl:"service"`
}

type LinkedService struct {
	Name     string
	CAFile   string `hcl:"ca_file"`
	CertFile string
	KeyFile  string
	SNI      string `hcl:"sni"`
}

// MeshGatewayConfig has no fields.
type MeshGatewayConfig struct{}
