package admission

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// legacy reads older spellings as what they are today, and says so. Those that mean
// nothing any more are dropped; see the job specification reference, 1, stage 4.
func legacy(job *n.Job) (out []Problem) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		at := element("TaskGroups", i)
		say := func(field, format string, args ...any) {
			out = append(out, Problem{Path: at + "." + field, Text: fmt.Sprintf("group %q: ", g.Name) + fmt.Sprintf(format, args...)})
		}
		disconnects(g, say)
		for j := range g.Networks {
			if w := &g.Networks[j]; w.Device != "" {
				say(element("Networks", j)+".Device", "network.device has no effect: write host_network in the ports")
				w.Device = ""
			}
		}
		legacyChecks(g.Services, "", say)
		for j := range g.Tasks {
			legacyTask(&g.Tasks[j], element("Tasks", j), say)
		}
	}
	return out
}

// disconnects puts the older arguments into the disconnect block.
func disconnects(g *n.Group, say func(string, string, ...any)) {
	block := func() *n.Disconnect {
		if g.Disconnect == nil {
			g.Disconnect = &n.Disconnect{}
			n.Defaults{}.Fill(g.Disconnect)
		}
		return g.Disconnect
	}
	if d := g.StopAfterClientDisconnect; d != nil {
		say("StopAfterClientDisconnect", "stop_after_client_disconnect is an older spelling: write disconnect { stop_on_client_after = %q }", d.String())
		block().StopOnClientAfter, g.StopAfterClientDisconnect = d, nil
	}
	if d := g.MaxClientDisconnect; d != nil {
		say("MaxClientDisconnect", "max_client_disconnect is an older spelling: write disconnect { lost_after = %q }", d.String())
		block().LostAfter, g.MaxClientDisconnect = d, nil
	}
	if p := g.PreventRescheduleOnLost; p != nil {
		say("PreventRescheduleOnLost", "prevent_reschedule_on_lost is an older spelling: write disconnect { replace = %t }", !*p)
		block().Replace, g.PreventRescheduleOnLost = !*p, nil
	}
}

func legacyChecks(list []n.Service, at string, say func(string, string, ...any)) {
	for i := range list {
		for k := range list[i].Checks {
			if c := &list[i].Checks[k]; c.Advertise != "" {
				say(at+element("Services", i)+"."+element("Checks", k)+".Advertise", "service %q: advertise of a check has no effect: the service has address and address_mode", list[i].Name)
				c.Advertise = ""
			}
		}
	}
}

func legacyTask(t *n.Task, at string, say func(string, string, ...any)) {
	if l := t.LogConfig; l != nil && l.Enabled != nil {
		say(at+".LogConfig.Enabled", "task %q: logs.enabled is an older spelling: write disabled = %t", t.Name, !*l.Enabled)
		l.Disabled, l.Enabled = !*l.Enabled, nil
	}
	if r := t.Resources; r != nil && r.DiskMB != nil {
		say(at+".Resources.DiskMB", "task %q: resources.disk has no effect: write ephemeral_disk { size = %d } in the group", t.Name, *r.DiskMB)
		r.DiskMB = nil
	}
	if v := t.Vault; v != nil && v.Policies != nil {
		say(at+".Vault.Policies", "task %q: vault.policies has no effect: a role of Vault has policies, write role = \"<name>\"", t.Name)
		v.Policies = nil
	}
	legacyChecks(t.Services, at+".", say)
}
