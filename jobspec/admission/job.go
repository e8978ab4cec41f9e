package admission

import (
	"maps"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/cron"
)

// check looks at the whole job; see the job specification reference, 3.
func (c *checks) check() {
	j := c.job
	switch id := string(j.ID); {
	case id == "":
		c.add("ID", "the job has no id: write job \"<id>\" { … }")
	case strings.ContainsAny(id, " \x00"):
		c.add("ID", "the job's id %q contains a space or NUL", id)
	}
	if j.Name == "" && j.ID != "" {
		c.add("Name", "the job's name is empty: leave name out, and it is the id")
	} else if strings.Contains(j.Name, "\x00") {
		c.add("Name", "the job's name %q contains NUL", j.Name)
	}
	c.oneOf("Type", "type", j.Type, n.JobTypes...)
	c.within("Priority", "priority", j.Priority, n.JobMinPriority, c.options.MaxPriority)
	if slices.Contains(j.Datacenters, "") {
		c.add("Datacenters", "datacenters must not contain an empty name")
	}
	if len(j.Payload) > 0 {
		c.add("Payload", "a payload can not be registered; dispatch the job with it")
	}
	c.constraints(j.Constraints, true)
	c.affinities(j.Affinities)
	c.spreads(j.Spreads)
	if !settled(j.Update) {
		c.update(j.Update)
	}
	c.reschedule("Reschedule", j.Reschedule)
	c.migrate(j.Migrate)
	c.launches(j)
	if j.UI != nil && len(j.UI.Description) > 1000 {
		c.add("UI.Description", "ui: description has %d bytes, and may have 1000", len(j.UI.Description))
	}
	if m := j.Multiregion; m != nil && len(m.Regions) > 0 {
		c.add("Multiregion", "multiregion is not supported: remove the block and register the job in each region")
	}
	if t := j.VersionTag; t != nil && len(t.Description) > 1000 {
		c.add("VersionTag", "the version tag's description has %d bytes, and may have 1000", len(t.Description))
	}
	c.scheduler(j)
	c.groups(j)
}

