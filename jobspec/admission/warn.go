package admission

import (
	"fmt"
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
	w.list = append(w.list, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

func warn(job *n.Job, o Options) []Problem {
	w := &warnings{options: o}
	if job.Periodic != nil && job.Periodic.Spec != "" {
		w.add("Periodic.Spec", "periodic: cron is an older spelling: write crons = [%q]", job.Periodic.Spec)
	}
	promoted, manual := 0, 0
	for i := range job.TaskGroups {
		g, at := &job.TaskGroups[i], element("TaskGroups", i)
		if u := g.Update; u != nil {
			if g.Count > 1 && u.MaxParallel > g.Count {
				w.add(at+".Update.MaxParallel", "group %q: update.max_parallel is %d, more than the count of %d", g.Name, u.MaxParallel, g.Count)
			}
			if u.Canary > 0 && u.AutoPromote {
				promoted++
			} else if u.Canary > 0 {
				manual++
			}
		}
		w.delays(g, at)
		if len(g.Networks) > 0 && g.Networks[0].MBits > 0 {
			w.add(at+".Networks[0].MBits", "group %q: network.mbits is deprecated and has no effect: remove it", g.Name)
		}
		for j := range g.Tasks {
			w.task(g, &g.Tasks[j], at+"."+element("Tasks", j))
		}
	}
	if promoted > 0 && manual > 0 {
		w.add("TaskGroups", "auto_promote has an effect only if all groups with canaries have it")
	}
	return w.list
}

// delays tells of services that vanish at the moment their task ends, while others
// still send requests.
func (w *warnings) delays(g *n.Group, at string) {
	bare := g.ShutdownDelay == nil || *g.ShutdownDelay == 0
	all := bare && !slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return t.ShutdownDelay > 0 })
	told := map[string]bool{}
	for i, s := range g.Services {
		path := at + "." + element("Services", i)
		switch t := g.Task(s.TaskName); {
		case t != nil && t.ShutdownDelay == 0 && bare && !told[t.Name]:
			told[t.Name] = true
			w.add(path, "group %q: task %q has a service and no shutdown_delay: it is stopped before others know", g.Name, t.Name)
		case t == nil && all && !told[""]:
			told[""] = true
			w.add(path, "group %q has services, and neither it nor a task has a shutdown_delay: they are stopped before others know", g.Name)
		}
	}
	for i := range g.Tasks {
		if t := &g.Tasks[i]; len(t.Services) > 0 && t.ShutdownDelay == 0 {
			w.add(at+"."+element("Tasks", i)+".Services[0]", "task %q in group %q has services and no shutdown_delay: it is stopped before others know", t.Name, g.Name)
		}
	}
}

func (w *warnings) task(g *n.Group, t *n.Task, at string) {
	where := fmt.Sprintf("task %q in group %q", t.Name, g.Name)
	if r := t.Resources; r != nil {
		if r.IOPS != nil {
			w.add(at+".Resources.IOPS", "%s: resources.iops is deprecated and has no effect: remove it", where)
		}
		if len(r.Networks) > 0 {
			w.add(at+".Resources.Networks", "%s: networks of tasks are deprecated: write the network block in the group", where)
		}
		if r.MemoryMaxMB != nil && *r.MemoryMaxMB != 0 && !w.options.MemoryOversubscription {
			w.add(at+".Resources.MemoryMaxMB", "%s: memory_max has no effect while memory oversubscription is off", where)
		}
	}
	for i, x := range t.Templates {
		if x.VaultGrace != 0 {
			w.add(at+"."+element("Templates", i)+".VaultGrace", "%s: vault_grace is deprecated and has no effect: remove it", where)
		}
	}
	if config, err := t.Config.Map(); err == nil && t.Driver == "docker" && config["port_map"] != nil {
		w.add(at+".Config", "%s: port_map is an older spelling: write to in the ports of the group's network, and their labels in ports = [...] here", where)
	}
	for i, id := range t.Identities {
		w.identity(t, &id, at+"."+element("Identities", i), where)
	}
}

func (w *warnings) identity(t *n.Task, id *n.Identity, at, where string) {
	if len(id.Audience) == 0 {
		w.add(at, "%s: identity %q has no aud: whoever gets its token can use it anywhere", where, id.Name)
	}
	if len(id.Audience) > 1 {
		w.add(at+".Audience", "%s: identity %q has several audiences: whoever gets its token can use it with the others", where, id.Name)
	}
	if id.TTL == 0 {
		w.add(at, "%s: identity %q has no ttl: its token is valid for as long as the allocation is there", where, id.Name)
	}
	if id.Env && id.ChangeMode != "restart" && id.TTL > 0 {
		w.add(at+".Env", "%s: identity %q: env needs change_mode restart, or the process goes on with the token that has run out", where, id.Name)
	}
	if strings.HasPrefix(id.Name, "vault_") && t.Vault == nil {
		w.add(at+".Name", "%s: identity %q is for Vault, but the task has no vault block", where, id.Name)
	}
}
