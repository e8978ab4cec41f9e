// Package mock owns mock_driver, whose tasks are nothing but what their config
// says: they take so long, write this, end like that, fail to start. It is for
// tests and for trying out schedulers without starting processes.
//
// A task outlives the agent in the sense that counts: it is noted on disk, and the
// next agent finds it running, or ended at the time at which it should have.
package mock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
	"github.com/nomadlike/nomadlike/plugins/executor/processes"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// Name is that of the driver in job files.
const Name = "mock_driver"

const (
	version       = "0.1.0"
	handleVersion = 1
)

// A Driver is the mock driver.
type Driver struct {
	mu     sync.Mutex
	config config
	dir    string
	tasks  map[string]*task // nil while a task starts
}

var (
	_ drivers.Driver = (*Driver)(nil)
	_ drivers.Exec   = (*Driver)(nil)
)

// New makes a driver that is to be configured with SetConfig.
func New() *Driver { return &Driver{tasks: map[string]*task{}} }

func (d *Driver) Info() base.Info {
	return base.Info{Type: base.TypeDriver, Name: Name, Version: version, APIVersions: []string{base.APIVersion}}
}

func (d *Driver) ConfigSchema() *hclspec.Spec     { return configSchema }
func (d *Driver) TaskConfigSchema() *hclspec.Spec { return taskSchema }

func (d *Driver) Capabilities() drivers.Capabilities {
	d.mu.Lock()
	defer d.mu.Unlock()
	return drivers.Capabilities{SendSignals: true, Exec: true, FSIsolation: isolations[d.config.FSIsolation], NoMounts: true, WritesLogs: true}
}

func (d *Driver) SetConfig(_ context.Context, c *base.Config) error {
	var parsed config
	if len(c.Plugin) > 0 {
		if err := hclspec.Unmarshal(c.Plugin, &parsed); err != nil {
			return err
		}
	}
	if _, ok := isolations[parsed.FSIsolation]; !ok {
		return fmt.Errorf("fs_isolation is %q and must be none, chroot, image or unveil", parsed.FSIsolation)
	}
	if c.Agent == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config, d.dir = parsed, c.Agent.StateDir
	return nil
}

func (d *Driver) Fingerprint(ctx context.Context) (<-chan drivers.Fingerprint, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := drivers.Fingerprint{Health: drivers.HealthUndetected, Description: "disabled", Attributes: map[string]string{"driver." + Name: ""}}
	if d.config.Enabled {
		f.Health, f.Description = drivers.HealthHealthy, drivers.HealthyDescription
		f.Attributes["driver."+Name] = "true"
	}
	return processes.Static(ctx, f), nil
}

// Close lets go of all tasks: those that run do so on paper.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, t := range d.tasks {
		if t != nil {
			close(t.gone)
		}
		delete(d.tasks, id)
	}
	return nil
}

// claim reserves an id and returns where its record is.
func (d *Driver) claim(id string) (path string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.tasks[id]; ok {
		return "", fmt.Errorf("task with ID %q already started", id)
	}
	if d.dir == "" {
		return "", errors.New("driver has no state directory")
	}
	d.tasks[id] = nil
	return recordPath(d.dir, id), nil
}

func (d *Driver) set(id string, t *task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t == nil {
		delete(d.tasks, id)
		return
	}
	d.tasks[id] = t
}

func (d *Driver) task(id string) (*task, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.tasks[id]; t != nil {
		return t, nil
	}
	return nil, drivers.ErrTaskNotFound
}

func (d *Driver) StartTask(ctx context.Context, c *drivers.TaskConfig) (*drivers.TaskHandle, *drivers.NetworkOverride, error) {
	path, err := d.claim(c.ID)
	if err != nil {
		return nil, nil, err
	}
	t, err := d.start(ctx, c, path)
	if err != nil {
		d.set(c.ID, nil)
		return nil, nil, err
	}
	d.set(c.ID, t)
	h := &drivers.TaskHandle{Config: c}
	fill(h, t)
	return h, t.does.network(), nil
}

func (d *Driver) start(ctx context.Context, c *drivers.TaskConfig, path string) (*task, error) {
	does, err := parse(c)
	if err != nil {
		return nil, err
	}
	wait := time.NewTimer(does.startBlockFor)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if does.StartError != "" {
		err := errors.New(does.StartError)
		if does.StartErrorRecoverable {
			err = drivers.Recoverable(err)
		}
		return nil, err
	}
	out, err := openOutput(c, true)
	if err != nil {
		return nil, err
	}
	r := record{StartedAt: time.Now()}
	if err := r.create(path); err != nil {
		out.close()
		return nil, err
	}
	t := newTask(c, does, path, r)
	go t.live(out)
	return t, nil
}

