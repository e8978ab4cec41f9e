// Package processes owns what drivers that run processes of this machine have in
// common: the tasks by their ids, and the methods of drivers.Driver that need
// nothing but the process. A driver embeds a Set and adds how a task becomes an
// executor.Spec.
package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
)

// HandleVersion is that of the driver state in a task's handle.
const HandleVersion = 1

// DefaultSignal is sent to stop a task that asks for none.
const DefaultSignal = syscall.SIGINT

// A Set is the tasks of a driver. The zero value is not ready: Configure it.
type Set struct {
	// ByCgroup measures tasks by their cgroups rather than by their processes.
	ByCgroup bool

	mu    sync.Mutex
	agent base.AgentConfig
	tasks map[string]*task
}

type task struct {
	config *drivers.TaskConfig
	// process is nil while the task starts.
	process *executor.Process
}

// driverState is what a handle holds beside the task's id, from which alone
// the process is found. It is there for people.
type driverState struct {
	Pid       int
	StartedAt time.Time
}

// Configure tells the set about its agent.
func (s *Set) Configure(a *base.AgentConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent = *a
}

// Agent is what Configure was given.
func (s *Set) Agent() base.AgentConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agent
}

// claim reserves an id.
func (s *Set) claim(t *drivers.TaskConfig) (*task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agent.StateDir == "" {
		return nil, errors.New("driver has no state directory")
	}
	if s.tasks[t.ID] != nil {
		return nil, fmt.Errorf("task with ID %q already started", t.ID)
	}
	if s.tasks == nil {
		s.tasks = map[string]*task{}
	}
	n := &task{config: t}
	s.tasks[t.ID] = n
	return n, nil
}

func (s *Set) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tasks, id)
}

func (s *Set) set(t *task, p *executor.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.process = p
}

// process finds the process of a started task.
func (s *Set) process(id string) (*executor.Process, *drivers.TaskConfig, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if t == nil || t.process == nil {
		return nil, nil, drivers.ErrTaskNotFound
	}
	return t.process, t.config, nil
}

// Start starts a task from the spec that make returns.
func (s *Set) Start(ctx context.Context, t *drivers.TaskConfig, spec func() (*executor.Spec, error)) (*drivers.TaskHandle, error) {
	n, err := s.claim(t)
	if err != nil {
		return nil, err
	}
	sp, err := spec()
	if err != nil {
		s.drop(t.ID)
		return nil, err
	}
	p, err := executor.Start(ctx, s.Agent().StateDir, sp)
	if err != nil {
		s.drop(t.ID)
		if errors.Is(err, executor.ErrExists) {
			return nil, fmt.Errorf("task with ID %q already started", t.ID)
		}
		return nil, err
	}
	s.set(n, p)
	h := &drivers.TaskHandle{Version: HandleVersion, Config: t}
	return h, fill(h, p)
}

// fill writes into a handle what is known of the process.
func fill(h *drivers.TaskHandle, p *executor.Process) error {
	st := p.State()
	h.Version, h.State = HandleVersion, drivers.TaskRunning
	if !st.EndedAt.IsZero() {
		h.State = drivers.TaskExited
	}
	var err error
	h.DriverState, err = json.Marshal(driverState{Pid: st.Pid, StartedAt: st.StartedAt})
	return err
}

// RecoverTask is that of drivers.Driver.
func (s *Set) RecoverTask(ctx context.Context, h *drivers.TaskHandle) error {
	if h == nil || h.Config == nil {
		return errors.New("handle has no task")
	}
	if h.Version > HandleVersion {
		return fmt.Errorf("handle has version %d; this driver knows up to %d", h.Version, HandleVersion)
	}
	if p, _, err := s.process(h.Config.ID); err == nil {
		return fill(h, p)
	}
	n, err := s.claim(h.Config)
	if err != nil {
		return err
	}
	p, err := executor.Recover(ctx, s.Agent().StateDir, h.Config.ID)
	if err != nil {
		s.drop(h.Config.ID)
		if errors.Is(err, executor.ErrNeverStarted) {
			return fmt.Errorf("%w: %w", drivers.ErrTaskNotFound, err)
		}
		return err
	}
	s.set(n, p)
	return fill(h, p)
}

