package docker

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// Labels of our containers. Those of Nomad are there for the tools of others;
// ours are what the driver itself goes by.
const (
	labelNomad   = "com.hashicorp.nomad."
	labelAllocID = labelNomad + "alloc_id"
	labelTask    = "io.nomadlike.task"    // its id; absent from pause containers
	labelNetwork = "io.nomadlike.network" // of pause containers: the allocation's id
	labelOwner   = "io.nomadlike.owner"   // the agent
)

// A spec is all that a container follows from.
type spec struct {
	plugin *config
	task   *taskConfig
	run    *drivers.TaskConfig
	engine engineInfo
	owner  string
	// compute is what the node offers to all tasks, in MHz.
	compute int64
}

// containerName is the name of a task's container, of which there is at most
// one at a time in an allocation.
func containerName(t *drivers.TaskConfig) string {
	return strings.ReplaceAll(t.Name, "/", "_") + "-" + t.AllocID
}

// container says how the engine is to make the container, short of its mounts.
func (s *spec) container(imageID string) (*client.ContainerCreateOptions, error) {
	host, err := s.host()
	if err != nil {
		return nil, err
	}
	out := &client.ContainerCreateOptions{Name: containerName(s.run), HostConfig: host, Config: &container.Config{
		Image: imageID, Hostname: s.task.Hostname, User: s.run.User, Env: environment(s.run.Env), Labels: s.labels(),
		Tty: s.task.TTY, OpenStdin: s.task.Interactive, WorkingDir: s.task.WorkDir,
		Entrypoint: s.task.Entrypoint, Cmd: s.command(),
	}}
	if s.task.Healthchecks.Disable {
		out.Config.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
	}
	if err := s.windows(); err != nil {
		return nil, err
	}
	if err := s.ports(out); err != nil {
		return nil, err
	}
	return out, s.endpoint(out)
}

func (s *spec) command() []string {
	if s.task.Command == "" {
		return s.task.Args
	}
	return append([]string{s.task.Command}, s.task.Args...)
}

func environment(vars map[string]string) []string {
	out := make([]string, 0, len(vars))
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		out = append(out, k+"="+vars[k])
	}
	return out
}

func (s *spec) labels() map[string]string {
	t := s.run
	out := s.task.Labels.merged()
	if out == nil {
		out = map[string]string{}
	}
	for name, value := range map[string]string{
		"job_name": t.JobName, "job_id": t.JobID, "task_group_name": t.TaskGroupName, "task_name": t.Name,
		"namespace": t.Namespace, "node_name": t.NodeName, "node_id": t.NodeID, "parent_job_id": t.ParentJobID,
	} {
		if s.plugin.labelled(name) {
			out[labelNomad+name] = value
		}
	}
	out[labelAllocID], out[labelTask], out[labelOwner] = t.AllocID, t.ID, s.owner
	return out
}

func (s *spec) host() (*container.HostConfig, error) {
	p, t := s.plugin, s.task
	h := &container.HostConfig{
		LogConfig: s.logging(), ReadonlyRootfs: t.ReadonlyRootfs, VolumeDriver: t.VolumeDriver,
		GroupAdd: t.GroupAdd, CgroupnsMode: container.CgroupnsMode(t.CgroupNS), IpcMode: container.IpcMode(t.IPCMode),
		PidMode: container.PidMode(t.PIDMode), UTSMode: container.UTSMode(t.UTSMode), UsernsMode: container.UsernsMode(t.UserNSMode),
		Isolation: container.Isolation(t.Isolation), ShmSize: t.ShmSize, StorageOpt: t.StorageOpt, Sysctls: t.Sysctl.merged(),
		OomScoreAdj: t.OOMScoreAdj, Privileged: t.Privileged,
	}
	if h.OomScoreAdj == 0 {
		h.OomScoreAdj = p.OOMScoreAdj
	}
	if t.Init {
		h.Init = &t.Init
	}
	if t.Privileged && !p.AllowPrivileged {
		return nil, errors.New("docker privileged mode is disabled on this node; the operator can set allow_privileged")
	}
	if err := s.modes(); err != nil {
		return nil, err
	}
	var err error
	if h.Runtime, err = s.runtime(); err != nil {
		return nil, err
	}
	if h.SecurityOpt, err = securityOptions(t.SecurityOpt); err != nil {
		return nil, err
	}
	if s.engine.OSType != windows {
		if h.CapAdd, h.CapDrop, err = capabilities(p.AllowCaps, t.CapAdd, t.CapDrop); err != nil {
			return nil, err
		}
	}
	if err := s.resources(&h.Resources); err != nil {
		return nil, err
	}
	return h, s.network(h)
}

