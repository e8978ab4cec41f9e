package admission

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// connect adds the tasks and ports that services in the mesh need; see the job
// specification reference, 5.3. What is there already, as in a job that was
// inspected and is registered again, stays.
func connect(job *n.Job) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		if len(g.Networks) == 0 {
			continue
		}
		for k := range g.Services {
			s := &g.Services[k]
			x := s.Connect
			if x == nil {
				continue
			}
			switch {
			case x.Native:
				native(g, s)
			case x.SidecarService != nil:
				s.Name = named(s.Name, job, g)
				sidecar(g, s)
			case x.Gateway != nil:
				gateway(g, s)
			}
		}
	}
}

// named replaces what is known of a service's name before it runs.
func named(name string, job *n.Job, g *n.Group) string {
	return strings.NewReplacer(
		"${NOMAD_JOB_NAME}", job.Name, "${NOMAD_JOB_ID}", string(job.ID), "${NOMAD_GROUP_NAME}", g.Name,
		"${NOMAD_NAMESPACE}", job.Namespace, "${NOMAD_REGION}", job.Region,
	).Replace(name)
}

func native(g *n.Group, s *n.Service) {
	if s.TaskName == "" && len(g.Tasks) == 1 {
		s.TaskName = g.Tasks[0].Name
	}
	if t := g.Task(s.TaskName); t != nil {
		t.Kind = kindNative + ":" + s.Name
	}
}

func sidecar(g *n.Group, s *n.Service) {
	name := kindProxy + "-" + s.Name
	if !hasKind(g, kindProxy+":"+s.Name) {
		t := proxyTask(g, name, kindProxy+":"+s.Name, "${meta.connect.sidecar_image}")
		t.Lifecycle = &n.Lifecycle{Hook: n.HookPrestart, Sidecar: true}
		override(&t, s.Connect.SidecarTask)
		g.Tasks = append(g.Tasks, t)
	}
	if s.Connect.SidecarService.Port != "" {
		name = s.Connect.SidecarService.Port
	}
	needPort(&g.Networks[0], name)
}

func hasKind(g *n.Group, kind string) bool {
	return slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return t.Kind == kind })
}

// needPort adds a dynamic port that is the same inside, unless it is there.
func needPort(w *n.Network, label string) {
	if !slices.ContainsFunc(w.AllPorts(), func(p n.Port) bool { return p.Label == label }) {
		w.DynamicPorts = append(w.DynamicPorts, n.Port{Label: label, To: -1, HostNetwork: "default"})
	}
}

// proxyTask is a task that runs Envoy.
func proxyTask(g *n.Group, name, kind, image string) n.Task {
	if g.Task(name) != nil {
		name += "-" + digest(kind)
	}
	t := n.Task{}
	n.Defaults{Group: g}.Fill(&t)
	t.Name, t.Kind, t.Driver, t.ShutdownDelay = name, kind, "docker", 5*time.Second
	uses := func(driver string) bool {
		return slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return t.Driver == driver })
	}
	if uses("podman") && !uses("docker") {
		t.Driver = "podman"
	}
	t.Resources.CPU, t.Resources.MemoryMB = 250, 128
	t.LogConfig.MaxFiles, t.LogConfig.MaxFileSizeMB = 2, 2
	t.Config = config(map[string]any{
		"image": image,
		"args": []string{
			"-c", "${NOMAD_SECRETS_DIR}/envoy_bootstrap.json", "-l", "${meta.connect.log_level}",
			"--concurrency", "${meta.connect.proxy_concurrency}", "--disable-hot-restart",
		},
	})
	t.Constraints = []n.Constraint{
		{LTarget: "${attr.consul.version}", Operand: n.OpSemver, RTarget: ">= 1.8.0"},
		{LTarget: "${attr.consul.grpc}", Operand: n.OpGreater, RTarget: "0"},
	}
	completeTask(&t)
	return t
}

// config encodes what is known to be an object.
func config(m map[string]any) n.Raw {
	r, err := n.NewRaw(m)
	if err != nil {
		return nil
	}
	return r
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:3])
}

