// Package executor owns the processes of tasks on this machine: it starts them
// so that they survive the agent, finds them again, watches, stops and removes
// them. Drivers describe a process with a Spec; what a job or an allocation is
// stays unknown here.
//
// # The hard part
//
// The agent may be killed at any instant, also between the fork of a process
// and the note that it was started, and no process may be started twice or be
// forgotten. Every attempt to start a task has a state directory, and a shim
// (package shim, whose documentation describes the files) is the only one that
// starts anything in it, under a lock. So a later agent that knows nothing but
// the task's id decides: a shim that holds the lock is adopted; without one, the
// files say whether the task ended, was lost, or was never started, and in that
// last case the attempt is sealed under the same lock, so that a shim that was
// forked and has not come to the lock yet will start nothing.
//
// Waiting is reading a fifo whose writing end the shim holds, signals go through
// pidfds that are checked against the process's start time, and what is left of
// a task is found by its cgroups, or by its descent from the shim, which adopts
// orphans (PR_SET_CHILD_SUBREAPER). Nothing polls and nothing sleeps.
//
// # Not done
//
// There is no channel by which a running shim takes orders: all that the agent
// wants of a task it can do itself, and so a shim has no protocol to keep
// compatible. The price is that logging can not be reconfigured while a task runs.
package executor

import (
	"errors"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// ErrNeverStarted is returned by Recover for an attempt that did not start the
// task and, from then on, never will.
var ErrNeverStarted = errors.New("task was never started")

// ErrExists is returned by Start when the task id is in use.
var ErrExists = errors.New("task is already known")

// ErrRunning is returned by Destroy for a task that has not ended.
var ErrRunning = errors.New("task is still running")

// ErrUnsupported is returned where the operating system is not Linux.
var ErrUnsupported = errors.New("not supported on this operating system")

// A StartError says which step of a start failed, and why.
type StartError struct {
	Step string // in words: "execute /bin/nope"
	Err  error  // a syscall.Errno, mostly
}

func (e *StartError) Error() string { return "failed to " + e.Step + ": " + e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }

// A Spec describes a process. The zero value of every field but Command asks
// for nothing.
type Spec struct {
	ID      string // of the task, see drivers.TaskConfig
	Command string // a path, as seen inside of Root
	Args    []string
	Env     []string // "NAME=value"
	Dir     string   // working directory, as seen inside of Root

	// Logs and Task say where output goes. When Logs.Dir is empty, it goes to
	// the files StdoutPath and StderrPath, which may be empty, too.
	Logs                   drivers.LogConfig
	Task                   string
	StdoutPath, StderrPath string

	User        *User // nil: the agent's
	OOMScoreAdj *int
	Rlimits     []Rlimit
	Umask       *int

	// Root is the directory that becomes the root of the file system; empty for
	// the host's. With a root the process gets its own mount namespace and the
	// Mounts, in order.
	Root    string
	NoPivot bool // chroot instead of pivot_root
	Mounts  []Mount
	Devices []Device

	PIDNamespace, IPCNamespace bool
	NetworkNamespace           string // path of one to join

	// Capabilities are those that the process has; nil leaves them alone.
	Capabilities *Capabilities

	Cgroup CgroupSpec
}

// A User is whom a process runs as.
type User struct {
	Name     string
	UID, GID uint32
	Groups   []uint32
	Home     string
}

// An Rlimit is a limit of a process, by its number.
type Rlimit struct {
	Resource  int
	Soft, Max uint64
}

// A Mount is something shown in a process's root.
type Mount struct {
	Source, Target string
	Type           string // of the file system; empty for a bind mount
	Flags          uintptr
	Data           string
	ReadOnly       bool
	Propagation    string // see drivers.Mount
	// Optional mounts that can not be made are left out.
	Optional bool
}

// A Device is a device node in the process's /dev or elsewhere.
type Device struct {
	Path         string
	Mode         uint32 // type and permissions, as in mknod
	Major, Minor uint32
	UID, GID     uint32
}

// Capabilities of a process by their numbers.
type Capabilities struct {
	// Bounding, permitted and effective; inheritable and ambient, too, when
	// the process does not run as root.
	Set []int
}

// A CgroupSpec says which limits a process has.
type CgroupSpec struct {
	// Disabled asks for no cgroup at all, as an agent without the rights gets.
	Disabled bool
	// Required makes it an error when there can be no cgroup.
	Required bool
	Parent   string // empty: the default of the version in use
	Name     string // of the task's own cgroup; different for every attempt
	// Cpuset is the cgroup that gives the process its cores, made by the
	// client; on v2 the task's cgroup is made inside of it.
	Cpuset string

	CPUShares     int64
	MemoryMax     int64 // bytes; 0: no limit
	MemoryLow     int64 // bytes; reserved
	SwapOff       bool
	DeviceRules   []string // of cgroup v1, after "deny a": "c 1:3 rwm"
	OverrideV2    string
	OverrideV1    map[string]string // by controller
	mountOverride string            // where cgroup is mounted, for tests
}

// A State is what is known of a process.
type State struct {
	Pid       int
	StartedAt time.Time
	EndedAt   time.Time          // zero while it runs
	Exit      drivers.ExitResult // valid once EndedAt is set
	Dropped   uint64             // bytes of output that could not be written
}
