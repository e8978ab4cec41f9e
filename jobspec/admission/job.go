package admission

import (
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func (c *checks) job(j *n.Job) {
	switch id := string(j.ID); {
	case id == "":
		c.add("the job has no id")
	case strings.ContainsAny(id, " \x00"):
		c.add("the job's id %q contains a space or NUL", id)
	}
	if j.Name == "" {
		c.add("the job has no name")
	} else if strings.Contains(j.Name, "\x00") {
		c.add("the job's name %q contains NUL", j.Name)
	}
	if !slices.Contains(n.JobTypes, j.Type) {
		c.add("job type %q is none of %s", j.Type, strings.Join(n.JobTypes, ", "))
	}
	if j.Priority < n.JobMinPriority || j.Priority > c.options.MaxPriority {
		c.add("priority %d is not between %d and %d", j.Priority, n.JobMinPriority, c.options.MaxPriority)
	}
	if slices.Contains(j.Datacenters, "") {
		c.add("datacenters must not contain an empty name")
	}
	if len(j.Payload) > 0 {
		c.add("a payload can not be registered; dispatch the job with it")
	}
	c.constraints(j.Constraints, true)
	c.affinities(j.Type, j.Affinities)
	c.spreads(j.Type, j.Spreads)
	if !settled(j.Update) {
		c.update(j.Type, j.Update)
	}
	c.reschedule(j.Type, j.Reschedule)
	c.migrate(j.Type, j.Migrate)
	if j.UI != nil && len(j.UI.Description) > 1000 {
		c.add("ui.description is longer than 1000 bytes")
	}
	if j.VersionTag != nil && len(j.VersionTag.Description) > 1000 {
		c.add("VersionTag.Description is longer than 1000 bytes")
	}
	if !j.RunsToCompletion() && (j.Periodic != nil || j.ParameterizedJob != nil) {
		c.add("only batch and sysbatch jobs can be periodic or parameterized, not a %s job", j.Type)
	}
	c.groups(j)
}

func (c *checks) groups(j *n.Job) {
	if len(j.TaskGroups) == 0 {
		c.add("the job has no groups: it needs at least one group block with a task")
	}
	total := 0
	for i := range j.TaskGroups {
		g := &j.TaskGroups[i]
		total += max(g.Count, 0)
		if k := slices.IndexFunc(j.TaskGroups[:i], func(o n.Group) bool { return o.Name == g.Name }); k >= 0 && g.Name != "" {
			c.add("group %d has the name of group %d, %q", i+1, k+1, g.Name)
		}
		c.in("group "+quote(g.Name), func() { c.group(j, g) })
	}
	if c.options.MaxCount >= 0 && total > c.options.MaxCount {
		c.add("the counts of all groups add up to %d, more than the %d that job_max_count allows", total, c.options.MaxCount)
	}
}

func quote(name string) string { return `"` + name + `"` }

func (c *checks) group(j *n.Job, g *n.Group) {
	if g.Name == "" || strings.Contains(g.Name, "\x00") {
		c.add("a group needs a name without NUL")
	}
	if g.Count < 0 {
		c.add("count is %d and must not be negative", g.Count)
	}
	if j.Type == n.JobTypeSystem && g.Count > 1 {
		c.add("count is %d, but a system job runs once on each node: leave it out or make it 0 or 1", g.Count)
	}
	if g.ShutdownDelay != nil && *g.ShutdownDelay < 0 {
		c.add("shutdown_delay must not be negative")
	}
	if d := g.MaxRunDuration; d != nil && (*d <= 0 || !j.RunsToCompletion()) {
		c.add("max_run_duration must be positive, and only batch and sysbatch jobs can have it")
	}
	if g.StopAfterClientDisconnect != nil || g.MaxClientDisconnect != nil || g.PreventRescheduleOnLost != nil {
		c.add("stop_after_client_disconnect, max_client_disconnect and prevent_reschedule_on_lost are gone: use the disconnect block")
	}
	c.constraints(g.Constraints, true)
	c.affinities(j.Type, g.Affinities)
	c.spreads(j.Type, g.Spreads)
	c.restart(g.RestartPolicy)
	c.reschedule(j.Type, g.ReschedulePolicy)
	c.update(j.Type, g.Update)
	c.migrate(j.Type, g.Migrate)
	c.disconnect(j.Type, g.Disconnect)
	c.scaling(j.Type, g)
	if g.EphemeralDisk != nil && g.EphemeralDisk.SizeMB < 10 {
		c.add("ephemeral_disk.size is %d MB and must be at least 10", g.EphemeralDisk.SizeMB)
	}
	c.ports(g)
	c.tasks(j, g)
}

func (c *checks) tasks(j *n.Job, g *n.Group) {
	if len(g.Tasks) == 0 {
		c.add("the group has no tasks")
		return
	}
	main, leaders := 0, 0
	for i := range g.Tasks {
		t := &g.Tasks[i]
		if k := slices.IndexFunc(g.Tasks[:i], func(o n.Task) bool { return o.Name == t.Name }); k >= 0 && t.Name != "" {
			c.add("task %d has the name of task %d, %q", i+1, k+1, t.Name)
		}
		if t.Lifecycle == nil {
			main++
		}
		if t.Leader {
			leaders++
		}
		c.in("task "+quote(t.Name), func() { c.task(j, g, t) })
	}
	if main == 0 {
		c.add("all tasks have a lifecycle block; at least one must be a main task without it")
	}
	if leaders > 1 {
		c.add("%d tasks are leaders; only one can be", leaders)
	}
}

func (c *checks) task(j *n.Job, g *n.Group, t *n.Task) {
	switch {
	case t.Name == "":
		c.add("a task needs a name")
	case t.Name == "alloc" || strings.ContainsAny(t.Name, "/\\\x00"):
		c.add("a task can not be called %q: its name becomes a directory beside alloc/", t.Name)
	}
	if t.Driver == "" {
		c.add("the task has no driver")
	}
	if t.KillTimeout < 0 || t.ShutdownDelay < 0 {
		c.add("kill_timeout and shutdown_delay must not be negative")
	}
	if u := g.Update; j.Type == n.JobTypeService && u != nil && u.ProgressDeadline != 0 && t.KillTimeout > u.ProgressDeadline {
		c.add("kill_timeout %s is longer than the group's progress_deadline %s", t.KillTimeout, u.ProgressDeadline)
	}
	if l := t.Lifecycle; l != nil && !slices.Contains([]string{n.HookPrestart, n.HookPoststart, n.HookPoststop}, l.Hook) {
		c.add("lifecycle.hook %q is none of prestart, poststart, poststop", l.Hook)
	}
	c.constraints(t.Constraints, false)
	c.affinities(j.Type, t.Affinities)
	c.restart(t.RestartPolicy)
	c.resources(t.Resources)
	if l := t.LogConfig; l != nil {
		if l.MaxFiles < 1 || l.MaxFileSizeMB < 1 {
			c.add("logs.max_files and logs.max_file_size must be at least 1")
		} else if g.EphemeralDisk != nil && l.MaxFiles*l.MaxFileSizeMB >= g.EphemeralDisk.SizeMB {
			c.add("logs may take %d MB, which must be less than the %d MB of the group's ephemeral_disk", l.MaxFiles*l.MaxFileSizeMB, g.EphemeralDisk.SizeMB)
		}
	}
	if p := t.DispatchPayload; p != nil && escapes(p.File) {
		c.add("dispatch_payload.file %q leads out of the allocation's directory", p.File)
	}
	for i, a := range t.Actions {
		if a.Name == "" || len(a.Name) > 128 || strings.ContainsAny(a.Name, " \t\n\x00") {
			c.add("an action's name has 1 to 128 characters and no spaces, not %q", a.Name)
		}
		if a.Command == "" {
			c.add("action %q has no command", a.Name)
		}
		if slices.ContainsFunc(t.Actions[:i], func(o n.Action) bool { return o.Name == a.Name }) {
			c.add("there are two actions %q", a.Name)
		}
	}
}

// escapes reports a path below local/ that leads out of the allocation's
// directory.
func escapes(path string) bool {
	depth := 2 // <task>/local
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
		c.add("the task has no resources")
		return
	}
	switch {
	case r.Cores < 0:
		c.add("resources.cores is %d and must not be negative", r.Cores)
	case r.Cores > 0 && r.CPU > 0:
		c.add("resources has both cpu and cores; write one of them")
	case r.Cores == 0 && r.CPU < 1:
		c.add("resources.cpu is %d MHz and must be at least 1", r.CPU)
	}
	if r.MemoryMB < 10 {
		c.add("resources.memory is %d MB and must be at least 10", r.MemoryMB)
	}
	if m := r.MemoryMaxMB; m != nil && *m != 0 && *m != -1 && *m < r.MemoryMB {
		c.add("resources.memory_max is %d MB and must be -1, or at least memory's %d", *m, r.MemoryMB)
	}
	if s := r.SecretsMB; s != nil && (*s < 0 || *s > r.MemoryMB) {
		c.add("resources.secrets is %d MB and must be between 0 and memory's %d", *s, r.MemoryMB)
	}
	if r.DiskMB != nil {
		c.add("resources.disk is gone: use the group's ephemeral_disk.size")
	}
}