// override puts what a sidecar_task block says into a task.
func override(t *n.Task, by *n.SidecarTask) {
	if by == nil {
		return
	}
	set := func(to *string, v string) {
		if v != "" {
			*to = v
		}
	}
	merge := by.Driver == "" || by.Driver == t.Driver
	set(&t.Name, by.Name)
	set(&t.Driver, by.Driver)
	set(&t.User, by.User)
	set(&t.KillSignal, by.KillSignal)
	if base, err := t.Config.Map(); len(by.Config) > 0 || !merge {
		if !merge || err != nil {
			base = map[string]any{}
		}
		if over, err := by.Config.Map(); err == nil {
			maps.Copy(base, over)
		}
		t.Config = config(base)
	}
	for _, m := range []struct {
		to   *map[string]string
		from map[string]string
	}{{&t.Env, by.Env}, {&t.Meta, by.Meta}} {
		if *m.to == nil && len(m.from) > 0 {
			*m.to = map[string]string{}
		}
		maps.Copy(*m.to, m.from)
	}
	if by.Resources != nil {
		r := *by.Resources
		t.Resources = &r
	}
	if by.LogConfig != nil {
		l := *by.LogConfig
		t.LogConfig = &l
	}
	t.KillTimeout, t.ShutdownDelay = by.KillTimeout, by.ShutdownDelay
	t.VolumeMounts = append(t.VolumeMounts, by.VolumeMounts...)
	t.Identities = append(t.Identities, by.Identities...)
	completeTask(t)
}

// gateway adds the task of a gateway, and where it listens.
func gateway(g *n.Group, s *n.Service) {
	x := s.Connect.Gateway
	kind := map[bool]string{x.Ingress != nil: kindIngress, x.Terminating != nil: kindTerminating, x.Mesh != nil: kindMesh}[true]
	if !hasKind(g, kind+":"+s.Name) {
		t := proxyTask(g, kind+"-"+s.Name, kind+":"+s.Name, "${meta.connect.gateway_image}")
		if g.Networks[0].Mode == "host" {
			if m, err := t.Config.Map(); err == nil {
				m["network_mode"] = "host"
				t.Config = config(m)
			}
		}
		override(&t, s.Connect.SidecarTask)
		g.Tasks = append(g.Tasks, t)
	}
	w := &g.Networks[0]
	if kind == kindTerminating && s.PortLabel == "" {
		s.PortLabel = kind + "-" + s.Name
		needPort(w, s.PortLabel)
	}
	if kind == kindMesh {
		needPort(w, kind+"-"+s.Name+"-lan")
	}
	if w.Mode == "host" || w.Mode == "" {
		return
	}
	if x.Proxy == nil {
		x.Proxy = &n.GatewayProxy{}
		n.Defaults{}.Fill(x.Proxy)
	}
	if len(x.Proxy.EnvoyGatewayBindAddresses) > 0 || x.Proxy.EnvoyGatewayBindTaggedAddresses {
		return
	}
	x.Proxy.EnvoyGatewayNoDefaultBind = true
	x.Proxy.EnvoyGatewayBindAddresses = gatewayBinds(x)
}

// gatewayBinds are the addresses, within its own network, that a gateway listens on.
func gatewayBinds(x *n.Gateway) map[string]*n.GatewayBindAddress {
	out := map[string]*n.GatewayBindAddress{}
	add := func(name string, port int) {
		out[name] = &n.GatewayBindAddress{Name: name, Address: "0.0.0.0", Port: port}
	}
	switch {
	case x.Terminating != nil:
		add("default", -1)
	case x.Mesh != nil:
		add("wan", -1)
		add("lan", -1)
	default:
		for _, l := range x.Ingress.Listeners {
			for _, s := range l.Services {
				add(s.Name, l.Port)
			}
		}
	}
	return out
}

// expose opens the paths of checks in the sidecars' listeners; see the job
// specification reference, 5.1.
func expose(job *n.Job) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		for k := range g.Services {
			s := &g.Services[k]
			for m := range s.Checks {
				if c := &s.Checks[m]; c.Expose && strings.HasPrefix(c.Path, "/") {
					exposeCheck(g, s, c)
				}
			}
		}
	}
}

func exposeCheck(g *n.Group, s *n.Service, c *n.Check) {
	if c.PortLabel == "" {
		c.PortLabel = "svc_" + s.Name + "_ck_" + digest(c.Name+c.Type+c.Path)
		needPort(&g.Networks[0], c.PortLabel)
	}
	local := 0
	for _, p := range g.Networks[0].AllPorts() {
		if p.Label == s.PortLabel {
			local = p.Value
			if p.To > 0 {
				local = p.To
			}
		}
	}
	side := s.Connect.SidecarService
	if side.Proxy == nil {
		side.Proxy = &n.ConnectProxy{}
	}
	if side.Proxy.Expose == nil {
		side.Proxy.Expose = &n.Expose{}
	}
	path := n.ExposePath{Path: c.Path, Protocol: c.Protocol, LocalPathPort: local, ListenerPort: c.PortLabel}
	if !slices.Contains(side.Proxy.Expose.Paths, path) {
		side.Proxy.Expose.Paths = append(side.Proxy.Expose.Paths, path)
	}
}
