package drivers

import (
	"io"
	"path/filepath"
	"time"
)

// A TaskConfig is a task as a driver sees it: interpolated, with its resources
// assigned and its directories made. It is smaller than the job's own task and
// changes slowly, because third parties compile against it.
type TaskConfig struct {
	// ID is "<allocation>/<task>/<8 hex>", new for every start of the task.
	ID   string
	Name string // the task's

	AllocID, JobID, JobName, ParentJobID string
	TaskGroupName, Namespace             string
	NodeID, NodeName                     string

	// DriverConfig is the task's config block, decoded with TaskConfigSchema
	// and encoded as msgpack; see DecodeDriverConfig.
	DriverConfig []byte
	Env          map[string]string
	DeviceEnv    map[string]string // the part of Env that devices gave

	Resources Resources
	Mounts    []Mount
	Devices   []Device
	User      string // empty: the driver's default

	// AllocDir is the allocation's directory on the host, see TaskDir.
	AllocDir string
	// StdoutPath and StderrPath are opened for writing by drivers that do not
	// write logs themselves; os.DevNull when logs are disabled.
	StdoutPath, StderrPath string
	// Logs says where and how a driver with Capabilities.WritesLogs keeps the
	// task's output.
	Logs LogConfig

	Network *NetworkIsolation // nil: the host's network
	DNS     *DNS              // nil: the host's
}

// LogConfig says how output is kept: in Dir, as "<task>.stdout.<n>" and
// "<task>.stderr.<n>" with n counting up from 0 for the life of the
// allocation, and only the newest MaxFiles of each kept.
type LogConfig struct {
	Dir      string
	MaxFiles int   // at least 1
	MaxSize  int64 // of a file, in bytes
	Disabled bool  // output is thrown away
}

// TaskDir names a task's directories on the host.
type TaskDir struct {
	Dir     string // the task's own; the root of its chroot, or its working directory
	Local   string // NOMAD_TASK_DIR
	Secrets string // NOMAD_SECRETS_DIR; kept in memory
	Private string // never shown to the task
	Shared  string // NOMAD_ALLOC_DIR, shared by the allocation's tasks
	Logs    string
}

// TaskDir derives the task's directories from AllocDir and Name.
func (t *TaskConfig) TaskDir() TaskDir {
	dir := filepath.Join(t.AllocDir, t.Name)
	shared := filepath.Join(t.AllocDir, "alloc")
	return TaskDir{
		Dir:     dir,
		Local:   filepath.Join(dir, "local"),
		Secrets: filepath.Join(dir, "secrets"),
		Private: filepath.Join(dir, "private"),
		Shared:  shared,
		Logs:    filepath.Join(shared, "logs"),
	}
}

// Resources are what the scheduler gave the task.
type Resources struct {
	CPUShares   int64    // MHz
	Cores       []uint16 // reserved for this task alone
	CPUFraction float64  // CPUShares as a part of the node's usable compute
	MemoryMB    int64    // guaranteed
	MemoryMaxMB int64    // 0: none beyond MemoryMB; -1: unlimited
	Ports       []Port   // of the allocation's network
	// CpusetCgroup is the cgroup of the cores that the task may use; empty when
	// the client does not manage cores.
	CpusetCgroup string
}

// A Port is a port of the host given to the allocation.
type Port struct {
	Label  string
	Value  int // on the host
	To     int // inside of the network namespace; 0: same as Value
	HostIP string
}

// A Mount is a directory or file of the host shown in the task.
type Mount struct {
	TaskPath, HostPath string
	ReadOnly           bool
	PropagationMode    string // "private" (also empty), "host-to-task", "bidirectional"
	SELinuxLabel       string
	RequestName        string // the name of the volume block
}

// A Device is a device node of the host shown in the task.
type Device struct {
	TaskPath, HostPath string
	CgroupPermissions  string // of "rwm"
}

// NetworkIsolation is the network that a task joins.
type NetworkIsolation struct {
	Mode   NetworkMode
	Path   string // of the network namespace, or the driver's own word for it
	Labels map[string]string
	Hosts  *HostsConfig
}

// HostsConfig is what the task finds of itself in /etc/hosts.
type HostsConfig struct{ Hostname, Address string }

// DNS is what the task finds in /etc/resolv.conf.
type DNS struct{ Servers, Searches, Options []string }

// NetworkOverride is how a task is reached when the driver, not the client,
// made its network.
type NetworkOverride struct {
	PortMap       map[string]int // label to the port inside
	Addr          string         // of the task
	AutoAdvertise bool           // services advertise Addr by default
}

// A TaskHandle is what the client stores of a started task and gives back to
// RecoverTask.
type TaskHandle struct {
	Version     int // of DriverState, chosen by the driver, from 1
	Config      *TaskConfig
	State       TaskState
	DriverState []byte // the driver's own
}

// TaskState of a task, to its driver. The numbers are those of the wire.
type TaskState int

const (
	TaskUnknown TaskState = 0
	TaskRunning TaskState = 1
	TaskExited  TaskState = 2
)

// An ExitResult says how a task ended.
type ExitResult struct {
	ExitCode  int // 128 plus the signal's number when a signal ended it
	Signal    int
	OOMKilled bool
	Err       error // why the result itself is in doubt
}

// Successful reports an exit that was meant.
func (r ExitResult) Successful() bool {
	return r.ExitCode == 0 && r.Signal == 0 && !r.OOMKilled && r.Err == nil
}

// TaskStatus is what InspectTask knows of a task.
type TaskStatus struct {
	ID, Name               string
	State                  TaskState
	StartedAt, CompletedAt time.Time
	Exit                   *ExitResult       // nil while it runs
	Attributes             map[string]string // "pid", "container_id"
}

// A TaskEvent is something that a driver has to say of a task.
type TaskEvent struct {
	TaskID, AllocID, TaskName string
	Time                      time.Time
	Message                   string
	Annotations               map[string]string
}

// ExecOptions is a command to be run beside a task.
type ExecOptions struct {
	Command        []string
	TTY            bool
	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer // with TTY all output goes to Stdout
	Resize         <-chan TerminalSize
}

// TerminalSize in characters.
type TerminalSize struct{ Height, Width int }

// Usage is one measurement of a task. Measured names the fields that were
// measured, as the API shows them: "RSS", "Usage", "Percent".
type Usage struct {
	Time   time.Time
	CPU    CPUUsage
	Memory MemoryUsage
	Pids   map[int]Usage // by process, where the driver knows; not nested further
}

// CPUUsage in percent of one core, except where said.
type CPUUsage struct {
	System, User, Percent float64
	TotalTicks            float64 // MHz
	ThrottledPeriods      uint64
	ThrottledTime         uint64 // nanoseconds
	Measured              []string
}

// MemoryUsage in bytes.
type MemoryUsage struct {
	RSS, Cache, Swap, MappedFile uint64
	Usage, MaxUsage              uint64
	KernelUsage, KernelMaxUsage  uint64
	Measured                     []string
}
