package docker

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/nomadlike/nomadlike/plugins/executor"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// config is the plugin's configuration.
type config struct {
	Endpoint string `codec:"endpoint"`
	Auth     struct {
		Config string `codec:"config"`
		Helper string `codec:"helper"`
	} `codec:"auth"`
	TLS struct {
		Cert string `codec:"cert"`
		Key  string `codec:"key"`
		CA   string `codec:"ca"`
	} `codec:"tls"`
	AllowPrivileged bool     `codec:"allow_privileged"`
	AllowCaps       []string `codec:"allow_caps"`
	AllowRuntimes   []string `codec:"allow_runtimes"`
	NvidiaRuntime   string   `codec:"nvidia_runtime"`
	AllowedModes    struct {
		PID    []string `codec:"pid"`
		IPC    []string `codec:"ipc"`
		UserNS []string `codec:"userns"`
		UTS    []string `codec:"uts"`
	} `codec:"allowed_modes"`
	Volumes struct {
		Enabled      bool   `codec:"enabled"`
		SELinuxLabel string `codec:"selinuxlabel"`
	} `codec:"volumes"`
	GC                     gcConfig      `codec:"gc"`
	ExtraLabels            []string      `codec:"extra_labels"`
	Logging                loggingConfig `codec:"logging"`
	InfraImage             string        `codec:"infra_image"`
	InfraImagePullTimeout  duration      `codec:"infra_image_pull_timeout"`
	ImagePullTimeout       duration      `codec:"image_pull_timeout"`
	PullActivityTimeout    duration      `codec:"pull_activity_timeout"`
	ContainerExistsTries   int           `codec:"container_exists_attempts"`
	OOMScoreAdj            int           `codec:"oom_score_adj"`
	PidsLimit              int64         `codec:"pids_limit"`
	DisableLogs            bool          `codec:"disable_log_collection"`
	AllowInsecureContainer bool          `codec:"windows_allow_insecure_container_admin"`
}

type gcConfig struct {
	Image      bool     `codec:"image"`
	ImageDelay duration `codec:"image_delay"`
	Container  bool     `codec:"container"`
	Dangling   struct {
		Enabled bool     `codec:"enabled"`
		Period  duration `codec:"period"`
		Grace   duration `codec:"creation_grace"`
		DryRun  bool     `codec:"dry_run"`
	} `codec:"dangling_containers"`
}

type loggingConfig struct {
	Type   string            `codec:"type"`
	Config map[string]string `codec:"config"`
}

// A duration is written as text, such as "5m".
type duration string

func (d duration) value() time.Duration {
	v, _ := time.ParseDuration(string(d)) // checked when it was read
	return v
}

// defaultCaps are the capabilities that a task has unless it says otherwise:
// those that the engine gives by default, short of net_raw.
var defaultCaps = []string{
	"audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod",
	"net_bind_service", "setfcap", "setgid", "setpcap", "setuid", "sys_chroot",
}

// leastActivity and leastGrace are the least that the fields of these names
// may be set to: shorter ones would end pulls and containers that are well.
const (
	leastActivity = time.Minute
	leastGrace    = time.Minute
)

// extraLabels are the values that extra_labels chooses from.
var extraLabels = []string{
	"job_name", "job_id", "task_group_name", "task_name", "namespace", "node_name", "node_id", "parent_job_id",
}

// parseConfig reads and checks the plugin's configuration; nil means none.
func parseConfig(encoded []byte) (*config, error) {
	if len(encoded) == 0 {
		b, diags := hclspec.Decode(configSchema, nil, nil)
		if err := hclspec.Err(diags); err != nil {
			return nil, err
		}
		encoded = b
	}
	var c config
	if err := hclspec.Unmarshal(encoded, &c); err != nil {
		return nil, err
	}
	c.defaults()
	return &c, c.validate()
}

func (c *config) defaults() {
	if c.AllowCaps == nil {
		c.AllowCaps = defaultCaps
	}
	if c.AllowRuntimes == nil {
		c.AllowRuntimes = []string{"runc", "nvidia"}
	}
	if c.Logging.Type == "" {
		c.Logging.Type = "json-file"
		if c.Logging.Config == nil {
			c.Logging.Config = map[string]string{"max-file": "2", "max-size": "2m"}
		}
	}
}

func (c *config) validate() error {
	var errs []error
	check := func(field string, d duration, least time.Duration) {
		v, err := time.ParseDuration(string(d))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %q is no duration; write it like \"5m\"", field, d))
		case v < least:
			errs = append(errs, fmt.Errorf("%s must be at least %s, not %s", field, least, v))
		}
	}
	check("gc.image_delay", c.GC.ImageDelay, 0)
	check("gc.dangling_containers.period", c.GC.Dangling.Period, time.Second)
	check("gc.dangling_containers.creation_grace", c.GC.Dangling.Grace, leastGrace)
	check("infra_image_pull_timeout", c.InfraImagePullTimeout, time.Second)
	check("image_pull_timeout", c.ImagePullTimeout, time.Second)
	check("pull_activity_timeout", c.PullActivityTimeout, leastActivity)
	for _, name := range c.AllowCaps {
		if _, ok := executor.Capability(name); !ok && executor.CapabilityName(name) != allCaps {
			errs = append(errs, fmt.Errorf("allow_caps: unknown capability %q", name))
		}
	}
	for _, pattern := range c.ExtraLabels {
		known := slices.ContainsFunc(extraLabels, func(l string) bool { ok, _ := path.Match(pattern, l); return ok })
		if !known {
			errs = append(errs, fmt.Errorf("extra_labels: %q matches none of %v", pattern, extraLabels))
		}
	}
	switch {
	case (c.TLS.Cert == "") != (c.TLS.Key == ""):
		errs = append(errs, errors.New("tls: cert and key must be set together"))
	case c.PidsLimit < 0:
		errs = append(errs, errors.New("pids_limit must not be negative"))
	case c.ContainerExistsTries < 0:
		errs = append(errs, errors.New("container_exists_attempts must not be negative"))
	}
	switch c.Volumes.SELinuxLabel {
	case "", "z", "Z":
	default:
		errs = append(errs, fmt.Errorf("volumes.selinuxlabel must be \"z\" or \"Z\", not %q", c.Volumes.SELinuxLabel))
	}
	return errors.Join(errs...)
}

// labelled reports whether extra_labels asks for a label.
func (c *config) labelled(name string) bool {
	return slices.ContainsFunc(c.ExtraLabels, func(pattern string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}
