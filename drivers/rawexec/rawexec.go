// Package rawexec owns the raw_exec driver: it runs a command on the host as it
// is, isolated by nothing but a cgroup, and therefore only where the operator
// has enabled it.
package rawexec

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
	"github.com/nomadlike/nomadlike/plugins/executor/processes"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// Name is that of the driver in job files.
const Name = "raw_exec"

const version = "0.1.0"

var configSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"enabled":          hclspec.NewDefaultAttr("enabled", "bool", "false"),
	"denied_host_uids": hclspec.NewAttr("denied_host_uids", "string"),
	"denied_host_gids": hclspec.NewAttr("denied_host_gids", "string"),
	"denied_envvars":   hclspec.NewAttr("denied_envvars", "list(string)"),
})

var taskSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"command":            hclspec.NewRequiredAttr("command", "string"),
	"args":               hclspec.NewAttr("args", "list(string)"),
	"cgroup_v2_override": hclspec.NewAttr("cgroup_v2_override", "string"),
	"cgroup_v1_override": hclspec.NewAttr("cgroup_v1_override", "list(map(string))"),
	"oom_score_adj":      hclspec.NewAttr("oom_score_adj", "number"),
	"work_dir":           hclspec.NewAttr("work_dir", "string"),
	"denied_envvars":     hclspec.NewAttr("denied_envvars", "list(string)"),
})

// config is the plugin's configuration.
type config struct {
	Enabled       bool     `codec:"enabled"`
	DeniedUIDs    string   `codec:"denied_host_uids"`
	DeniedGIDs    string   `codec:"denied_host_gids"`
	DeniedEnvvars []string `codec:"denied_envvars"`

	uids, gids executor.IDSet
}

// taskConfig is a task's.
type taskConfig struct {
	Command       string              `codec:"command"`
	Args          []string            `codec:"args"`
	CgroupV2      string              `codec:"cgroup_v2_override"`
	CgroupV1      []map[string]string `codec:"cgroup_v1_override"`
	OOMScoreAdj   int                 `codec:"oom_score_adj"`
	WorkDir       string              `codec:"work_dir"`
	DeniedEnvvars []string            `codec:"denied_envvars"`
}

// A Driver is the raw_exec driver.
type Driver struct {
	processes.Set

	mu     sync.Mutex
	config config
}

var (
	_ drivers.Driver = (*Driver)(nil)
	_ drivers.Stats  = (*Driver)(nil)
	_ drivers.Exec   = (*Driver)(nil)
)

// New makes a driver that is to be configured with SetConfig.
func New() *Driver { return &Driver{} }

func (d *Driver) Info() base.Info {
	return base.Info{Type: base.TypeDriver, Name: Name, Version: version, APIVersions: []string{base.APIVersion}}
}

func (d *Driver) ConfigSchema() *hclspec.Spec     { return configSchema }
func (d *Driver) TaskConfigSchema() *hclspec.Spec { return taskSchema }

func (d *Driver) Capabilities() drivers.Capabilities {
	return drivers.Capabilities{
		SendSignals: true, Exec: true, FSIsolation: drivers.FSNone,
		NetworkModes: []drivers.NetworkMode{drivers.NetworkHost, drivers.NetworkGroup},
		NoMounts:     true, WritesLogs: true,
	}
}

func (d *Driver) SetConfig(_ context.Context, c *base.Config) error {
	var parsed config
	if len(c.Plugin) > 0 {
		if err := hclspec.Unmarshal(c.Plugin, &parsed); err != nil {
			return err
		}
	}
	var err error
	if parsed.uids, err = executor.ParseIDSet(parsed.DeniedUIDs); err != nil {
		return fmt.Errorf("denied_host_uids: %w", err)
	}
	if parsed.gids, err = executor.ParseIDSet(parsed.DeniedGIDs); err != nil {
		return fmt.Errorf("denied_host_gids: %w", err)
	}
	if c.Agent == nil {
		return nil
	}
	if c.Agent.DevMode {
		parsed.Enabled = true
	}
	d.Configure(c.Agent)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config = parsed
	return nil
}

func (d *Driver) current() config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config
}

