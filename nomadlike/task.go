package nomadlike

import "time"

// A Task is one process, container or machine to run.
type Task struct {
	Name            string `hcl:",label"`
	Driver          string
	User            string
	Lifecycle       *Lifecycle `hcl:"lifecycle" update:"inplace"`
	Config          Raw
	Env             map[string]string `hcl:"env,map"`
	Services        []Service         `hcl:"service" update:"inplace"`
	Constraints     []Constraint      `hcl:"constraint" update:"inplace"`
	Affinities      []Affinity        `hcl:"affinity" update:"inplace"`
	Resources       *Resources        `hcl:"resources"`
	RestartPolicy   *Restart          `hcl:"restart"`
	Meta            map[string]string `hcl:"meta,map"`
	KillTimeout     time.Duration     `update:"inplace"`
	KillSignal      string            `update:"inplace"`
	Leader          bool              `update:"inplace"`
	ShutdownDelay   time.Duration     `update:"inplace"`
	LogConfig       *LogConfig        `hcl:"logs"`
	Artifacts       []Artifact        `hcl:"artifact"`
	Templates       []Template        `hcl:"template"`
	Vault           *Vault            `hcl:"vault"`
	Consul          *Consul           `hcl:"consul"`
	Secrets         []Secret          `hcl:"secret"`
	Identity        *Identity         `hcl:"-"` // the default one
	Identities      []Identity        `hcl:"identity"`
	DispatchPayload *DispatchPayload  `hcl:"dispatch_payload" update:"inplace"`
	VolumeMounts    []VolumeMount     `hcl:"volume_mount"`
	CSIPluginConfig *CSIPlugin        `hcl:"csi_plugin" json:",omitempty"`
	ScalingPolicies []ScalingPolicy   `hcl:"-" update:"inplace"` // scaling "cpu" and "mem"
	Kind            string            `update:"inplace"`
	Actions         []Action          `hcl:"action" update:"inplace"`
	Schedule        *Schedule         `hcl:"schedule" update:"inplace"`
}

// Hooks of a task's lifecycle.
const (
	HookPrestart  = "prestart"
	HookPoststart = "poststart"
	HookPoststop  = "poststop"
)

// Lifecycle makes a task run before, beside or after the main tasks.
type Lifecycle struct {
	Hook    string
	Sidecar bool
}

// Resources are what a task asks for.
type Resources struct {
	CPU         int             `hcl:"cpu"` // MHz
	Cores       int             // whole cores, for this task alone
	MemoryMB    int             `hcl:"memory"`
	MemoryMaxMB *int            `hcl:"memory_max"` // -1: unlimited
	SecretsMB   *int            `hcl:"secrets"`
	DiskMB      *int            `hcl:"disk" json:",omitempty" update:"inplace"` // deprecated; EphemeralDisk.SizeMB counts
	IOPS        *int            `hcl:"iops" json:",omitempty" update:"inplace"` // deprecated, not enforced
	Networks    []Network       `hcl:"network"`                                 // deprecated; Group.Networks
	Devices     []DeviceRequest `hcl:"device"`
	NUMA        *NUMA           `hcl:"numa"`
}

// A DeviceRequest asks for devices by "type", "vendor/type" or
// "vendor/type/model".
type DeviceRequest struct {
	Name        string `hcl:",label"`
	Count       uint64
	Constraints []Constraint `hcl:"constraint"`
	Affinities  []Affinity   `hcl:"affinity"`
}

// NUMA is kept and shown; any affinity but "none" is refused.
type NUMA struct {
	Affinity string // "none", "prefer", "require"
	Devices  []string
}

// LogConfig says how much of a task's output is kept.
type LogConfig struct {
	MaxFiles      int   `hcl:"max_files" update:"inplace"`
	MaxFileSizeMB int   `hcl:"max_file_size" update:"inplace"`
	Disabled      bool  `hcl:"disabled"`
	Enabled       *bool `hcl:"enabled" json:",omitempty" update:"inplace"` // deprecated; Disabled counts
}

// An Artifact is fetched before the task starts.
type Artifact struct {
	GetterSource   string            `hcl:"source"`
	GetterOptions  map[string]string `hcl:"options"`
	GetterHeaders  map[string]string `hcl:"headers"`
	GetterMode     string            `hcl:"mode"` // "any", "file", "dir"
	GetterInsecure bool              `hcl:"insecure"`
	RelativeDest   string            `hcl:"destination"`
	Chown          bool              `hcl:"chown"`
}

// A Template is rendered into a file of the task, or into its environment.
type Template struct {
	SourcePath    string        `hcl:"source"`
	DestPath      string        `hcl:"destination"`
	EmbeddedTmpl  string        `hcl:"data"`
	ChangeMode    string        `hcl:"change_mode"` // "noop", "signal", "restart", "script"
	ChangeSignal  string        `hcl:"change_signal"`
	ChangeScript  *ChangeScript `hcl:"change_script"`
	Once          bool
	Splay         time.Duration
	Perms         string // octal
	Uid           *int
	Gid           *int
	LeftDelim     string        `hcl:"left_delimiter"`
	RightDelim    string        `hcl:"right_delimiter"`
	Envvars       bool          `hcl:"env"`
	VaultGrace    time.Duration // deprecated, ignored
	Wait          *Wait         `hcl:"wait"`
	ErrMissingKey bool          `hcl:"error_on_missing_key"`
}

type ChangeScript struct {
	Command          string
	Args             []string
	Timeout          time.Duration
	FailOnError      bool
	RunOnFirstRender bool
}

type Wait struct{ Min, Max *time.Duration }

// Vault asks for a Vault token.
type Vault struct {
	Role                 string
	Policies             []string // deprecated
	Namespace            string
	Cluster              string
	Env                  bool
	DisableFile          bool
	ChangeMode           string // "noop", "signal", "restart"
	ChangeSignal         string
	AllowTokenExpiration bool
}

// A Secret is read before the task starts and offered to interpolation as
// secret.<name>.<key>.
type Secret struct {
	Name     string `hcl:",label"`
	Provider string
	Path     string
	Config   Raw
	Env      map[string]string
}

// An Identity is a token that says who the workload is.
type Identity struct {
	Name         string
	Audience     []string `hcl:"aud"`
	ChangeMode   string
	ChangeSignal string
	Env          bool
	ExtraClaims  []string
	File         bool
	Filepath     string        `hcl:"filepath"`
	ServiceName  string        `hcl:"-"`
	TTL          time.Duration `hcl:"ttl"`
}

// DispatchPayload names the file of the task that gets a dispatched job's
// payload.
type DispatchPayload struct{ File string }

// A VolumeMount shows a volume of the group in the task.
type VolumeMount struct {
	Volume          string
	Destination     string
	ReadOnly        bool
	PropagationMode string // "private", "host-to-task", "bidirectional"
	SELinuxLabel    string `hcl:"selinux_label"`
}

// CSIPlugin makes the task a storage plugin.
type CSIPlugin struct {
	ID                  string `hcl:"id"`
	Type                string // "node", "controller", "monolith"
	MountDir            string
	StagePublishBaseDir string
	HealthTimeout       time.Duration
}

// An Action is a command that users may run in the task.
type Action struct {
	Name    string `hcl:",label"`
	Command string
	Args    []string
}

// Schedule is kept and shown; a job that has one is refused.
type Schedule struct {
	Cron *ScheduleCron `hcl:"cron"`
}

type ScheduleCron struct {
	Start    string
	End      string
	Timezone string
}
