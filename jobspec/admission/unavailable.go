package admission

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Unavailable lists what a job asks for and this version can not do, one
// sentence each. Such a job is refused rather than run without it.
func Unavailable(job *n.Job) (out []string) {
	no := func(asked bool, where, what string) {
		if asked {
			out = append(out, fmt.Sprintf("%s: %s is not available in this version yet", where, what))
		}
	}
	at := fmt.Sprintf("job %q", job.ID)
	no(job.Periodic != nil, at, "periodic")
	no(job.ParameterizedJob != nil, at, "parameterized")
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		at := fmt.Sprintf("group %q", g.Name)
		no(len(g.Services) > 0, at, "service")
		no(len(g.Volumes) > 0, at, "volume")
		no(g.Consul != nil, at, "consul")
		no(g.EphemeralDisk != nil && (g.EphemeralDisk.Sticky || g.EphemeralDisk.Migrate), at, "ephemeral_disk.sticky or migrate")
		no(job.Type == n.JobTypeSystem && g.Update != nil && g.Update.Canary > 0, at, "update.canary of a system job")
		for j := range g.Networks {
			w := &g.Networks[j]
			no(w.Mode != "" && w.Mode != "host", at, fmt.Sprintf("network mode %q", w.Mode))
			no(w.Hostname != "" || w.DNS != nil || w.CNI != nil, at, "network.hostname, dns or cni")
		}
		for j := range g.Tasks {
			task(no, &g.Tasks[j], fmt.Sprintf("task %q in group %q", g.Tasks[j].Name, g.Name))
		}
	}
	return out
}

func task(no func(bool, string, string), t *n.Task, at string) {
	no(len(t.Services) > 0, at, "service")
	no(len(t.Artifacts) > 0, at, "artifact")
	no(len(t.Templates) > 0, at, "template")
	no(t.Vault != nil, at, "vault")
	no(t.Consul != nil, at, "consul")
	no(len(t.Secrets) > 0, at, "secret")
	no(len(t.Identities) > 0 || t.Identity != nil && (t.Identity.Env || t.Identity.File), at, "identity")
	no(len(t.VolumeMounts) > 0, at, "volume_mount")
	no(t.CSIPluginConfig != nil, at, "csi_plugin")
	no(t.DispatchPayload != nil, at, "dispatch_payload")
	no(len(t.Actions) > 0, at, "action")
	no(t.Kind != "", at, "kind")
	no(t.RestartPolicy != nil && t.RestartPolicy.RenderTemplates, at, "restart.render_templates")
	if r := t.Resources; r != nil {
		no(r.Cores > 0, at, "resources.cores")
		no(len(r.Devices) > 0, at, "device")
	}
}
