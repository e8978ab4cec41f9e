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
			g.Scaling.Aim(job.Key(), g.Name)
		}
		completeServices(job, g, nil, g.Services)
		if g.Consul != nil && g.Consul.Namespace == "" {
			g.Consul.Namespace = job.ConsulNamespace
		}
		for j := range g.Tasks {
			t := &g.Tasks[j]
			completeTask(t)
			completeServices(job, g, t, t.Services)
			for k := range t.ScalingPolicies {
				t.ScalingPolicies[k].Target = map[string]string{"Namespace": job.Namespace, "Job": string(job.ID), "Group": g.Name, "Task": t.Name}
			}
		}
	}
}

func completeTask(t *n.Task) {
	upper := func(list ...*string) {
		for _, s := range list {
			*s = strings.ToUpper(*s)
		}
	}
	upper(&t.KillSignal)
	for k := range t.Templates {
		upper(&t.Templates[k].ChangeSignal)
	}
	if t.Vault != nil {
		upper(&t.Vault.ChangeSignal)
		if t.Vault.Cluster == "" {
			t.Vault.Cluster = "default"
		}
	}
	if t.Consul != nil && t.Consul.Cluster == "" {
		t.Consul.Cluster = "default"
	}
	for k := range t.Identities {
		upper(&t.Identities[k].ChangeSignal)
	}
	if t.Identity == nil {
		t.Identity = &n.Identity{}
	}
	t.Identity.Name, t.Identity.Audience = defaultIdentity, []string{serverAudience}
	upper(&t.Identity.ChangeSignal)
	if r := t.Resources; r != nil {
		hostNetworks(r.Networks)
		for _, mb := range []**int{&r.MemoryMaxMB, &r.SecretsMB} {
			if *mb == nil {
				*mb = new(int)
			}
		}
	}
}

func completeServices(job *n.Job, g *n.Group, t *n.Task, list []n.Service) {
	task := "group"
	if t != nil {
		task = t.Name
	}
	base := job.Name + "-" + g.Name + "-" + task
	names := strings.NewReplacer("${JOB}", job.Name, "${TASKGROUP}", g.Name, "${TASK}", task, "${BASE}", base)
	for i := range list {
		s := &list[i]
		s.Name = names.Replace(s.Name)
		if t != nil && s.TaskName == "" {
			s.TaskName = t.Name
		}
		s.Namespace = n.DefaultNamespace
		if s.Provider == n.ProviderNomad {
			s.Namespace = job.Namespace
		}
		if w := s.Weights; w != nil {
			w.Passing, w.Warning = atLeast(w.Passing, 1), atLeast(w.Warning, 1)
		}
		for k := range s.Checks {
			c := &s.Checks[k]
			if c.Name == "" {
				c.Name = `service: "` + s.Name + `" check`
			}
			c.Name = names.Replace(c.Name)
			c.SuccessBeforePassing, c.FailuresBeforeCritical, c.FailuresBeforeWarning =
				atLeast(c.SuccessBeforePassing, 0), atLeast(c.FailuresBeforeCritical, 0), atLeast(c.FailuresBeforeWarning, 0)
		}
		s.CheckRestart = nil // the checks have it
	}
}

func atLeast(v, least int) int {
	if v < least {
		return least
	}
	return v
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