func (d *Driver) Fingerprint(ctx context.Context) (<-chan drivers.Fingerprint, error) {
	f := drivers.Fingerprint{Health: drivers.HealthUndetected, Description: "disabled", Attributes: map[string]string{"driver.raw_exec": ""}}
	switch {
	case runtime.GOOS != "linux":
		f.Description = "Driver is not available on this operating system"
	case d.current().Enabled:
		f.Health, f.Description = drivers.HealthHealthy, drivers.HealthyDescription
		f.Attributes["driver.raw_exec"] = "true"
	}
	return processes.Static(ctx, f), nil
}

func (d *Driver) StartTask(ctx context.Context, t *drivers.TaskConfig) (*drivers.TaskHandle, *drivers.NetworkOverride, error) {
	h, err := d.Start(ctx, t, func() (*executor.Spec, error) { return d.spec(t) })
	return h, nil, err
}

func (d *Driver) spec(t *drivers.TaskConfig) (*executor.Spec, error) {
	c := d.current()
	if !c.Enabled {
		return nil, errors.New("raw_exec driver is disabled")
	}
	var tc taskConfig
	if err := hclspec.Unmarshal(t.DriverConfig, &tc); err != nil {
		return nil, err
	}
	if err := tc.validate(); err != nil {
		return nil, err
	}
	spec := d.Spec(t)
	var err error
	if spec.Command, err = lookup(t.TaskDir(), tc.Command); err != nil {
		return nil, err
	}
	spec.Args = tc.Args
	spec.Env = allowed(spec.Env, append(append([]string(nil), c.DeniedEnvvars...), tc.DeniedEnvvars...))
	spec.Dir = t.TaskDir().Dir
	if tc.WorkDir != "" {
		spec.Dir = tc.WorkDir
	}
	spec.OOMScoreAdj = &tc.OOMScoreAdj
	spec.Cgroup.OverrideV2 = tc.CgroupV2
	for _, m := range tc.CgroupV1 {
		for controller, path := range m {
			if spec.Cgroup.OverrideV1 == nil {
				spec.Cgroup.OverrideV1 = map[string]string{}
			}
			spec.Cgroup.OverrideV1[controller] = path
		}
	}
	return spec, d.user(spec, t.User, &c)
}

func (c *taskConfig) validate() error {
	switch {
	case c.OOMScoreAdj < 0:
		return fmt.Errorf("oom_score_adj must not be negative")
	case c.WorkDir != "" && !filepath.IsAbs(c.WorkDir):
		return fmt.Errorf("work_dir must be an absolute path: %s", c.WorkDir)
	case c.CgroupV2 != "" && len(c.CgroupV1) > 0:
		return fmt.Errorf("only one of cgroup_v1_override and cgroup_v2_override may be set")
	}
	return nil
}

// user sets whom the task runs as: the agent's user when none is named.
func (d *Driver) user(spec *executor.Spec, name string, c *config) error {
	self := &executor.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	if name == "" {
		return executor.Deny(self, c.uids, c.gids)
	}
	u, err := executor.LookupUser(name)
	if err != nil {
		return err
	}
	if err := executor.Deny(u, c.uids, c.gids); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		if u.UID != self.UID {
			return fmt.Errorf("can not run as user %q: the agent is not root", name)
		}
		return nil
	}
	spec.User = u
	return nil
}

// lookup finds a command: in the task's local directory, in the task's
// directory, by itself, in the agent's PATH. What came with the task is made
// executable.
func lookup(dir drivers.TaskDir, command string) (string, error) {
	for _, base := range []string{dir.Local, dir.Dir} {
		path := filepath.Join(base, command)
		st, err := os.Stat(path)
		if err != nil || st.IsDir() {
			continue
		}
		if st.Mode()&0o111 != 0o111 {
			if err := os.Chmod(path, st.Mode().Perm()|0o555); err != nil {
				return "", fmt.Errorf("make %s executable: %w", path, err)
			}
		}
		return path, nil
	}
	path, err := osexec.LookPath(command)
	if err != nil {
		return "", fmt.Errorf("executable %q not found: %w", command, err)
	}
	return filepath.Abs(path)
}

// allowed leaves out the variables that match a pattern.
func allowed(env, denied []string) []string {
	if len(denied) == 0 {
		return env
	}
	out := make([]string, 0, len(env))
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if !matchAny(denied, name) {
			out = append(out, e)
		}
	}
	return out
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

// match reports whether name matches a pattern in which * is any text.
func match(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	return strings.HasSuffix(name, last)
}
