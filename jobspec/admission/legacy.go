package admission

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// spelled has the paths of older spellings, by those of what they became: problems
// point at what the user wrote.
type spelled map[string]string

func (s spelled) path(path string) string {
	if older, ok := s[path]; ok {
		return older
	}
	return path
}

// legacy reads older spellings as what they are today, and says so. Those that mean
// nothing any more are dropped; see the job specification reference, 1, stage 4.
func legacy(job *n.Job) (out []Problem, became spelled) {
	became = spelled{}
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		at := element("TaskGroups", i)
		tell := func(field, format string, args ...any) {
			out = append(out, Problem{Path: at + "." + field, Text: called("group", g.Name, i) + say(format, args...)})
		}
		disconnects(g, tell)
		for older, path := range map[string]string{
			"StopAfterClientDisconnect": "StopOnClientAfter", "MaxClientDisconnect": "LostAfter",
		} {
			if written(out, at+"."+older) {
				became[at+".Disconnect."+path] = at + "." + older
			}
		}
		for j := range g.Networks {
			if w := &g.Networks[j]; w.Device != "" {
				tell(element("Networks", j)+".Device", ", network: device has no effect: write host_network in the ports")
				w.Device = ""
			}
		}
		legacyChecks(g.Services, "", "", tell)
		for j := range g.Tasks {
			legacyTask(&g.Tasks[j], j, tell)
		}
	}
	return out, became
}

func written(list []Problem, path string) bool {
	return slices.ContainsFunc(list, func(p Problem) bool { return p.Path == path })
}

// A teller says something of a field of a group; the text goes on after the group's
// name.
type teller func(field, format string, args ...any)

// disconnects puts the older arguments into the disconnect block. What the block
// says itself is stronger.
func disconnects(g *n.Group, tell teller) {
	block := func() *n.Disconnect {
		if g.Disconnect == nil {
			g.Disconnect = &n.Disconnect{}
			n.Defaults{}.Fill(g.Disconnect)
		}
		return g.Disconnect
	}
	move := func(field, name string, older **time.Duration, now string, to **time.Duration) {
		switch d := *older; {
		case d == nil:
		case *to != nil:
			tell(field, ": %s has no effect beside disconnect.%s: remove it", name, now)
		default:
			tell(field, ": %s is an older spelling: write disconnect { %s = %q }", name, now, span(*d))
			*to = d
		}
		*older = nil
	}
	if g.StopAfterClientDisconnect != nil {
		move("StopAfterClientDisconnect", "stop_after_client_disconnect", &g.StopAfterClientDisconnect,
			"stop_on_client_after", &block().StopOnClientAfter)
	}
	if g.MaxClientDisconnect != nil {
		move("MaxClientDisconnect", "max_client_disconnect", &g.MaxClientDisconnect, "lost_after", &block().LostAfter)
	}
	if p := g.PreventRescheduleOnLost; p != nil {
		tell("PreventRescheduleOnLost", ": prevent_reschedule_on_lost is an older spelling: write disconnect { replace = %t }", !*p)
		block().Replace, g.PreventRescheduleOnLost = block().Replace && !*p, nil
	}
}

// legacyChecks is told of which task the services are, and its path, both empty for
// those of the group.
func legacyChecks(list []n.Service, task, at string, tell teller) {
	for i := range list {
		s := &list[i]
		for k := range s.Checks {
			if c := &s.Checks[k]; c.Advertise != "" {
				tell(at+element("Services", i)+"."+element("Checks", k)+".Advertise",
					"%s, %s, %s: advertise has no effect: write address or address_mode in the service", task, called("service", s.Name, i), called("check", c.Name, k))
				c.Advertise = ""
			}
		}
	}
}

func legacyTask(t *n.Task, i int, tell teller) {
	at, task := element("Tasks", i), ", "+called("task", t.Name, i)
	if l := t.LogConfig; l != nil && l.Enabled != nil {
		if *l.Enabled {
			tell(at+".LogConfig.Enabled", "%s, logs: enabled is an older spelling, and logs are on unless disabled = true: remove it", task)
		} else {
			tell(at+".LogConfig.Enabled", "%s, logs: enabled is an older spelling: write disabled = true", task)
		}
		l.Disabled, l.Enabled = l.Disabled || !*l.Enabled, nil
	}
	if r := t.Resources; r != nil && r.DiskMB != nil {
		tell(at+".Resources.DiskMB", "%s, resources: disk has no effect: write ephemeral_disk { size = %d } in the group", task, *r.DiskMB)
		r.DiskMB = nil
	}
	if v := t.Vault; v != nil && v.Policies != nil {
		tell(at+".Vault.Policies", "%s, vault: policies has no effect: a role of Vault has policies, write role = \"<name>\"", task)
		v.Policies = nil
	}
	legacyChecks(t.Services, task, at+".", tell)
}