const maxPort = 65535

// ports checks the ports of the group and its tasks together.
func (c *checks) ports(g *n.Group) {
	labels := map[string]bool{}
	type static struct {
		network string
		port    int
	}
	statics := map[static]string{}
	check := func(w *n.Network) {
		for _, p := range w.AllPorts() {
			switch {
			case p.Label == "":
				c.add("a port needs a label")
			case labels[p.Label]:
				c.add("port %q is there twice", p.Label)
			}
			labels[p.Label] = true
			if p.Value < 0 || p.Value > maxPort {
				c.add("port %q: static is %d and must be between 1 and %d", p.Label, p.Value, maxPort)
			}
			if p.To < -1 || p.To > maxPort {
				c.add("port %q: to is %d and must be -1 or between 1 and %d", p.Label, p.To, maxPort)
			}
			if p.IgnoreCollision && w.Mode != "" && w.Mode != "host" {
				c.add("port %q: ignore_collision works with network mode host alone", p.Label)
			}
			if key := (static{p.HostNetwork, p.Value}); p.Value != 0 && !p.IgnoreCollision {
				if other, taken := statics[key]; taken {
					c.add("ports %q and %q both want static port %d", other, p.Label, p.Value)
				}
				statics[key] = p.Label
			}
		}
	}
	for i := range g.Networks {
		check(&g.Networks[i])
	}
	for i := range g.Tasks {
		if r := g.Tasks[i].Resources; r != nil {
			for j := range r.Networks {
				check(&r.Networks[j])
			}
		}
	}
}