// logging takes the plugin's unless the task says anything of its own.
func (s *spec) logging() container.LogConfig {
	own := container.LogConfig{Type: s.task.Logging.Type, Config: s.task.Logging.Config.merged()}
	if own.Type == "" {
		own.Type = s.task.Logging.Driver
	}
	switch {
	case own.Type == "" && own.Config == nil:
		return container.LogConfig{Type: s.plugin.Logging.Type, Config: s.plugin.Logging.Config}
	case own.Type == "":
		own.Type = s.plugin.Logging.Type
	}
	return own
}

// modes refuses to share namespaces that the operator has not opened.
func (s *spec) modes() error {
	if s.plugin.AllowPrivileged {
		return nil
	}
	a := &s.plugin.AllowedModes
	for _, m := range []struct {
		field, value, list string
		allowed            []string
	}{
		{"pid_mode", s.task.PIDMode, "pid", a.PID},
		{"ipc_mode", s.task.IPCMode, "ipc", a.IPC},
		{"userns_mode", s.task.UserNSMode, "userns", a.UserNS},
		{"uts_mode", s.task.UTSMode, "uts", a.UTS},
	} {
		kind, _, _ := strings.Cut(m.value, ":")
		if kind != "host" && kind != "container" || slices.Contains(m.allowed, m.value) || slices.Contains(m.allowed, kind) {
			continue
		}
		return fmt.Errorf("%s %q is not allowed on this node; the operator can list it in allowed_modes.%s", m.field, m.value, m.list)
	}
	return nil
}

func (s *spec) runtime() (string, error) {
	if _, ok := s.run.DeviceEnv["NVIDIA_VISIBLE_DEVICES"]; ok {
		name := s.plugin.NvidiaRuntime
		if !slices.Contains(s.engine.Runtimes, name) {
			return "", fmt.Errorf("the engine has no runtime %q, which the task's GPU needs; it has %v", name, s.engine.Runtimes)
		}
		return name, nil
	}
	name := s.task.Runtime
	if name != "" && !slices.Contains(s.plugin.AllowRuntimes, name) {
		return "", fmt.Errorf("runtime %q is not allowed on this node; allow_runtimes lists %v", name, s.plugin.AllowRuntimes)
	}
	return name, nil
}

// securityOptions puts the content of seccomp profiles in place of their names,
// for the engine may be on another machine.
func securityOptions(options []string) ([]string, error) {
	out := slices.Clone(options)
	for i, o := range out {
		name, ok := strings.CutPrefix(strings.Replace(o, "seccomp:", "seccomp=", 1), "seccomp=")
		if !ok || name == "unconfined" || name == "builtin" || strings.HasPrefix(name, "{") {
			continue
		}
		profile, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("security_opt: seccomp profile: %w", err)
		}
		out[i] = "seccomp=" + string(profile)
	}
	return out, nil
}

// leastShares and mostShares bound what the kernel takes.
const leastShares, mostShares = 2, 262_144

// cpuShares are the task's MHz, brought into the kernel's range on a node so
// large that they would leave it.
func cpuShares(mhz, compute int64) int64 {
	if compute >= mostShares {
		mhz = int64(float64(mhz) / float64(compute) * mostShares)
	}
	return min(max(mhz, leastShares), mostShares)
}

func (s *spec) resources(r *container.Resources) error {
	t, given := s.task, &s.run.Resources
	r.CPUShares = cpuShares(given.CPUShares, s.compute)
	if s.engine.OSType != windows {
		if len(given.Cores) > 0 {
			r.CpusetCpus = cores(given.Cores)
		}
		if t.CPUHardLimit {
			r.CPUPeriod = t.CPUPeriod
			if r.CPUPeriod == 0 {
				r.CPUPeriod = 100_000
			}
			// The kernel takes no quota below a millisecond.
			r.CPUQuota = max(int64(given.CPUFraction*float64(r.CPUPeriod)*float64(s.engine.CPUs)), 1000)
		}
	}
	s.memory(r)
	limit := t.PidsLimit
	switch most := s.plugin.PidsLimit; {
	case most > 0 && limit > most:
		return fmt.Errorf("pids_limit %d is above the %d that the operator allows", limit, most)
	case limit == 0:
		limit = most
	}
	if limit > 0 {
		r.PidsLimit = &limit
	}
	for _, d := range t.Devices {
		m := container.DeviceMapping{PathOnHost: d.HostPath, PathInContainer: d.ContainerPath, CgroupPermissions: d.Permissions}
		if m.PathInContainer == "" {
			m.PathInContainer = m.PathOnHost
		}
		if m.CgroupPermissions == "" {
			m.CgroupPermissions = "rwm"
		}
		if strings.Trim(m.CgroupPermissions, "rwm") != "" {
			return fmt.Errorf("devices: cgroup_permissions %q must be of the letters r, w and m", m.CgroupPermissions)
		}
		r.Devices = append(r.Devices, m)
	}
	for _, d := range s.run.Devices {
		r.Devices = append(r.Devices, container.DeviceMapping{
			PathOnHost: d.HostPath, PathInContainer: d.TaskPath, CgroupPermissions: d.CgroupPermissions,
		})
	}
	var err error
	r.Ulimits, err = ulimits(t.Ulimit.merged())
	return err
}

