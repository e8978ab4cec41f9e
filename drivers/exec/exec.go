// Package exec owns the exec driver: it runs a command of the host with a root
// of its own, made of the task's directory and read-only views of the host's
// programs, in namespaces, with few capabilities and limited resources.
//
// The root is built inside of the task's mount namespace and goes away with it;
// there is nothing to unmount and nothing to leak. Unlike with a copied or
// hard-linked root, a task can not write to /etc or /usr, even as root.
//
// # Not done
//
// On cgroup v2 there is no device filter: a task sees only the devices that are
// made for it, but one with the capability mknod could make others. Drop it
// where that matters. Mounts with bidirectional propagation are refused.
package exec

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
	"github.com/nomadlike/nomadlike/plugins/executor/processes"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// Name is that of the driver in job files.
const Name = "exec"

const version = "0.1.0"

// defaultUser runs tasks that name none.
const defaultUser = "nobody"

var defaultCaps = []string{
	"audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod",
	"net_bind_service", "setfcap", "setgid", "setpcap", "setuid", "sys_chroot",
}

const defaultCapsHCL = `["audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod",
	"net_bind_service", "setfcap", "setgid", "setpcap", "setuid", "sys_chroot"]`

// defaultChrootEnv is what of the host a task sees, and where.
var defaultChrootEnv = map[string]string{
	"/bin": "/bin", "/etc": "/etc", "/lib": "/lib", "/lib32": "/lib32", "/lib64": "/lib64",
	"/run/resolvconf": "/run/resolvconf", "/run/systemd/resolve": "/run/systemd/resolve",
	"/sbin": "/sbin", "/usr": "/usr",
}

var configSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"no_pivot_root":    hclspec.NewDefaultAttr("no_pivot_root", "bool", "false"),
	"default_pid_mode": hclspec.NewDefaultAttr("default_pid_mode", "string", `"private"`),
	"default_ipc_mode": hclspec.NewDefaultAttr("default_ipc_mode", "string", `"private"`),
	"allow_caps":       hclspec.NewDefaultAttr("allow_caps", "list(string)", defaultCapsHCL),
	"denied_host_uids": hclspec.NewAttr("denied_host_uids", "string"),
	"denied_host_gids": hclspec.NewAttr("denied_host_gids", "string"),
})

var taskSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"command":  hclspec.NewRequiredAttr("command", "string"),
	"args":     hclspec.NewAttr("args", "list(string)"),
	"pid_mode": hclspec.NewAttr("pid_mode", "string"),
	"ipc_mode": hclspec.NewAttr("ipc_mode", "string"),
	"cap_add":  hclspec.NewAttr("cap_add", "list(string)"),
	"cap_drop": hclspec.NewAttr("cap_drop", "list(string)"),
	"work_dir": hclspec.NewAttr("work_dir", "string"),
})

// config is the plugin's configuration.
type config struct {
	NoPivotRoot    bool     `codec:"no_pivot_root"`
	DefaultPIDMode string   `codec:"default_pid_mode"`
	DefaultIPCMode string   `codec:"default_ipc_mode"`
	AllowCaps      []string `codec:"allow_caps"`
	DeniedUIDs     string   `codec:"denied_host_uids"`
	DeniedGIDs     string   `codec:"denied_host_gids"`

	uids, gids executor.IDSet
}

// taskConfig is a task's.
type taskConfig struct {
	Command string   `codec:"command"`
	Args    []string `codec:"args"`
	PIDMode string   `codec:"pid_mode"`
	IPCMode string   `codec:"ipc_mode"`
	CapAdd  []string `codec:"cap_add"`
	CapDrop []string `codec:"cap_drop"`
	WorkDir string   `codec:"work_dir"`
}

const (
	modePrivate = "private"
	modeHost    = "host"
)

// A Driver is the exec driver.
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
func New() *Driver {
	d := &Driver{config: config{DefaultPIDMode: modePrivate, DefaultIPCMode: modePrivate, AllowCaps: defaultCaps}}
	d.ByCgroup = true
	return d
}

func (d *Driver) Info() base.Info {
	return base.Info{Type: base.TypeDriver, Name: Name, Version: version, APIVersions: []string{base.APIVersion}}
}

func (d *Driver) ConfigSchema() *hclspec.Spec     { return configSchema }
func (d *Driver) TaskConfigSchema() *hclspec.Spec { return taskSchema }

func (d *Driver) Capabilities() drivers.Capabilities {
	return drivers.Capabilities{
		SendSignals: true, Exec: true, FSIsolation: drivers.FSChroot,
		NetworkModes: []drivers.NetworkMode{drivers.NetworkHost, drivers.NetworkGroup},
		BuildsRoot:   true, WritesLogs: true,
	}
}