func fill(h *drivers.TaskHandle, t *task) {
	h.Version, h.State, h.DriverState = handleVersion, t.status().State, []byte("{}")
}

func (d *Driver) RecoverTask(_ context.Context, h *drivers.TaskHandle) error {
	if h == nil || h.Config == nil {
		return errors.New("handle has no task")
	}
	if h.Version > handleVersion {
		return fmt.Errorf("handle has version %d; this driver knows up to %d", h.Version, handleVersion)
	}
	if t, err := d.task(h.Config.ID); err == nil {
		fill(h, t)
		return nil
	}
	path, err := d.claim(h.Config.ID)
	if err != nil {
		return err
	}
	t, err := takeUp(h.Config, path)
	if err != nil {
		d.set(h.Config.ID, nil)
		return err
	}
	d.set(h.Config.ID, t)
	fill(h, t)
	return nil
}

// takeUp finds a task by its record.
func takeUp(c *drivers.TaskConfig, path string) (*task, error) {
	r, err := readRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, drivers.ErrTaskNotFound
	}
	if err != nil {
		return nil, err
	}
	does, err := parse(c)
	if err != nil {
		return nil, err
	}
	t := newTask(c, does, path, r)
	if due := r.StartedAt.Add(does.runFor); r.EndedAt.IsZero() && !time.Now().Before(due) {
		t.record.end(does.result(), due) // while no agent was there
		if err := t.record.save(path); err != nil {
			return nil, err
		}
	}
	if !t.record.EndedAt.IsZero() {
		close(t.done)
		return t, nil
	}
	out, err := openOutput(c, false)
	if err != nil {
		return nil, err
	}
	go t.live(out)
	return t, nil
}

func (d *Driver) WaitTask(ctx context.Context, id string) (drivers.ExitResult, error) {
	t, err := d.task(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	select {
	case <-t.done:
		if e := t.status().Exit; e != nil {
			return *e, nil
		}
		return drivers.ExitResult{}, drivers.ErrTaskNotFound // let go of
	case <-ctx.Done():
		return drivers.ExitResult{}, ctx.Err()
	}
}

func (d *Driver) StopTask(ctx context.Context, id string, timeout time.Duration, _ string) error {
	t, err := d.task(id)
	if err != nil {
		return err
	}
	return t.kill(ctx, timeout)
}

func (d *Driver) DestroyTask(ctx context.Context, id string, force bool) error {
	t, err := d.task(id)
	if err != nil {
		return err
	}
	select {
	case <-t.done:
	default:
		if !force {
			return errors.New("cannot destroy running task")
		}
		if err := t.kill(ctx, 0); err != nil {
			return err
		}
	}
	if err := os.Remove(t.path); err != nil {
		return err
	}
	d.set(id, nil)
	return nil
}

func (d *Driver) SignalTask(_ context.Context, id, signal string) error {
	t, err := d.task(id)
	if err != nil {
		return err
	}
	if _, err := executor.ParseSignal(signal); err != nil {
		return err
	}
	if t.does.SignalError != "" {
		return errors.New(t.does.SignalError)
	}
	return nil
}

func (d *Driver) InspectTask(_ context.Context, id string) (*drivers.TaskStatus, error) {
	t, err := d.task(id)
	if err != nil {
		return nil, err
	}
	s := t.status()
	return &s, nil
}

// ExecTask does what the task's exec_command says, whatever the command is.
func (d *Driver) ExecTask(ctx context.Context, id string, o drivers.ExecOptions) (drivers.ExitResult, error) {
	t, err := d.task(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	does := t.does.ExecCommand
	if does == nil {
		return drivers.ExitResult{}, errors.New("the task's config has no exec_command")
	}
	out := &output{stdout: orDiscard(o.Stdout), stderr: orDiscard(o.Stderr), fresh: true}
	over := time.NewTimer(does.runFor)
	defer over.Stop()
	does.write(ctx, time.Now(), out)
	select {
	case <-over.C:
		return does.result(), nil
	case <-t.done:
		return drivers.ExitResult{}, errors.New("task is not running")
	case <-ctx.Done():
		return drivers.ExitResult{}, ctx.Err()
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
