package interp

import (
	"net"
	"slices"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// DefaultDenylist are variables of the agent that tasks do not inherit.
var DefaultDenylist = []string{
	"CONSUL_TOKEN", "CONSUL_HTTP_TOKEN", "CONSUL_HTTP_TOKEN_FILE", "NOMAD_TOKEN", "VAULT_TOKEN",
	"CONSUL_LICENSE", "NOMAD_LICENSE", "VAULT_LICENSE",
	"CONSUL_LICENSE_PATH", "NOMAD_LICENSE_PATH", "VAULT_LICENSE_PATH",
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_METADATA_URL",
	"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN",
}

// Inherited filters an environment, given as os.Environ gives it.
func Inherited(environ, deny []string) map[string]string {
	out := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" && !slices.Contains(deny, k) {
			out[k] = v
		}
	}
	return out
}

// told is what we tell a task of itself.
func told(vars map[string]string, in Input) {
	set := func(k, v string) {
		if v != "" {
			vars[k] = v
		}
	}
	set("NOMAD_ALLOC_DIR", in.Dirs.Alloc)
	set("NOMAD_TASK_DIR", in.Dirs.Task)
	set("NOMAD_SECRETS_DIR", in.Dirs.Secrets)
	set("NOMAD_ALLOC_ID", string(in.Alloc.ID))
	set("NOMAD_SHORT_ALLOC_ID", n.Short(in.Alloc.ID))
	set("NOMAD_ALLOC_NAME", in.Alloc.Name)
	if i := in.Alloc.Index(); i >= 0 {
		set("NOMAD_ALLOC_INDEX", strconv.Itoa(i))
	}
	set("NOMAD_TASK_NAME", in.Task.Name)
	set("NOMAD_GROUP_NAME", in.Group.Name)
	set("NOMAD_JOB_ID", string(in.Job.ID))
	set("NOMAD_JOB_NAME", in.Job.Name)
	set("NOMAD_JOB_PARENT_ID", string(in.Job.ParentID))
	set("NOMAD_NAMESPACE", in.Alloc.Namespace)
	set("NOMAD_REGION", in.Region)
	if in.Node != nil {
		set("NOMAD_DC", in.Node.Datacenter)
		set("NOMAD_PARENT_CGROUP", in.Node.CgroupParent)
	}
	if in.Alloc.AllocatedResources == nil {
		return
	}
	if r := in.Alloc.AllocatedResources.Tasks[in.Task.Name]; r != nil {
		set("NOMAD_CPU_LIMIT", strconv.FormatInt(r.Cpu.CpuShares, 10))
		vars["NOMAD_CPU_CORES"] = cores(r.Cpu.ReservedCores)
		set("NOMAD_MEMORY_LIMIT", strconv.FormatInt(r.Memory.MemoryMB, 10))
		if r.Memory.MemoryMaxMB != 0 {
			set("NOMAD_MEMORY_MAX_LIMIT", strconv.FormatInt(r.Memory.MemoryMaxMB, 10))
		}
	}
}

// cores writes a list of cores as "0-2,7"; a blank when there are none.
func cores(list []uint16) string {
	if len(list) == 0 {
		return " "
	}
	list = slices.Sorted(slices.Values(list))
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(int(list[i]))
		if j > i {
			part += "-" + strconv.Itoa(int(list[j]))
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, ",")
}

// Ports returns the ports that an allocation got.
func Ports(a *n.Allocation) []n.AllocatedPort {
	if a.AllocatedResources == nil {
		return nil
	}
	shared := a.AllocatedResources.Shared
	if len(shared.Ports) > 0 {
		return shared.Ports
	}
	var out []n.AllocatedPort
	for i := range shared.Networks {
		nw := &shared.Networks[i]
		for _, p := range nw.AllPorts() {
			out = append(out, n.AllocatedPort{Label: p.Label, Value: p.Value, To: p.To, HostIP: nw.IP})
		}
	}
	return out
}

// ports tells a task of its ports. Inside is what a process binds to; without a
// network namespace that is the host's address and, unless the job says
// otherwise, the host's port.
func ports(vars map[string]string, in Input) {
	for _, p := range Ports(in.Alloc) {
		inside := p.Value
		if p.To > 0 {
			inside = p.To
		}
		host, in := strconv.Itoa(p.Value), strconv.Itoa(inside)
		addr := net.JoinHostPort(p.HostIP, host)
		for k, v := range map[string]string{
			"IP": p.HostIP, "HOST_IP": p.HostIP,
			"ADDR": addr, "HOST_ADDR": addr,
			"HOST_PORT": host, "PORT": in, "ALLOC_PORT": in,
		} {
			vars["NOMAD_"+k+"_"+p.Label] = v
		}
	}
	if in.Alloc.AllocatedResources == nil {
		return
	}
	for task, r := range in.Alloc.AllocatedResources.Tasks {
		for i := range r.Networks {
			taskPorts(vars, in.Task.Name, task, &r.Networks[i])
		}
	}
}

// taskPorts tells a task of the ports of a network of the older kind, which
// belongs to one task and is known to all.
func taskPorts(vars map[string]string, self, owner string, nw *n.Network) {
	for _, p := range nw.AllPorts() {
		v := strconv.Itoa(p.Value)
		addr := net.JoinHostPort(nw.IP, v)
		for k, v := range map[string]string{"IP": nw.IP, "PORT": v, "ADDR": addr} {
			vars["NOMAD_"+k+"_"+owner+"_"+p.Label] = v
			if owner == self {
				vars["NOMAD_"+k+"_"+p.Label] = v
			}
		}
		if owner == self {
			vars["NOMAD_HOST_PORT_"+p.Label] = v
		}
	}
}
