package docker

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// taskConfig is a task's config block.
type taskConfig struct {
	AdvertiseIPv6 bool     `codec:"advertise_ipv6_address"`
	Args          []string `codec:"args"`
	Auth          struct {
		Username      string `codec:"username"`
		Password      string `codec:"password"`
		Email         string `codec:"email"` // registries stopped asking for it
		ServerAddress string `codec:"server_address"`
	} `codec:"auth"`
	AuthSoftFail         bool     `codec:"auth_soft_fail"`
	CapAdd               []string `codec:"cap_add"`
	CapDrop              []string `codec:"cap_drop"`
	CgroupNS             string   `codec:"cgroupns"`
	Command              string   `codec:"command"`
	ContainerExistsTries int      `codec:"container_exists_attempts"`
	CPUPeriod            int64    `codec:"cpu_cfs_period"` // microseconds
	CPUHardLimit         bool     `codec:"cpu_hard_limit"`
	Devices              []device `codec:"devices"`
	DNSOptions           []string `codec:"dns_options"`
	DNSSearch            []string `codec:"dns_search_domains"`
	DNSServers           []string `codec:"dns_servers"`
	Entrypoint           []string `codec:"entrypoint"`
	ExtraHosts           []string `codec:"extra_hosts"`
	ForcePull            bool     `codec:"force_pull"`
	GroupAdd             []string `codec:"group_add"`
	Healthchecks         struct {
		Disable bool `codec:"disable"`
	} `codec:"healthchecks"`
	Hostname         string   `codec:"hostname"`
	Image            string   `codec:"image"`
	ImagePullTimeout duration `codec:"image_pull_timeout"`
	Init             bool     `codec:"init"`
	Interactive      bool     `codec:"interactive"`
	IPCMode          string   `codec:"ipc_mode"`
	IPv4Address      string   `codec:"ipv4_address"`
	IPv6Address      string   `codec:"ipv6_address"`
	Isolation        string   `codec:"isolation"`
	Labels           texts    `codec:"labels"`
	Load             string   `codec:"load"`
	Logging          struct {
		Type   string `codec:"type"`
		Driver string `codec:"driver"` // another word for type
		Config texts  `codec:"config"`
	} `codec:"logging"`
	MACAddress      string             `codec:"mac_address"`
	MemoryHardLimit int64              `codec:"memory_hard_limit"` // MB
	Mount           []mountConfig      `codec:"mount"`
	Mounts          []mountConfig      `codec:"mounts"`
	NetworkAliases  []string           `codec:"network_aliases"`
	NetworkMode     string             `codec:"network_mode"`
	OOMScoreAdj     int                `codec:"oom_score_adj"`
	PIDMode         string             `codec:"pid_mode"`
	PidsLimit       int64              `codec:"pids_limit"`
	PortMap         []map[string]int64 `codec:"port_map"`
	Ports           []string           `codec:"ports"`
	Privileged      bool               `codec:"privileged"`
	ReadonlyRootfs  bool               `codec:"readonly_rootfs"`
	Runtime         string             `codec:"runtime"`
	SecurityOpt     []string           `codec:"security_opt"`
	ShmSize         int64              `codec:"shm_size"` // bytes
	StorageOpt      map[string]string  `codec:"storage_opt"`
	Sysctl          texts              `codec:"sysctl"`
	TTY             bool               `codec:"tty"`
	Ulimit          texts              `codec:"ulimit"`
	UserNSMode      string             `codec:"userns_mode"`
	UTSMode         string             `codec:"uts_mode"`
	VolumeDriver    string             `codec:"volume_driver"`
	Volumes         []string           `codec:"volumes"`
	WorkDir         string             `codec:"work_dir"`
}

type device struct {
	HostPath      string `codec:"host_path"`
	ContainerPath string `codec:"container_path"`
	Permissions   string `codec:"cgroup_permissions"`
}

type mountConfig struct {
	Type        string `codec:"type"`
	Target      string `codec:"target"`
	Source      string `codec:"source"`
	ReadOnly    bool   `codec:"readonly"`
	BindOptions struct {
		Propagation string `codec:"propagation"`
	} `codec:"bind_options"`
	TmpfsOptions struct {
		Size int64 `codec:"size"` // bytes
		Mode int64 `codec:"mode"`
	} `codec:"tmpfs_options"`
	VolumeOptions struct {
		NoCopy bool  `codec:"no_copy"`
		Labels texts `codec:"labels"`
		Driver struct {
			Name    string `codec:"name"`
			Options texts  `codec:"options"`
		} `codec:"driver_config"`
	} `codec:"volume_options"`
}

// texts is a map as job files write it, as a block that may be repeated.
type texts []map[string]string

// merged is one map of all, nil when there is nothing; the last of a key counts.
func (t texts) merged() map[string]string {
	var out map[string]string
	for _, m := range t {
		if out == nil {
			out = map[string]string{}
		}
		maps.Copy(out, m)
	}
	return out
}

// parseTaskConfig reads a task's configuration and checks what needs no look at
// the plugin's.
func parseTaskConfig(encoded []byte) (*taskConfig, error) {
	var c taskConfig
	if err := hclspec.Unmarshal(encoded, &c); err != nil {
		return nil, err
	}
	c.Image = strings.TrimPrefix(strings.TrimSpace(c.Image), "https://")
	return &c, c.validate()
}

// maxCPUPeriod is in microseconds, the kernel's limit.
const maxCPUPeriod = 1_000_000

func (c *taskConfig) validate() error {
	switch {
	case c.Image == "":
		return errors.New("image is required")
	case len(c.PortMap) > 0 && len(c.Ports) > 0:
		return errors.New("port_map and ports exclude each other: keep ports, and give the ports of the group's network block a \"to\"")
	case c.Command != strings.TrimSpace(c.Command):
		return fmt.Errorf("command %q must not begin or end with blanks", c.Command)
	case c.CPUPeriod < 0 || c.CPUPeriod > maxCPUPeriod:
		return fmt.Errorf("cpu_cfs_period must be from 0 to %d microseconds, not %d", maxCPUPeriod, c.CPUPeriod)
	case c.WorkDir != "" && !strings.HasPrefix(c.WorkDir, "/") && !windowsPath(c.WorkDir):
		return fmt.Errorf("work_dir must be an absolute path: %s", c.WorkDir)
	case c.Logging.Type != "" && c.Logging.Driver != "" && c.Logging.Type != c.Logging.Driver:
		return errors.New("logging: type and driver mean the same; set one of them")
	case c.MemoryHardLimit < 0:
		return errors.New("memory_hard_limit must not be negative")
	case c.ShmSize < 0:
		return errors.New("shm_size must not be negative")
	case c.PidsLimit < 0:
		return errors.New("pids_limit must not be negative")
	case c.ContainerExistsTries < 0:
		return errors.New("container_exists_attempts must not be negative")
	}
	switch c.CgroupNS {
	case "", "host", "private":
	default:
		return fmt.Errorf("cgroupns must be \"host\" or \"private\", not %q", c.CgroupNS)
	}
	if c.ImagePullTimeout != "" {
		if d, err := time.ParseDuration(string(c.ImagePullTimeout)); err != nil || d <= 0 {
			return fmt.Errorf("image_pull_timeout: %q is no duration; write it like \"5m\"", c.ImagePullTimeout)
		}
	}
	return nil
}

// windowsPath reports whether a path begins with a drive's letter.
func windowsPath(p string) bool { return len(p) >= 2 && p[1] == ':' }