// WaitTask is that of drivers.Driver.
func (s *Set) WaitTask(ctx context.Context, id string) (drivers.ExitResult, error) {
	p, _, err := s.process(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	return p.Wait(ctx)
}

// StopTask is that of drivers.Driver. A signal that does not exist is taken for
// the default.
func (s *Set) StopTask(ctx context.Context, id string, timeout time.Duration, signal string) error {
	p, _, err := s.process(id)
	if err != nil {
		return err
	}
	sig := DefaultSignal
	if signal != "" {
		if named, err := executor.ParseSignal(signal); err == nil {
			sig = named
		}
	}
	return p.Stop(ctx, sig, timeout)
}

// DestroyTask is that of drivers.Driver.
func (s *Set) DestroyTask(ctx context.Context, id string, force bool) error {
	p, _, err := s.process(id)
	if err != nil {
		return err
	}
	if !force {
		select {
		case <-p.Done():
		default:
			return errors.New("cannot destroy running task")
		}
	}
	if err := p.Destroy(ctx); err != nil {
		return err
	}
	s.drop(id)
	return nil
}

// SignalTask is that of drivers.Driver.
func (s *Set) SignalTask(_ context.Context, id, signal string) error {
	p, _, err := s.process(id)
	if err != nil {
		return err
	}
	sig, err := executor.ParseSignal(signal)
	if err != nil {
		return err
	}
	return p.Signal(sig)
}

// InspectTask is that of drivers.Driver.
func (s *Set) InspectTask(_ context.Context, id string) (*drivers.TaskStatus, error) {
	p, config, err := s.process(id)
	if err != nil {
		return nil, err
	}
	st := p.State()
	out := &drivers.TaskStatus{
		ID: id, Name: config.Name, State: drivers.TaskRunning, StartedAt: st.StartedAt, CompletedAt: st.EndedAt,
		Attributes: map[string]string{"pid": strconv.Itoa(st.Pid)},
	}
	if !st.EndedAt.IsZero() {
		out.State, out.Exit = drivers.TaskExited, &st.Exit
	}
	if st.Dropped > 0 {
		out.Attributes["log_bytes_lost"] = strconv.FormatUint(st.Dropped, 10)
	}
	return out, nil
}

// TaskStats is that of drivers.Stats.
func (s *Set) TaskStats(ctx context.Context, id string, interval time.Duration) (<-chan drivers.Usage, error) {
	p, _, err := s.process(id)
	if err != nil {
		return nil, err
	}
	if interval <= 0 {
		interval = time.Second
	}
	out := make(chan drivers.Usage)
	go func() {
		defer close(out)
		sampler := p.Sampler(s.ByCgroup, s.Agent().TotalCompute)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-p.Done():
				return
			default:
			}
			select {
			case out <- sampler.Usage():
			case <-p.Done():
				return
			case <-ctx.Done():
				return
			}
			select {
			case <-tick.C:
			case <-p.Done():
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// ExecTask is that of drivers.Exec.
func (s *Set) ExecTask(ctx context.Context, id string, o drivers.ExecOptions) (drivers.ExitResult, error) {
	p, _, err := s.process(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	select {
	case <-p.Done():
		return drivers.ExitResult{}, errors.New("task is not running")
	default:
	}
	return p.Exec(ctx, o)
}

// Spec begins a spec with all that does not depend on the driver.
func (s *Set) Spec(t *drivers.TaskConfig) *executor.Spec {
	spec := &executor.Spec{
		ID: t.ID, Task: t.Name, Logs: t.Logs, Env: Environ(t.Env),
		StdoutPath: t.StdoutPath, StderrPath: t.StderrPath,
		Cgroup: s.cgroup(t),
	}
	if t.Network != nil && t.Network.Path != "" {
		spec.NetworkNamespace = t.Network.Path
	}
	return spec
}

func (s *Set) cgroup(t *drivers.TaskConfig) executor.CgroupSpec {
	const mb = 1 << 20
	r := t.Resources
	c := executor.CgroupSpec{
		Parent: s.Agent().Cgroup, Name: cgroupName(t), Cpuset: r.CpusetCgroup,
		CPUShares: r.CPUShares, MemoryMax: r.MemoryMB * mb, SwapOff: true,
	}
	if r.MemoryMaxMB != 0 {
		c.MemoryLow, c.MemoryMax = r.MemoryMB*mb, max(r.MemoryMaxMB, 0)*mb
	}
	// Very large machines have more MHz than there are shares.
	const most = 262144
	if total := s.Agent().TotalCompute; total >= most && c.CPUShares > 0 {
		c.CPUShares = c.CPUShares * most / total
	}
	if c.CPUShares > 0 {
		c.CPUShares = max(c.CPUShares, 2)
	}
	return c
}

// cgroupName is different for every attempt, so that the end of one is never
// the end of the next.
func cgroupName(t *drivers.TaskConfig) string {
	attempt := t.ID[strings.LastIndexByte(t.ID, '/')+1:]
	name := attempt
	if t.AllocID != "" {
		name = t.AllocID + "." + t.Name + "." + attempt
	}
	return strings.NewReplacer("/", "_", "\n", "_").Replace(name)
}

// Environ lists variables in order.
func Environ(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

// Static sends one fingerprint and closes the channel when ctx ends: for what
// does not change while the agent runs.
func Static(ctx context.Context, f drivers.Fingerprint) <-chan drivers.Fingerprint {
	out := make(chan drivers.Fingerprint, 1)
	out <- f
	go func() {
		<-ctx.Done()
		close(out)
	}()
	return out
}
