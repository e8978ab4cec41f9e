package admission

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

func (c *checks) task(g *n.Group, t *n.Task) {
	switch {
	case t.Name == "":
		c.add("Name", "it has no name: write task \"<name>\" { … }")
	case slices.Contains([]string{"alloc", ".", ".."}, t.Name):
		c.add("Name", "a task can not be called %q: its name becomes that of a directory beside alloc/", t.Name)
	case strings.ContainsAny(t.Name, "/\\\x00"):
		c.add("Name", "the name must not contain / \\ or NUL: it becomes that of a directory")
	}
	if t.Driver == "" {
		c.add("Driver", "driver is missing: write one such as driver = \"docker\"")
	}
	if t.KillTimeout < 0 {
		c.add("KillTimeout", "kill_timeout is %s and must not be negative", t.KillTimeout)
	}
	if t.ShutdownDelay < 0 {
		c.add("ShutdownDelay", "shutdown_delay is %s and must not be negative", t.ShutdownDelay)
	}
	if u := g.Update; c.job.Type == n.JobTypeService && u != nil && u.ProgressDeadline > 0 && t.KillTimeout > u.ProgressDeadline {
		c.add("KillTimeout", "kill_timeout %s is longer than the group's progress_deadline %s", t.KillTimeout, u.ProgressDeadline)
	}
	if l := t.Lifecycle; l != nil {
		c.oneOf("Lifecycle.Hook", "lifecycle.hook", l.Hook, n.HookPrestart, n.HookPoststart, n.HookPoststop)
	}
	c.constraints(t.Constraints, false)
	c.affinities(t.Affinities)
	if !walk.Equal(t.RestartPolicy, g.RestartPolicy) { // what is wrong with the group's was said there
		c.restart(t.RestartPolicy)
	}
	c.resources(t.Resources)
	c.logs(g, t)
	if p := t.DispatchPayload; p != nil && escapes(p.File) {
		c.add("DispatchPayload.File", "dispatch_payload.file %q leads out of the allocation's directory", p.File)
	}
	c.actions(t.Actions)
	if t.Schedule != nil {
		c.add("Schedule", "schedule is not supported: remove the block")
	}
	c.taskKind(g, t)
	c.services(g, t, t.Services)
	c.artifacts(t)
	c.templates(t)
	c.vault(t)
	c.consul(t.Consul)
	if a, b := g.Consul, t.Consul; a != nil && b != nil && a.Partition != "" && b.Partition != "" && a.Partition != b.Partition {
		c.add("Consul.Partition", "consul.partition %q is not that of the group, %q", b.Partition, a.Partition)
	}
	c.secrets(t)
	c.identity(t)
	c.mounts(g, t.VolumeMounts)
	c.storagePlugin(t.CSIPluginConfig)
	for i, p := range t.ScalingPolicies {
		if p.Type != "vertical_cpu" && p.Type != "vertical_mem" {
			c.add(element("ScalingPolicies", i)+".Type", "scaling type %q of a task is none of vertical_cpu, vertical_mem", p.Type)
		}
		if slices.ContainsFunc(t.ScalingPolicies[:i], func(o n.ScalingPolicy) bool { return o.Type == p.Type }) {
			c.add(element("ScalingPolicies", i), "there are two scaling blocks of type %s: keep one", p.Type)
		}
	}
}

func (c *checks) logs(g *n.Group, t *n.Task) {
	l := t.LogConfig
	switch {
	case l == nil:
		c.add("LogConfig", "the task has no logs block")
	case l.MaxFiles < 1:
		c.add("LogConfig.MaxFiles", "logs.max_files is %d and must be at least 1", l.MaxFiles)
	case l.MaxFileSizeMB < 1:
		c.add("LogConfig.MaxFileSizeMB", "logs.max_file_size is %d MB and must be at least 1", l.MaxFileSizeMB)
	case g.EphemeralDisk != nil && l.MaxFiles*l.MaxFileSizeMB >= g.EphemeralDisk.SizeMB:
		c.add("LogConfig", "logs may take %d MB (max_files × max_file_size), which must be less than the group's ephemeral_disk of %d MB", l.MaxFiles*l.MaxFileSizeMB, g.EphemeralDisk.SizeMB)
	}
}

func (c *checks) actions(list []n.Action) {
	for i, a := range list {
		c.in(called("action", a.Name, i), element("Actions", i), func() {
			if a.Name == "" || len(a.Name) > 128 || strings.ContainsAny(a.Name, " \t\r\n\v\f\x00") {
				c.add("Name", "the name must have 1 to 128 characters and no spaces")
			}
			if a.Command == "" {
				c.add("Command", "command is missing")
			}
			if slices.ContainsFunc(list[:i], func(o n.Action) bool { return o.Name == a.Name }) {
				c.add("Name", "the task has another action of this name")
			}
		})
	}
}

// escapes reports a path below local/ that leads out of the allocation's
// directory.
func escapes(path string) bool { return leaves("x/local/" + path) }

