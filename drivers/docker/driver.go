package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// Name is that of the driver in job files.
const Name = "docker"

// A Driver is the docker driver.
type Driver struct {
	log    hclog.Logger
	client atomic.Pointer[client.Client] // nil until SetConfig
	images images
	events events

	mu     sync.Mutex
	config *config
	agent  base.AgentConfig
	engine *engineInfo // nil until the engine was reached
	tasks  map[string]*task
	// networks are the allocations whose network we made or found.
	networks map[string]bool
}

var (
	_ drivers.Driver  = (*Driver)(nil)
	_ drivers.Stats   = (*Driver)(nil)
	_ drivers.Exec    = (*Driver)(nil)
	_ drivers.Events  = (*Driver)(nil)
	_ drivers.Network = (*Driver)(nil)
)

// New makes a driver that is to be configured with SetConfig.
func New(log hclog.Logger) *Driver {
	if log == nil {
		log = hclog.NewNullLogger()
	}
	d := &Driver{log: log.Named(Name), tasks: map[string]*task{}, networks: map[string]bool{}}
	d.images.engine, d.images.log = d.client.Load, d.log
	return d
}

// Close ends the watching of all tasks, which go on.
func (d *Driver) Close() error {
	d.mu.Lock()
	var all []*task
	for id, t := range d.tasks {
		if t.ready {
			all = append(all, t)
		}
		delete(d.tasks, id)
	}
	d.mu.Unlock()
	for _, t := range all {
		t.forget()
	}
	return nil
}

func (d *Driver) Info() base.Info {
	return base.Info{Type: base.TypeDriver, Name: Name, Version: version, APIVersions: []string{base.APIVersion}}
}

func (d *Driver) ConfigSchema() *hclspec.Spec     { return configSchema }
func (d *Driver) TaskConfigSchema() *hclspec.Spec { return taskSchema }

func (d *Driver) Capabilities() drivers.Capabilities {
	d.mu.Lock()
	defer d.mu.Unlock()
	return drivers.Capabilities{
		SendSignals: true, Exec: true, FSIsolation: drivers.FSImage,
		NetworkModes:      []drivers.NetworkMode{drivers.NetworkHost, drivers.NetworkGroup, drivers.NetworkTask},
		MustCreateNetwork: true, WritesLogs: true,
		DisableLogCollection: d.config != nil && d.config.DisableLogs,
	}
}

func (d *Driver) SetConfig(_ context.Context, c *base.Config) error {
	parsed, err := parseConfig(c.Plugin)
	if err != nil {
		return err
	}
	cli, err := connect(parsed)
	if err != nil {
		return err
	}
	if c.Agent == nil {
		return cli.Close()
	}
	if c.Agent.StateDir == "" {
		return errors.Join(errors.New("the docker driver keeps how far logs are read in a state directory, and was given none"), cli.Close())
	}
	d.client.Store(cli)
	d.images.configure(&parsed.GC)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config, d.agent, d.engine = parsed, *c.Agent, nil
	return nil
}

var errNotConfigured = errors.New("the driver is not configured")

// current is what SetConfig was given last.
func (d *Driver) current() (*config, base.AgentConfig, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.config == nil {
		return nil, base.AgentConfig{}, errNotConfigured
	}
	return d.config, d.agent, nil
}

// owner tells the containers of one agent from those of others on the same
// engine. An agent that has lost its state, but not its place, takes its
// containers for its own.
func owner(a *base.AgentConfig) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + ":" + a.StateDir
}

// spec prepares a task's container.
func (d *Driver) spec(ctx context.Context, t *drivers.TaskConfig) (*spec, error) {
	c, agent, err := d.current()
	if err != nil {
		return nil, err
	}
	parsed, err := parseTaskConfig(t.DriverConfig)
	if err != nil {
		return nil, err
	}
	engine, err := d.facts(ctx)
	if err != nil {
		return nil, drivers.Recoverable(fmt.Errorf("%s: %w", descriptionAway, err))
	}
	return &spec{plugin: c, task: parsed, run: t, engine: *engine, owner: owner(&agent), compute: agent.TotalCompute}, nil
}

// facts is what is known of the engine, asked now if nothing is.
func (d *Driver) facts(ctx context.Context) (*engineInfo, error) {
	d.mu.Lock()
	known := d.engine
	d.mu.Unlock()
	if known != nil {
		return known, nil
	}
	return d.look(ctx)
}

// look asks the engine what it is and remembers it.
func (d *Driver) look(ctx context.Context) (*engineInfo, error) {
	cli := d.client.Load()
	if cli == nil {
		return nil, errNotConfigured
	}
	e, err := look(ctx, cli)
	if errors.Is(err, errOlder) {
		// Somebody replaced the engine. A client stays with one version.
		c, _, _ := d.current()
		if cli, err = connect(c); err != nil {
			return nil, err
		}
		d.client.Store(cli)
		e, err = look(ctx, cli)
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.engine = &e
	return &e, nil
}