// memory limits the task to what it may use at most and guards what it was
// promised. It gets no swap.
func (s *spec) memory(r *container.Resources) {
	given := &s.run.Resources
	most := given.MemoryMaxMB
	if most == 0 {
		most = s.task.MemoryHardLimit
	}
	r.Memory = given.MemoryMB << 20
	switch {
	case most < 0:
		r.Memory, r.MemoryReservation = 0, given.MemoryMB<<20
	case most > given.MemoryMB:
		r.Memory, r.MemoryReservation = most<<20, given.MemoryMB<<20
	}
	if s.engine.OSType == windows {
		r.MemoryReservation = 0
		return
	}
	if r.Memory > 0 {
		r.MemorySwap = r.Memory
	}
	if s.engine.Swappiness {
		r.MemorySwappiness = new(int64)
	}
}

func cores(ids []uint16) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = strconv.Itoa(int(id))
	}
	return strings.Join(out, ",")
}

func ulimits(m map[string]string) ([]*container.Ulimit, error) {
	var out []*container.Ulimit
	for _, name := range slices.Sorted(maps.Keys(m)) {
		u, err := units.ParseUlimit(name + "=" + m[name])
		if err != nil {
			return nil, fmt.Errorf("ulimit: %w; write %s = \"soft:hard\"", err, name)
		}
		out = append(out, u)
	}
	return out, nil
}

const windows = "windows"

// windows refuses the account that can reach the host through the kernel that
// a process-isolated container shares with it.
func (s *spec) windows() error {
	if s.engine.OSType != windows || s.plugin.AllowInsecureContainer || s.task.Isolation == "hyperv" {
		return nil
	}
	if u := strings.ToLower(s.run.User); u == "containeradmin" || u == "containeradministrator" {
		return errors.New("running as ContainerAdmin is unsafe: choose another user, isolation = \"hyperv\", " +
			"or have the operator set windows_allow_insecure_container_admin")
	}
	return nil
}

// endpoint asks for what the task wants to be in its network.
func (s *spec) endpoint(out *client.ContainerCreateOptions) error {
	t := s.task
	if len(t.NetworkAliases) == 0 && t.IPv4Address == "" && t.IPv6Address == "" && t.MACAddress == "" {
		return nil
	}
	mode := out.HostConfig.NetworkMode
	if mode.IsHost() || mode.IsContainer() || mode.IsNone() {
		return fmt.Errorf("network_aliases, ipv4_address, ipv6_address and mac_address can not be set in network mode %q", mode)
	}
	e := &network.EndpointSettings{Aliases: t.NetworkAliases}
	var ipam network.EndpointIPAMConfig
	for _, a := range []struct {
		field, text string
		into        *netip.Addr
	}{{"ipv4_address", t.IPv4Address, &ipam.IPv4Address}, {"ipv6_address", t.IPv6Address, &ipam.IPv6Address}} {
		if a.text == "" {
			continue
		}
		addr, err := netip.ParseAddr(a.text)
		if err != nil {
			return fmt.Errorf("%s: %w", a.field, err)
		}
		*a.into, e.IPAMConfig = addr, &ipam
	}
	if t.MACAddress != "" {
		mac, err := net.ParseMAC(t.MACAddress)
		if err != nil {
			return fmt.Errorf("mac_address: %w", err)
		}
		if !s.engine.atLeast(1, 44) {
			return fmt.Errorf("mac_address needs an engine with API version 1.44 (Docker 25); this one has %s", s.engine.APIVersion)
		}
		e.MacAddress = network.HardwareAddr(mac)
	}
	out.NetworkingConfig = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{string(mode): e}}
	return nil
}
