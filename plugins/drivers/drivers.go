// Package drivers owns the interface between a client and the task drivers: the
// words that both sides use and what each may rely on. It holds no driver and
// starts no process; built-in and third-party drivers are written against it
// alike.
package drivers

import (
	"context"
	"errors"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// ErrTaskNotFound is returned, bare or wrapped, for a task id that the driver
// does not know. Its text is part of the plugin protocol.
var ErrTaskNotFound = errors.New("task not found for given id")

// A Driver starts tasks and watches over them. All methods may be called at the
// same time. A task is known by TaskConfig.ID, which is new for every start.
//
// A driver that can do more implements the Stats, Events, Exec and Network
// interfaces of this package too. One that works while nobody calls it implements
// io.Closer, which the agent calls when it ends: the driver then lets go of its
// tasks, which go on.
type Driver interface {
	base.Plugin

	// TaskConfigSchema returns the schema of a task's config block.
	TaskConfigSchema() *hclspec.Spec
	Capabilities() Capabilities

	// Fingerprint sends what the driver offers on this node: once at once and
	// then whenever it changes. The channel closes after ctx ends; closing it
	// earlier means that the driver failed, and it is asked again.
	Fingerprint(ctx context.Context) (<-chan Fingerprint, error)

	// StartTask starts a task and returns as soon as its process runs. The
	// handle holds all that RecoverTask needs in a later process of the agent.
	// An error that may pass by itself is wrapped by Recoverable; any other
	// fails the task without a restart. After an error nothing of the task is
	// left behind. A task must keep running when the agent dies.
	StartTask(ctx context.Context, t *TaskConfig) (*TaskHandle, *NetworkOverride, error)

	// RecoverTask takes up a task that an earlier process of the agent started.
	// A handle in state TaskUnknown and without DriverState says that the
	// agent died while it started the task and never learned the outcome: the
	// driver finds the task by its id, waits until its start is decided, fills
	// in the handle's State and DriverState, and takes it up; it returns
	// ErrTaskNotFound when the task was never started, and then makes sure that
	// it never will be.
	RecoverTask(ctx context.Context, h *TaskHandle) error

	// WaitTask blocks until the task has ended or ctx is done. It may be called
	// any number of times, also after the end, until DestroyTask.
	WaitTask(ctx context.Context, id string) (ExitResult, error)

	// StopTask sends signal (empty: the driver's default), waits for at most
	// timeout, then kills the task with all of its processes. It returns when
	// the task has ended and keeps what WaitTask and InspectTask need.
	StopTask(ctx context.Context, id string, timeout time.Duration, signal string) error

	// DestroyTask removes all that the driver keeps of an ended task. With
	// force, a running task is killed first; without, it is an error.
	DestroyTask(ctx context.Context, id string, force bool) error

	// SignalTask sends a signal by its name, e.g. "SIGHUP".
	SignalTask(ctx context.Context, id, signal string) error
	InspectTask(ctx context.Context, id string) (*TaskStatus, error)
}

// Stats is implemented by drivers that measure their tasks.
type Stats interface {
	// TaskStats sends a measurement at once and then every interval until ctx
	// ends or the task does.
	TaskStats(ctx context.Context, id string, interval time.Duration) (<-chan Usage, error)
}

// Events is implemented by drivers that have more to say of a task than that
// it started and ended, such as the progress of an image pull.
type Events interface {
	TaskEvents(ctx context.Context) (<-chan TaskEvent, error)
}

// Exec is implemented by drivers that can run a command beside a task, with
// the task's isolation and environment.
type Exec interface {
	// ExecTask returns when the command has ended and its output is delivered.
	// When ctx ends, the command is killed.
	ExecTask(ctx context.Context, id string, o ExecOptions) (ExitResult, error)
}

// Network is implemented by drivers that make an allocation's network
// namespace themselves, as their Capabilities.MustCreateNetwork says.
type Network interface {
	CreateNetwork(ctx context.Context, allocID, hostname string) (spec *NetworkIsolation, created bool, err error)
	DestroyNetwork(ctx context.Context, allocID string, spec *NetworkIsolation) error
}

// Capabilities says what a driver can do; they never change while it runs.
type Capabilities struct {
	SendSignals          bool
	Exec                 bool
	FSIsolation          FSIsolation
	NetworkModes         []NetworkMode
	MustCreateNetwork    bool
	NoMounts             bool // volumes can not be mounted into tasks
	DynamicWorkloadUsers bool
	DisableLogCollection bool // the task's output goes somewhere else

	// BuildsRoot is set by drivers of the agent's own process with FSChroot
	// that show the host's directories (base.AgentConfig.ChrootEnv) and the
	// allocation's in the task's root themselves, so that the client only makes
	// the task's directories.
	BuildsRoot bool

	// WritesLogs is set by drivers of the agent's own process that write the
	// rotated log files of TaskConfig.Logs themselves, with a process that
	// outlives the agent. All others write to StdoutPath and StderrPath.
	WritesLogs bool
}

// FSIsolation says how much of the host's file system a task sees. The numbers
// are those of the wire.
type FSIsolation int

const (
	FSNone   FSIsolation = 0 // all of it
	FSChroot FSIsolation = 1 // a tree that the client builds in the task directory
	FSImage  FSIsolation = 2 // an image that the driver brings
	FSUnveil FSIsolation = 3 // all of it, access restricted by the kernel
)

// NetworkMode is a way of isolating the network. The numbers are those of the
// wire.
type NetworkMode int

const (
	NetworkHost  NetworkMode = 0
	NetworkGroup NetworkMode = 1
	NetworkTask  NetworkMode = 2
	NetworkNone  NetworkMode = 3
)

// A Fingerprint is what a driver offers on a node.
type Fingerprint struct {
	Health      Health
	Description string // "Healthy", or what is wrong and how to mend it
	// Attributes are keyed as they appear on the node: "driver.docker.version".
	// An empty value removes the attribute.
	Attributes map[string]string
	Err        error
}

// Health of a driver. The numbers are those of the wire.
type Health int

const (
	HealthUndetected Health = 0 // not on this node
	HealthUnhealthy  Health = 1 // here, and can not start tasks now
	HealthHealthy    Health = 2
)

// HealthyDescription is the description of a healthy driver.
const HealthyDescription = "Healthy"

// Recoverable marks an error of StartTask as one that may pass by itself, so
// that the task's restart policy applies.
func Recoverable(err error) error {
	if err == nil {
		return nil
	}
	return &recoverable{err}
}

// IsRecoverable reports whether err was marked by Recoverable.
func IsRecoverable(err error) bool {
	var r *recoverable
	return errors.As(err, &r)
}

type recoverable struct{ err error }

func (r *recoverable) Error() string { return r.err.Error() }
func (r *recoverable) Unwrap() error { return r.err }
