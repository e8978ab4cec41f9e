package admission

import (
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// complete fills in what only the servers know or what follows from the rest;
// all other defaults were there before the job was decoded.
func complete(job *n.Job, o Options) {
	if job.Namespace == "" {
		job.Namespace = n.DefaultNamespace
	}
	if job.NodePool == "" {
		job.NodePool = n.DefaultNodePool
	}
	if len(job.Datacenters) == 0 {
		job.Datacenters = []string{"*"}
	}
	if job.Priority == 0 {
		job.Priority = o.DefaultPriority
	}
	if p := job.ParameterizedJob; p != nil && p.Payload == "" {
		p.Payload = "optional"
	}
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		hostNetworks(g.Networks)
		if g.Scaling != nil {
			g.Scaling.Target = map[string]string{"Namespace": job.Namespace, "Job": string(job.ID), "Group": g.Name}
		}
		for j := range g.Tasks {
			t := &g.Tasks[j]
			t.KillSignal = strings.ToUpper(t.KillSignal)
			for k := range t.Templates {
				t.Templates[k].ChangeSignal = strings.ToUpper(t.Templates[k].ChangeSignal)
			}
			if t.Vault != nil {
				t.Vault.ChangeSignal = strings.ToUpper(t.Vault.ChangeSignal)
			}
			if t.Resources != nil {
				hostNetworks(t.Resources.Networks)
			}
			for k := range t.ScalingPolicies {
				t.ScalingPolicies[k].Target = map[string]string{"Namespace": job.Namespace, "Job": string(job.ID), "Group": g.Name, "Task": t.Name}
			}
		}
	}
}

func hostNetworks(list []n.Network) {
	for i := range list {
		for _, ports := range [][]n.Port{list[i].ReservedPorts, list[i].DynamicPorts} {
			for j := range ports {
				if ports[j].HostNetwork == "" {
					ports[j].HostNetwork = "default"
				}
			}
		}
	}
}

// settle drops policies of the job that its groups have inherited; see the job
// specification reference, 1. Tools read what is left of update.
func settle(job *n.Job) {
	job.Migrate, job.Reschedule = nil, nil
	if job.Update != nil {
		left := Settled(*job.Update)
		job.Update = &left
	}
}

// Settled is what is left of a job's update when the job is admitted.
func Settled(u n.Update) n.Update {
	if u.MaxParallel > 0 {
		return n.Update{Stagger: u.Stagger, MaxParallel: u.MaxParallel}
	}
	return n.Update{}
}

// settled reports an update of a job that was admitted before, such as one that
// somebody inspected and registers again.
func settled(u *n.Update) bool {
	return u != nil && *u == n.Update{Stagger: u.Stagger, MaxParallel: u.MaxParallel}
}
