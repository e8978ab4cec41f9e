package admission

import (
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// imply adds the constraints that follow from what a job uses; see the job
// specification reference, 5.2.
func imply(job *n.Job, o Options) {
	var secrets []string
	for i := range job.TaskGroups {
		for _, t := range job.TaskGroups[i].Tasks {
			for _, s := range t.Secrets {
				secrets = append(secrets, s.Provider)
			}
		}
	}
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		partitions(g)
		if slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return t.Vault != nil }) {
			unlessSet(&g.Constraints, n.Constraint{LTarget: "${attr.vault.version}", Operand: n.OpSemver, RTarget: ">= 0.6.1"})
		}
		for _, provider := range secrets {
			unlessSet(&g.Constraints, n.Constraint{LTarget: "${attr.plugins.secrets." + provider + ".version}", Operand: n.OpIsSet})
		}
		if signals := signals(g); len(signals) > 0 {
			demand(&g.Constraints, n.Constraint{LTarget: "${attr.os.signals}", Operand: n.OpSetContains, RTarget: strings.Join(signals, ",")})
		}
		implyServices(g)
		implyNetworks(g)
		if hasIdentities(g, o) {
			demand(&g.Constraints, n.Constraint{LTarget: "${attr.nomad.version}", Operand: n.OpSemver, RTarget: ">= 1.7.0-a"})
		}
	}
}

// demand adds a constraint unless it is there.
func demand(list *[]n.Constraint, c n.Constraint) {
	if !slices.Contains(*list, c) {
		*list = append(*list, c)
	}
}

// unlessSet adds a constraint unless there is any on its attribute.
func unlessSet(list *[]n.Constraint, c n.Constraint) {
	if !slices.ContainsFunc(*list, func(o n.Constraint) bool { return o.LTarget == c.LTarget }) {
		*list = append(*list, c)
	}
}

func partitions(g *n.Group) {
	of := func(list *[]n.Constraint, c *n.Consul) {
		if c != nil && c.Partition != "" {
			demand(list, n.Constraint{LTarget: "${attr.consul.partition}", Operand: n.OpEqual, RTarget: c.Partition})
		}
	}
	of(&g.Constraints, g.Consul)
	for i := range g.Tasks {
		of(&g.Tasks[i].Constraints, g.Tasks[i].Consul)
	}
}

func signals(g *n.Group) (out []string) {
	for i := range g.Tasks {
		t := &g.Tasks[i]
		if t.KillSignal != "" {
			out = append(out, t.KillSignal)
		}
		for j := range t.Templates {
			if t.Templates[j].ChangeMode == "signal" {
				out = append(out, t.Templates[j].ChangeSignal)
			}
		}
		if t.Vault != nil && t.Vault.ChangeMode == "signal" {
			out = append(out, t.Vault.ChangeSignal)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func implyServices(g *n.Group) {
	consul := n.Constraint{LTarget: "${attr.consul.version}", Operand: n.OpSemver, RTarget: ">= 1.8.0"}
	catalogue := func(list []n.Service) {
		for _, s := range list {
			if s.Provider != n.ProviderNomad {
				continue
			}
			demand(&g.Constraints, n.Constraint{LTarget: "${attr.nomad.service_discovery}", Operand: n.OpEqual, RTarget: "true"})
			if len(s.Checks) > 0 {
				demand(&g.Constraints, n.Constraint{LTarget: "${attr.nomad.version}", Operand: n.OpSemver, RTarget: ">= 1.4.0"})
			}
		}
	}
	usesConsul := func(s n.Service) bool { return s.Provider == n.ProviderConsul }
	catalogue(g.Services)
	for i := range g.Tasks {
		catalogue(g.Tasks[i].Services)
	}
	if slices.ContainsFunc(g.Services, usesConsul) {
		unlessSet(&g.Constraints, consul)
	}
	for i := range g.Tasks {
		if slices.ContainsFunc(g.Tasks[i].Services, usesConsul) {
			unlessSet(&g.Tasks[i].Constraints, consul)
		}
	}
}

func implyNetworks(g *n.Group) {
	plugin := func(name, least string) {
		unlessSet(&g.Constraints, n.Constraint{LTarget: "${attr.plugins.cni.version." + name + "}", Operand: n.OpSemver, RTarget: ">= " + least})
	}
	if slices.ContainsFunc(g.Networks, func(w n.Network) bool { return w.Mode == "bridge" }) {
		for _, name := range []string{"bridge", "firewall", "host-local", "loopback", "portmap"} {
			plugin(name, "0.4.0")
		}
	}
	transparent := func(s n.Service) bool {
		x := s.Connect
		return x != nil && x.SidecarService != nil && x.SidecarService.Proxy != nil && x.SidecarService.Proxy.TransparentProxy != nil
	}
	if slices.ContainsFunc(g.Services, transparent) {
		plugin("consul-cni", "1.4.2")
		unlessSet(&g.Constraints, n.Constraint{LTarget: "${attr.nomad.version}", Operand: n.OpSemver, RTarget: ">= 1.8.0-dev"})
	}
}

// hasIdentities reports a group with identities of its own. Those that it was given
// when it was registered before do not count.
func hasIdentities(g *n.Group, o Options) bool {
	ofServices := func(list []n.Service, task string) bool {
		return slices.ContainsFunc(list, func(s n.Service) bool {
			if s.Identity == nil {
				return false
			}
			given := s
			given.Identity = nil
			serviceIdentity(&given, task, o.ConsulServiceIdentity)
			return !walk.Equal(given.Identity, s.Identity)
		})
	}
	return ofServices(g.Services, "") || slices.ContainsFunc(g.Tasks, func(t n.Task) bool {
		given := n.Task{Consul: t.Consul, Vault: t.Vault}
		taskIdentities(g, &given, o)
		return ofServices(t.Services, t.Name) || slices.ContainsFunc(t.Identities, func(id n.Identity) bool {
			return !slices.ContainsFunc(given.Identities, func(o n.Identity) bool { return walk.Equal(&o, &id) })
		})
	})
}
