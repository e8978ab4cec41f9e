package admission

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// warn tells what is allowed and probably not meant; see the job specification
// reference, 5.6.
func warn(job *n.Job, o Options) (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if job.Periodic != nil && job.Periodic.Spec != "" {
		add("periodic: cron is deprecated, write crons = [%q]", job.Periodic.Spec)
	}
	promoted, manual := 0, 0
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		if u := g.Update; u != nil {
			if g.Count > 1 && u.MaxParallel > g.Count {
				add("group %q: update.max_parallel is %d, more than the count of %d", g.Name, u.MaxParallel, g.Count)
			}
			if u.Canary > 0 && u.AutoPromote {
				promoted++
			} else if u.Canary > 0 {
				manual++
			}
		}
		if len(g.Networks) > 0 && g.Networks[0].MBits > 0 {
			add("group %q: network.mbits is deprecated and has no effect", g.Name)
		}
		for j := range g.Tasks {
			warnTask(g, &g.Tasks[j], o, add)
		}
	}
	if promoted > 0 && manual > 0 {
		add("auto_promote has an effect only if all groups with canaries have it")
	}
	return out
}

func warnTask(g *n.Group, t *n.Task, o Options, add func(string, ...any)) {
	r := t.Resources
	if r == nil {
		return
	}
	if r.IOPS != nil {
		add("task %q in group %q: resources.iops is deprecated and has no effect", t.Name, g.Name)
	}
	if len(r.Networks) > 0 {
		add("task %q in group %q: networks of tasks are deprecated, write it in the group", t.Name, g.Name)
	}
	if r.MemoryMaxMB != nil && *r.MemoryMaxMB != 0 && !o.MemoryOversubscription {
		add("task %q in group %q: memory_max has no effect while memory oversubscription is off", t.Name, g.Name)
	}
}
