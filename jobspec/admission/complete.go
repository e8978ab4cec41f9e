package admission

import (
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// complete fills in what only the servers know or what follows from the rest;
// all other defaults were there before the job was decoded.
func complete(job *n.Job, o Options) {
	otherwise(&job.Namespace, n.DefaultNamespace)
	otherwise(&job.NodePool, n.DefaultNodePool)
	if len(job.Datacenters) == 0 {
		job.Datacenters = []string{"*"}
	}
	otherwise(&job.Priority, o.DefaultPriority)
	if p := job.Periodic; p != nil && len(p.Specs) == 0 {
		p.Specs = nil
	}
	if p := job.ParameterizedJob; p != nil {
		otherwise(&p.Payload, "optional")
	}
	operators(job.Constraints, job.Affinities)
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		operators(g.Constraints, g.Affinities)
		hostNetworks(g.Networks)
		if g.Scaling != nil {
			g.Scaling.Aim(job.Key(), g.Name)
		}
		completeServices(job, g, nil, g.Services)
		if g.Consul != nil {
			otherwise(&g.Consul.Cluster, "default")
			otherwise(&g.Consul.Namespace, job.ConsulNamespace)
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
	operators(t.Constraints, t.Affinities)
	if p := t.CSIPluginConfig; p != nil {
		otherwise(&p.MountDir, "/csi")
		otherwise(&p.StagePublishBaseDir, "/local/csi")
		otherwise(&p.HealthTimeout, 30*time.Second)
	}
	for k := range t.Templates {
		upper(&t.Templates[k].ChangeSignal)
		if x := t.Templates[k].ChangeScript; x != nil && len(x.Args) == 0 {
			x.Args = nil
		}
	}
	if t.Vault != nil {
		upper(&t.Vault.ChangeSignal)
		otherwise(&t.Vault.Cluster, "default")
	}
	if t.Consul != nil {
		otherwise(&t.Consul.Cluster, "default")
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
		if r.NUMA != nil {
			otherwise(&r.NUMA.Affinity, "none")
		}
		for k := range r.Devices {
			operators(r.Devices[k].Constraints, r.Devices[k].Affinities)
		}
		for _, mb := range []**int{&r.MemoryMaxMB, &r.SecretsMB} {
			if *mb == nil {
				*mb = new(int)
			}
		}
	}
}

func operators(constraints []n.Constraint, affinities []n.Affinity) {
	for i := range constraints {
		otherwise(&constraints[i].Operand, n.OpEqual)
	}
	for i := range affinities {
		otherwise(&affinities[i].Operand, n.OpEqual)
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
		otherwise(&s.Provider, n.ProviderConsul)
		otherwise(&s.AddressMode, "auto")
		otherwise(&s.OnUpdate, "require_healthy")
		otherwise(&s.Cluster, "default")
		if x := s.Connect; x != nil && x.Gateway != nil && x.Gateway.Ingress != nil {
			for k := range x.Gateway.Ingress.Listeners {
				otherwise(&x.Gateway.Ingress.Listeners[k].Protocol, "tcp")
			}
		}
		s.Name = names.Replace(s.Name)
		if t != nil && s.TaskName == "" {
			s.TaskName = t.Name
		}
		s.Namespace = n.DefaultNamespace
		if s.Provider == n.ProviderNomad {
			s.Namespace = job.Namespace
		}
		if w := s.Weights; w != nil {
			w.Passing, w.Warning = max(w.Passing, 1), max(w.Warning, 1)
		}
		for k := range s.Checks {
			c := &s.Checks[k]
			otherwise(&c.Name, unnamedCheck(s))
			c.Name = names.Replace(c.Name)
			otherwise(&c.OnUpdate, s.OnUpdate)
			mergeRestart(s.CheckRestart, &c.CheckRestart)
			c.SuccessBeforePassing, c.FailuresBeforeCritical, c.FailuresBeforeWarning =
				max(c.SuccessBeforePassing, 0), max(c.FailuresBeforeCritical, 0), max(c.FailuresBeforeWarning, 0)
		}
		s.CheckRestart = nil // the checks have it
	}
}

// unnamedCheck is what checks of a service are called that are given no name.
func unnamedCheck(s *n.Service) string { return `service: "` + s.Name + `" check` }

// mergeRestart gives a check what its service says for all checks and it does not
// say itself. A grace of its own cannot be told from the default if it is the same.
func mergeRestart(all *n.CheckRestart, own **n.CheckRestart) {
	if all == nil {
		return
	}
	merged := *all
	if c := *own; c != nil {
		var unset n.CheckRestart
		n.Defaults{}.Fill(&unset)
		if c.Limit > 0 {
			merged.Limit = c.Limit
		}
		if c.Grace != unset.Grace {
			merged.Grace = c.Grace
		}
		merged.IgnoreWarnings = merged.IgnoreWarnings || c.IgnoreWarnings
	}
	*own = &merged
}

// otherwise fills in what clients of the API leave empty.
func otherwise[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
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