func (d *Driver) SetConfig(_ context.Context, c *base.Config) error {
	parsed := config{DefaultPIDMode: modePrivate, DefaultIPCMode: modePrivate, AllowCaps: defaultCaps}
	if len(c.Plugin) > 0 {
		if err := hclspec.Unmarshal(c.Plugin, &parsed); err != nil {
			return err
		}
	}
	if err := parsed.validate(); err != nil {
		return err
	}
	if c.Agent == nil {
		return nil
	}
	d.Configure(c.Agent)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config = parsed
	return nil
}

func (c *config) validate() (err error) {
	if err := validateMode("default_pid_mode", c.DefaultPIDMode); err != nil {
		return err
	}
	if err := validateMode("default_ipc_mode", c.DefaultIPCMode); err != nil {
		return err
	}
	for _, name := range c.AllowCaps {
		if _, ok := executor.Capability(name); !ok && executor.CapabilityName(name) != "all" {
			return fmt.Errorf("allow_caps: unknown capability %q", name)
		}
	}
	if c.uids, err = executor.ParseIDSet(c.DeniedUIDs); err != nil {
		return fmt.Errorf("denied_host_uids: %w", err)
	}
	if c.gids, err = executor.ParseIDSet(c.DeniedGIDs); err != nil {
		return fmt.Errorf("denied_host_gids: %w", err)
	}
	return nil
}

func validateMode(key, mode string) error {
	if mode != modePrivate && mode != modeHost {
		return fmt.Errorf("%s must be %q or %q, got %q", key, modePrivate, modeHost, mode)
	}
	return nil
}

func (d *Driver) current() config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config
}

func (d *Driver) Fingerprint(ctx context.Context) (<-chan drivers.Fingerprint, error) {
	return processes.Static(ctx, fingerprint()), nil
}

func fingerprint() drivers.Fingerprint {
	f := drivers.Fingerprint{Health: drivers.HealthUndetected, Attributes: map[string]string{"driver.exec": ""}}
	switch {
	case runtime.GOOS != "linux":
		f.Description = "Driver is not available on this operating system"
	case os.Geteuid() != 0:
		f.Description = "Driver must run as root"
	case executor.CgroupVersion() == 0:
		f.Health, f.Description = drivers.HealthUnhealthy, "Failed to discover cgroup mount point"
	default:
		f.Health, f.Description = drivers.HealthHealthy, drivers.HealthyDescription
		f.Attributes["driver.exec"] = "true"
	}
	return f
}

func (d *Driver) StartTask(ctx context.Context, t *drivers.TaskConfig) (*drivers.TaskHandle, *drivers.NetworkOverride, error) {
	h, err := d.Start(ctx, t, func() (*executor.Spec, error) { return d.spec(t) })
	return h, nil, err
}

// capabilities are those of a task that does not run as root:
// (defaults and allowed) without dropped, and what is added, if it is allowed.
func capabilities(allow, add, drop []string) ([]int, error) {
	allowed, err := capabilitySet(allow)
	if err != nil {
		return nil, err
	}
	added, err := capabilitySet(add)
	if err != nil {
		return nil, err
	}
	dropped, err := capabilitySet(drop)
	if err != nil {
		return nil, err
	}
	if missing := names(minus(added, allowed)); len(missing) > 0 {
		return nil, fmt.Errorf("driver does not allow the following capabilities: %v", missing)
	}
	basic, _ := capabilitySet(defaultCaps)
	set := map[int]bool{}
	for n := range basic {
		if allowed[n] && !dropped[n] {
			set[n] = true
		}
	}
	for n := range added {
		set[n] = true
	}
	return sorted(set), nil
}

func capabilitySet(list []string) (map[int]bool, error) {
	out := map[int]bool{}
	for _, name := range list {
		if executor.CapabilityName(name) == "all" {
			for n := range executor.CapabilityCount {
				out[n] = true
			}
			continue
		}
		n, ok := executor.Capability(name)
		if !ok {
			return nil, fmt.Errorf("unknown capability %q", name)
		}
		out[n] = true
	}
	return out, nil
}

func minus(a, b map[int]bool) map[int]bool {
	out := map[int]bool{}
	for n := range a {
		if !b[n] {
			out[n] = true
		}
	}
	return out
}

func sorted(set map[int]bool) []int {
	out := make([]int, 0, len(set))
	for n := range set {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func names(set map[int]bool) []string {
	var out []string
	for _, n := range sorted(set) {
		out = append(out, executor.CapabilityText(n))
	}
	return out
}
