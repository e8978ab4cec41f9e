// Package base owns what every plugin has, whatever it drives: its identity,
// its configuration schema and the call that hands it its configuration. It
// knows nothing of tasks or devices.
package base

import (
	"context"

	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// APIVersion is the version of the driver and device interfaces that we speak.
const APIVersion = "v0.1.0"

// Type says what a plugin is for. The numbers are those of the wire.
type Type int

const (
	TypeUnknown Type = 0
	TypeDriver  Type = 2
	TypeDevice  Type = 3
)

func (t Type) String() string {
	switch t {
	case TypeDriver:
		return "driver"
	case TypeDevice:
		return "device"
	}
	return "unknown"
}

// Info names a plugin.
type Info struct {
	Type        Type
	Name        string   // "docker"; unique among plugins of its type
	Version     string   // the plugin's own semantic version
	APIVersions []string // interface versions that it speaks, e.g. APIVersion
}

// Config is what the agent tells a plugin before it is used.
type Config struct {
	// Plugin is the plugin's own configuration block, decoded with its
	// ConfigSchema and encoded as msgpack. Nil when the schema is nil.
	Plugin []byte
	// Agent is nil when the plugin is only asked to check Plugin.
	Agent *AgentConfig
	// APIVersion is the interface version that agent and plugin agreed on.
	APIVersion string
}

// AgentConfig is what a plugin may know of the agent that runs it.
type AgentConfig struct {
	// MinPort and MaxPort bound the ports that a plugin's own helper
	// processes may listen on.
	MinPort, MaxPort uint
	// StateDir is a directory of the driver's own, mode 0700, which outlives
	// agent and plugin. Empty for plugins outside of the agent's process.
	StateDir string
	// Cgroup is the parent under which task cgroups are made, e.g.
	// "nomad.slice"; empty means the default of the cgroup version in use.
	Cgroup string
	// TotalCompute is what the node offers to all tasks, in MHz.
	TotalCompute int64
	// ChrootEnv maps paths of the host to the paths at which drivers with
	// Capabilities.BuildsRoot show them; nil means their default.
	ChrootEnv map[string]string
	// DevMode is set on an agent started with -dev, where drivers that
	// isolate nothing are enabled without being asked for.
	DevMode bool
}

// A Plugin is what every plugin implements.
type Plugin interface {
	Info() Info
	// ConfigSchema returns the schema of the plugin's configuration block, or
	// nil when it takes none.
	ConfigSchema() *hclspec.Spec
	// SetConfig is called once with a nil Agent to check the configuration
	// and then, before any other use, once with everything.
	SetConfig(ctx context.Context, c *Config) error
}
