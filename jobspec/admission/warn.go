package admission

import (
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// warnings collects what is allowed and probably not meant; see the job
// specification reference, 5.6.
type warnings struct {
	options Options
	list    []Problem
}

func (w *warnings) add(path, format string, args ...any) {
	w.list = append(w.list, Problem{Path: path, Text: say(format, args...)})
}

func warn(job *n.Job, o Options) []Problem {
	w := &warnings{options: o}
	if job.Periodic != nil && job.Periodic.Spec != "" {
		w.add("Periodic.Spec", "periodic: cron is an older spelling: write crons = [%q]", job.Periodic.Spec)
	}
	promoted, manual := 0, -1
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		where, at := called("group", g.Name, i), element("TaskGroups", i)
		if u := g.Update; u != nil {
			if g.Count > 1 && u.MaxParallel > g.Count {
				w.add(at+".Update.MaxParallel", "%s, update: max_parallel is %d, more than the count of %d", where, u.MaxParallel, g.Count)
			}
			if u.Canary > 0 && u.AutoPromote {
				promoted++
			} else if u.Canary > 0 && manual < 0 {
				manual = i
			}
		}
		w.delays(g, where, at)
		w.networks(g, where, at)
		w.consul(g.Consul, where, at)
		for j := range g.Tasks {
			t := &g.Tasks[j]
			w.task(t, where+", "+called("task", t.Name, j), at+"."+element("Tasks", j))
		}
	}
	if promoted > 0 && manual >= 0 {
		w.add(element("TaskGroups", manual)+".Update.Canary", "%s, update: it has canaries and no auto_promote: that of other groups has no effect then", called("group", job.TaskGroups[manual].Name, manual))
	}
	return w.list
}

func (w *warnings) consul(x *n.Consul, where, at string) {
	if x != nil && x.Namespace != "" && x.Namespace != n.DefaultNamespace {
		w.add(at+".Consul.Namespace", "%s, consul: namespace %q has no effect: there are no namespaces of Consul here", where, x.Namespace)
	}
}

func (w *warnings) networks(g *n.Group, where, at string) {
	if len(g.Networks) > 0 && g.Networks[0].MBits > 0 {
		w.add(at+".Networks[0].MBits", "%s, network: mbits is deprecated and has no effect: remove it", where)
	}
	for i, x := range g.Networks {
		if !slices.Contains([]string{"", "host", "none", "bridge"}, x.Mode) && !strings.HasPrefix(x.Mode, "cni/") {
			w.add(at+"."+element("Networks", i)+".Mode", "%s, network: mode %q is none of host, none, bridge, cni/<name>: no node will have it", where, x.Mode)
		}
	}
}

// delays tells of services that vanish at the moment their task ends, while others
// still send requests.
func (w *warnings) delays(g *n.Group, where, at string) {
	bare := g.ShutdownDelay == nil || *g.ShutdownDelay == 0
	all := bare && !slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return t.ShutdownDelay > 0 })
	told := map[string]bool{}
	for i, s := range g.Services {
		path := at + "." + element("Services", i)
		switch t := g.Task(s.TaskName); {
		case t != nil && t.ShutdownDelay == 0 && bare && !told[t.Name]:
			told[t.Name] = true
			w.add(path, "%s: task %q has a service and no shutdown_delay: others still call it while it is stopped: write shutdown_delay = \"5s\" in the task", where, t.Name)
		case t == nil && all && !told[""]:
			told[""] = true
			w.add(path, "%s: it has services, and neither it nor a task has a shutdown_delay: others still call them while they are stopped: write shutdown_delay = \"5s\" in the group", where)
		}
	}
	for i := range g.Tasks {
		if t := &g.Tasks[i]; len(t.Services) > 0 && t.ShutdownDelay == 0 {
			w.add(at+"."+element("Tasks", i)+".Services[0]", "%s, %s: it has services and no shutdown_delay: others still call them while it is stopped: write shutdown_delay = \"5s\" in it", where, called("task", t.Name, i))
		}
	}
}

func (w *warnings) task(t *n.Task, where, at string) {
	w.consul(t.Consul, where, at)
	if r := t.Resources; r != nil {
		if r.IOPS != nil {
			w.add(at+".Resources.IOPS", "%s, resources: iops is deprecated and has no effect: remove it", where)
		}
		if len(r.Networks) > 0 {
			w.add(at+".Resources.Networks", "%s, resources: networks of tasks are deprecated: write the network block in the group", where)
		}
		if r.MemoryMaxMB != nil && *r.MemoryMaxMB != 0 && !w.options.MemoryOversubscription {
			w.add(at+".Resources.MemoryMaxMB", "%s, resources: memory_max has no effect while memory oversubscription is off", where)
		}
	}
	for i, x := range t.Templates {
		if x.VaultGrace != 0 {
			w.add(at+"."+element("Templates", i)+".VaultGrace", "%s, %s: vault_grace is deprecated and has no effect: remove it", where, called("template", x.DestPath, i))
		}
	}
	if config, err := t.Config.Map(); err == nil && t.Driver == "docker" && config["port_map"] != nil {
		w.add(at+".Config", "%s, config: port_map is an older spelling: write to in the ports of the group's network, and their labels in ports = [...] here", where)
	}
	for i, id := range t.Identities {
		w.identity(t, &id, at+"."+element("Identities", i), where+", "+called("identity", id.Name, i))
	}
}

func (w *warnings) identity(t *n.Task, id *n.Identity, at, where string) {
	if len(id.Audience) == 0 {
		w.add(at, "%s: aud is missing: whoever gets its token can use it anywhere", where)
	}
	if len(id.Audience) > 1 {
		w.add(at+".Audience", "%s: aud has several names: each of them can use the token with the others", where)
	}
	if id.TTL == 0 {
		w.add(at, "%s: ttl is missing: the token is valid for as long as the allocation is there", where)
	}
	if id.Env && id.ChangeMode != "restart" && id.TTL > 0 {
		w.add(at+".Env", "%s: env = true needs change_mode = \"restart\", or the process goes on with a token that has run out", where)
	}
	if strings.HasPrefix(id.Name, "vault_") && t.Vault == nil {
		w.add(at+".Name", "%s: it is for Vault, but the task has no vault block", where)
	}
}