// leaves reports a path below the allocation's directory that leads out of it.
func leaves(path string) bool {
	depth := 0
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

func (c *checks) resources(r *n.Resources) {
	if r == nil {
		c.add("Resources", "the task has no resources")
		return
	}
	c.in("resources", "Resources", func() {
		switch {
		case r.Cores < 0:
			c.add("Cores", "cores is %d and must not be negative", r.Cores)
		case r.Cores > 0 && r.CPU > 0:
			c.add("CPU", "cpu and cores exclude each other: remove one of them")
		case r.Cores == 0 && r.CPU < 1:
			c.add("CPU", "cpu is %d MHz and must be at least 1", r.CPU)
		}
		if r.MemoryMB < 10 {
			c.add("MemoryMB", "memory is %d MB and must be at least 10", r.MemoryMB)
		}
		if m := r.MemoryMaxMB; m != nil && *m != 0 && *m != -1 && *m < r.MemoryMB {
			c.add("MemoryMaxMB", "memory_max is %d MB and must be at least memory, which is %d, or -1 for no limit", *m, r.MemoryMB)
		}
		if s := r.SecretsMB; s != nil && (*s < 0 || *s > r.MemoryMB) {
			c.add("SecretsMB", "secrets is %d MB and must be between 0 and memory, which is %d", *s, r.MemoryMB)
		}
		for i, d := range r.Devices {
			c.in(called("device", d.Name, i), element("Devices", i), func() { c.device(d) })
		}
		c.numa(r)
	})
}

func (c *checks) device(d n.DeviceRequest) {
	parts := strings.Split(d.Name, "/")
	if d.Name == "" || len(parts) > 3 || slices.Contains(parts, "") {
		c.add("Name", "write a device as \"type\", \"vendor/type\" or \"vendor/type/model\"")
	}
	if d.Count < 1 {
		c.add("Count", "count is %d and must be at least 1", d.Count)
	}
	c.constraints(d.Constraints, false)
	c.affinities(d.Affinities)
}

func (c *checks) numa(r *n.Resources) {
	if r.NUMA == nil {
		return
	}
	c.oneOf("NUMA.Affinity", "numa.affinity", r.NUMA.Affinity, "none", "prefer", "require")
	if a := r.NUMA.Affinity; a == "prefer" || a == "require" {
		c.add("NUMA.Affinity", "numa.affinity %q is not supported: write \"none\" or remove the block", a)
	}
	for _, d := range r.NUMA.Devices {
		if !slices.ContainsFunc(r.Devices, func(o n.DeviceRequest) bool { return o.Name == d }) {
			c.add("NUMA.Devices", "numa.devices names %q, for which the resources have no device block", d)
		}
	}
}

const maxPort = 65535

var hostname = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$`)

// networks checks the networks of the group and its tasks together.
func (c *checks) networks(g *n.Group) {
	p := &ports{checks: c, labels: map[string]bool{}, statics: map[static]string{}}
	args := map[string]bool{}
	for i := range g.Networks {
		c.in("network", element("Networks", i), func() {
			w := &g.Networks[i]
			p.look(w)
			if h := w.Hostname; h != "" && !strings.Contains(h, "${") && (len(h) > 253 || !hostname.MatchString(h)) {
				c.add("Hostname", "hostname %q is no DNS name: it must have letters, digits and - between dots", h)
			}
			if w.CNI == nil {
				return
			}
			for _, k := range slices.Sorted(maps.Keys(w.CNI.Args)) {
				if strings.Contains(k, ";") || strings.Contains(w.CNI.Args[k], ";") {
					c.add("CNI.Args", "cni.args: neither %q nor its value can contain a semicolon", k)
				}
				if args[k] {
					c.add("CNI.Args", "cni.args: %q is there in another network, too", k)
				}
				args[k] = true
			}
		})
	}
	for i := range g.Tasks {
		r := g.Tasks[i].Resources
		if r == nil {
			continue
		}
		for j := range r.Networks {
			c.in("task "+quote(g.Tasks[i].Name)+", network", element("Tasks", i)+".Resources."+element("Networks", j), func() { p.look(&r.Networks[j]) })
		}
	}
}

type static struct {
	network string
	port    int
}

// ports are those of a group that were looked at already.
type ports struct {
	*checks
	labels  map[string]bool
	statics map[static]string
}

func (c *ports) look(w *n.Network) {
	for i := range w.ReservedPorts {
		c.port(w, &w.ReservedPorts[i], element("ReservedPorts", i))
	}
	for i := range w.DynamicPorts {
		c.port(w, &w.DynamicPorts[i], element("DynamicPorts", i))
	}
}

func (c *ports) port(w *n.Network, p *n.Port, at string) {
	switch {
	case p.Label == "":
		c.add(at, "a port needs a label: write port \"<label>\" { … }")
	case c.labels[p.Label]:
		c.add(at, "port %q is there twice: give each a label of its own", p.Label)
	}
	c.labels[p.Label] = true
	if p.Value < 0 || p.Value > maxPort {
		c.add(at+".Value", "port %q: static is %d and must be between 1 and %d", p.Label, p.Value, maxPort)
	}
	if p.To < -1 || p.To > maxPort {
		c.add(at+".To", "port %q: to is %d and must be -1 or between 1 and %d", p.Label, p.To, maxPort)
	}
	if p.IgnoreCollision && w.Mode != "" && w.Mode != "host" {
		c.add(at+".IgnoreCollision", "port %q: ignore_collision goes with network mode host only", p.Label)
	}
	if key := (static{p.HostNetwork, p.Value}); p.Value != 0 && !p.IgnoreCollision {
		if other, taken := c.statics[key]; taken {
			c.add(at+".Value", "the ports %q and %q both have static = %d: change one, or let one be dynamic", other, p.Label, p.Value)
		}
		c.statics[key] = p.Label
	}
}