// scheduler checks the name of the scheduler that a job asks for.
func (c *checks) scheduler(j *n.Job) {
	name, known := j.Meta[n.MetaScheduler], c.options.Schedulers
	if name == "" || known == nil {
		return
	}
	types, ok := known[name]
	switch {
	case !ok:
		c.add("Meta", "meta: no scheduler is named %q, as %s has it; leave it out for the usual one, or write one of %s", name, n.MetaScheduler, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	case !slices.Contains(types, j.Type):
		c.add("Meta", "meta: %s %q handles jobs of type %s, not %s", n.MetaScheduler, name, strings.Join(types, " and "), j.Type)
	}
}

// launches checks how a job is launched by others than its registration.
func (c *checks) launches(j *n.Job) {
	if p := j.Periodic; p != nil && p.Enabled {
		c.in("periodic", "Periodic", func() {
			if !j.RunsToCompletion() {
				c.add("", "only batch and sysbatch jobs can be periodic, not a %s job", j.Type)
			}
			switch {
			case p.Spec == "" && len(p.Specs) == 0:
				c.add("", "it says not when: write crons = [\"<minute> <hour> <day> <month> <weekday>\"]")
			case p.Spec != "" && len(p.Specs) > 0:
				c.add("Spec", "cron and crons exclude each other: keep crons")
			}
			if p.Spec != "" {
				c.cron("Spec", p.Spec)
			}
			for _, spec := range p.Specs {
				c.cron("Specs", spec)
			}
			if _, err := cron.Parse(p.TimeZone); err != nil {
				c.add("TimeZone", "%v", err)
			}
		})
	}
	if p := j.ParameterizedJob; p != nil {
		c.in("parameterized", "ParameterizedJob", func() {
			if !j.RunsToCompletion() {
				c.add("", "only batch and sysbatch jobs can be parameterized, not a %s job", j.Type)
			}
			c.oneOf("Payload", "payload", p.Payload, "optional", "required", "forbidden")
			for _, key := range p.MetaRequired {
				if slices.Contains(p.MetaOptional, key) {
					c.add("MetaOptional", "%q is in meta_required and in meta_optional", key)
				}
			}
		})
	}
}

// cron checks a schedule; see the job specification reference, 10.1.
func (c *checks) cron(field, spec string) {
	if _, err := cron.Parse("", spec); err != nil {
		c.add(field, "%v", err)
	}
}

func (c *checks) groups(j *n.Job) {
	if len(j.TaskGroups) == 0 {
		c.add("TaskGroups", "the job has no groups: it needs at least one group block with a task")
	}
	total, largest := 0, 0
	for i := range j.TaskGroups {
		g := &j.TaskGroups[i]
		if total += max(g.Count, 0); g.Count > j.TaskGroups[largest].Count {
			largest = i
		}
		if k := slices.IndexFunc(j.TaskGroups[:i], func(o n.Group) bool { return o.Name == g.Name }); k >= 0 && g.Name != "" {
			c.add(element("TaskGroups", i)+".Name", "group %d has the name of group %d, %q", i+1, k+1, g.Name)
		}
		c.in(called("group", g.Name, i), element("TaskGroups", i), func() { c.group(g) })
	}
	if c.options.MaxCount >= 0 && total > c.options.MaxCount {
		c.add(element("TaskGroups", largest)+".Count", "the counts of all groups add up to %d, more than the %d that job_max_count allows", total, c.options.MaxCount)
	}
}

func (c *checks) group(g *n.Group) {
	j := c.job
	if g.Name == "" {
		c.add("Name", "it has no name: write group \"<name>\" { … }")
	} else if strings.Contains(g.Name, "\x00") {
		c.add("Name", "the name contains NUL")
	}
	if s := g.Scaling; s == nil || s.Min == nil || *s.Min >= 0 { // else count is what min is
		c.positive("Count", "count", g.Count)
	}
	if j.Type == n.JobTypeSystem && g.Count > 1 {
		c.add("Count", "count is %d, but a system job runs once on each node: leave it out or make it 0 or 1", g.Count)
	}
	if g.ShutdownDelay != nil && *g.ShutdownDelay < 0 {
		c.add("ShutdownDelay", "shutdown_delay is %s and must not be negative", *g.ShutdownDelay)
	}
	if d := g.MaxRunDuration; d != nil {
		if !j.RunsToCompletion() {
			c.add("MaxRunDuration", "max_run_duration is for batch and sysbatch jobs: a %s job is meant to go on", j.Type)
		} else if *d <= 0 {
			c.add("MaxRunDuration", "max_run_duration is %s and must be more than 0", *d)
		}
	}
	c.constraints(g.Constraints, true)
	c.affinities(g.Affinities)
	c.spreads(g.Spreads)
	c.restart(g.RestartPolicy)
	c.inherited(g)
	c.disconnect(g.Disconnect)
	c.scaling(g)
	if d := g.EphemeralDisk; d != nil && d.SizeMB < 10 {
		c.add("EphemeralDisk.SizeMB", "ephemeral_disk.size is %d MB and must be at least 10", d.SizeMB)
	}
	c.networks(g)
	c.volumes(g)
	c.consul(g.Consul)
	c.services(g, nil, g.Services)
	c.tasks(g)
	c.providers(g)
	c.mesh(g)
}

// inherited checks the policies that a group has of its own: what is wrong with
// those of the job was said there.
func (c *checks) inherited(g *n.Group) {
	before := len(c.problems)
	c.reschedule("ReschedulePolicy", g.ReschedulePolicy)
	c.update(g.Update)
	c.migrate(g.Migrate)
	own := slices.DeleteFunc(slices.Clone(c.problems[before:]), func(p Problem) bool {
		return slices.ContainsFunc(c.problems[:before], func(ofJob Problem) bool { return p.Text == c.where+", "+ofJob.Text })
	})
	c.problems = append(c.problems[:before], own...)
}

func (c *checks) tasks(g *n.Group) {
	gateway := len(g.Networks) > 0 && slices.ContainsFunc(g.Services, func(s n.Service) bool {
		return s.Connect != nil && s.Connect.Gateway != nil
	})
	if len(g.Tasks) == 0 && !gateway { // which gets a task
		c.add("Tasks", "the group has no tasks: it needs at least one task block")
	}
	main, leader := 0, -1
	for i := range g.Tasks {
		t := &g.Tasks[i]
		if k := slices.IndexFunc(g.Tasks[:i], func(o n.Task) bool { return o.Name == t.Name }); k >= 0 && t.Name != "" {
			c.add(element("Tasks", i)+".Name", "task %d has the name of task %d, %q", i+1, k+1, t.Name)
		}
		if t.Lifecycle == nil {
			main++
		}
		if t.Leader && leader >= 0 {
			c.add(element("Tasks", i)+".Leader", "the tasks %q and %q are both leaders; one can be", g.Tasks[leader].Name, t.Name)
		} else if t.Leader {
			leader = i
		}
		c.in(called("task", t.Name, i), element("Tasks", i), func() { c.task(g, t) })
	}
	if main == 0 && len(g.Tasks) > 0 && !gateway {
		c.add("Tasks", "all tasks have a lifecycle block; at least one must be a main task without it")
	}
}
