package admission

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// defaultIdentity is the name of the identity that each task has.
const defaultIdentity = "default"

func (c *checks) vault(t *n.Task) {
	v := t.Vault
	if v == nil {
		return
	}
	c.in("vault", "Vault", func() {
		switch {
		case v.Cluster != "default" && v.Cluster != "":
			c.add("Cluster", "cluster %q: there is one Vault, \"default\": leave cluster out", v.Cluster)
		case !c.options.Vault:
			c.add("", "the servers know no Vault: enable the vault block in their configuration, or remove this one")
		}
		if v.Namespace != "" || c.job.VaultNamespace != "" {
			c.add("Namespace", "Vault namespaces are not supported: leave namespace out")
		}
		c.oneOf("ChangeMode", "change_mode", v.ChangeMode, "noop", "signal", "restart")
		if v.ChangeMode == "signal" && v.ChangeSignal == "" {
			c.add("ChangeSignal", "change_mode signal needs change_signal, such as \"SIGHUP\"")
		}
	})
}

func (c *checks) consul(x *n.Consul) {
	if x == nil {
		return
	}
	if x.Cluster != "default" && x.Cluster != "" {
		c.add("Consul.Cluster", "consul.cluster %q: there is one Consul, \"default\": leave cluster out", x.Cluster)
	}
}

// IsGiven reports the identity that a task is given which writes none.
func IsGiven(id *n.Identity) bool {
	return id != nil && walk.Equal(id, &n.Identity{Name: defaultIdentity, Audience: []string{serverAudience}})
}

// serverAudience is who tokens of the default identity are for: the servers.
const serverAudience = "nomadproject.io"

var secretName = regexp.MustCompile(`^[a-zA-Z0-9_]{1,128}$`)

func (c *checks) secrets(t *n.Task) {
	for i, s := range t.Secrets {
		c.in(called("secret", s.Name, i), element("Secrets", i), func() {
			if !secretName.MatchString(s.Name) {
				c.add("Name", "the name must have 1 to 128 letters, digits and _")
			}
			if slices.ContainsFunc(t.Secrets[:i], func(o n.Secret) bool { return o.Name == s.Name }) {
				c.add("Name", "the task has another secret of this name")
			}
			if s.Provider == "" {
				c.add("Provider", "provider is missing: nomad, vault or the name of a plugin")
			}
			if s.Path == "" {
				c.add("Path", "path is missing: write where the provider has the secret")
			}
			builtin := s.Provider == "nomad" || s.Provider == "vault"
			if strings.ContainsAny(s.Path, "(){}") && builtin {
				c.add("Path", "path %q must not contain ( ) { }", s.Path)
			}
			if s.Provider == "vault" && t.Vault == nil {
				c.add("Provider", "provider vault needs a vault block in the task")
			}
			if len(s.Config) > 0 && !builtin {
				c.add("Config", "config is for the providers nomad and vault; plugins take env")
			}
			if len(s.Env) > 0 && builtin {
				c.add("Env", "env is for plugins; provider %s takes config", s.Provider)
			}
			c.secretConfig(&s)
		})
	}
}

// secretConfig checks what the built-in providers take.
func (c *checks) secretConfig(s *n.Secret) {
	known := map[string]string{"nomad": "namespace", "vault": "engine"}[s.Provider]
	config, err := s.Config.Map()
	if known == "" || err != nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if key != known {
			c.add("Config", "config has an unknown argument %q: provider %s takes %s", key, s.Provider, known)
		}
	}
	switch v, _ := config[known].(string); {
	case config[known] == nil:
	case known == "engine":
		c.oneOf("Config", "config.engine", v, "kv", "kv_v2")
	case v == "":
		c.add("Config", "config.namespace must be the name of a namespace")
	case strings.ContainsAny(v, "(){}"):
		c.add("Config", "config.namespace %q must not contain ( ) { }", v)
	}
}

var identityName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

// identity checks the identities of a task.
func (c *checks) identity(t *n.Task) {
	if id := t.Identity; id != nil {
		c.in("identity", "Identity", func() {
			c.oneIdentity(id)
			if id.TTL != 0 {
				c.add("TTL", "ttl does not go with the default identity, which lasts as long as the allocation")
			}
		})
	}
	names := map[string]bool{}
	for i := range t.Identities {
		id := &t.Identities[i]
		c.in(called("identity", id.Name, i), element("Identities", i), func() {
			switch {
			case id.Name == "" || id.Name == defaultIdentity:
				c.add("Name", "the task has another default identity: give this one a name")
			case !identityName.MatchString(id.Name):
				c.add("Name", "the name must have 1 to 128 letters, digits, - and _")
			case names[id.Name]:
				c.add("Name", "the task has another identity of this name")
			}
			names[id.Name] = true
			c.oneIdentity(id)
		})
	}
}

func (c *checks) oneIdentity(id *n.Identity) {
	if slices.Contains(id.Audience, "") {
		c.add("Audience", "aud must not contain an empty name")
	}
	if id.Filepath != "" && !id.File {
		c.add("Filepath", "filepath needs file = true")
	}
	if leaves("x/" + id.Filepath) {
		c.add("Filepath", "filepath %q leads out of the allocation's directory", id.Filepath)
	}
	c.oneOf("ChangeMode", "change_mode", id.ChangeMode, "", "noop", "restart", "signal")
	if id.ChangeMode == "signal" && id.ChangeSignal == "" {
		c.add("ChangeMode", "change_mode signal needs change_signal, such as \"SIGHUP\"")
	}
	if id.ChangeMode != "signal" && id.ChangeSignal != "" {
		c.add("ChangeSignal", "change_signal needs change_mode = \"signal\"")
	}
	if id.TTL < 0 {
		c.add("TTL", "ttl is %s and must not be negative", id.TTL)
	}
}

// identities adds those that follow from the servers' configuration; see the job
// specification reference, 5.4.
func identities(job *n.Job, o Options) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		for j := range g.Services {
			serviceIdentity(&g.Services[j], "", o.ConsulServiceIdentity)
		}
		for j := range g.Tasks {
			t := &g.Tasks[j]
			for k := range t.Services {
				serviceIdentity(&t.Services[k], t.Name, o.ConsulServiceIdentity)
			}
			taskIdentities(g, t, o)
		}
	}
}

func taskIdentities(g *n.Group, t *n.Task, o Options) {
	if x := t.Consul; x != nil || g.Consul != nil {
		if x == nil {
			x = g.Consul
		}
		taskIdentity(t, "consul_"+x.Cluster, o.ConsulTaskIdentity)
	}
	if t.Vault != nil {
		taskIdentity(t, "vault_"+t.Vault.Cluster, o.VaultTaskIdentity)
	}
}

func serviceIdentity(s *n.Service, task string, from *n.Identity) {
	if s.Provider != n.ProviderConsul || s.Identity == nil && from == nil {
		return
	}
	id := n.Identity{}
	if s.Identity != nil {
		id = *s.Identity
	} else {
		id = *from
	}
	name := s.Name + "-" + s.PortLabel
	if task != "" {
		name = task + "-" + name
	}
	id.Name, id.ServiceName = "consul-service_"+name, s.Name
	s.Identity = &id
}

func taskIdentity(t *n.Task, name string, from *n.Identity) {
	if from == nil || slices.ContainsFunc(t.Identities, func(o n.Identity) bool { return o.Name == name }) {
		return
	}
	id := *from
	id.Name = name
	t.Identities = append(t.Identities, id)
}
