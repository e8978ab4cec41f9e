package admission

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

var (
	placeholder = regexp.MustCompile(`\$\{[^}]*\}`)
	serviceName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)
)

// services checks the services of a task, or of the group if the task is nil; see
// the job specification reference, 3.13.
func (c *checks) services(g *n.Group, t *n.Task, list []n.Service) {
	for i := range list {
		s := &list[i]
		c.in(called("service", s.Name, i), element("Services", i), func() {
			x := &service{checks: c, Service: s, group: g, task: t}
			x.check()
			names := map[string]bool{}
			for k := range s.Checks {
				check := &s.Checks[k]
				name := check.Name
				if name == unnamedCheck(s) {
					name = ""
				}
				c.in(called("check", name, k), element("Checks", k), func() {
					if t != nil && names[check.Name] && check.Name != "" {
						c.add("Name", "the service has another check of this name: give each a name of its own")
					}
					names[check.Name] = true
					x.healthCheck(check)
				})
			}
			c.connect(g, t, s)
		})
	}
}

// A service is one with what it belongs to.
type service struct {
	*checks
	*n.Service
	group *n.Group
	task  *n.Task // nil: the group
}

func (c *service) check() {
	if !serviceName.MatchString(placeholder.ReplaceAllString(c.Name, "x")) {
		c.add("Name", "a service's name must have 1 to 63 letters, digits and -, with no - at its ends")
	}
	c.oneOf("Provider", "provider", c.Provider, n.ProviderConsul, n.ProviderNomad)
	c.mode("AddressMode", c.AddressMode, "auto", "host", "driver", "alloc", "alloc_ipv6")
	if strings.HasPrefix(c.AddressMode, "alloc") && c.task != nil {
		c.add("AddressMode", "address_mode %s is for services of groups", c.AddressMode)
	}
	if c.Address != "" && c.AddressMode != "auto" {
		c.add("Address", "address goes with address_mode = \"auto\" only, not with %q", c.AddressMode)
	}
	c.oneOf("OnUpdate", "on_update", c.OnUpdate, "require_healthy", "ignore_warnings", "ignore")
	c.oneOf("Kind", "kind", c.Kind, "", "api-gateway", "ingress-gateway", "mesh-gateway", "terminating-gateway")
	if c.Cluster != "default" && c.Cluster != "" {
		c.add("Cluster", "cluster %q: there is one Consul, \"default\": leave cluster out", c.Cluster)
	}
	if c.task != nil {
		if c.TaskName != "" && c.TaskName != c.task.Name {
			c.add("TaskName", "task %q: a service of a task belongs to that task; write the service in the group to name another", c.TaskName)
		}
		if c.PortLabel != "" {
			c.port("PortLabel", c.PortLabel, c.AddressMode)
		}
	}
	if id := c.Identity; id != nil {
		if len(id.Audience) == 0 {
			c.add("Identity.Audience", "identity.aud is missing: write aud = [\"consul.io\"] or whom the token is for")
		}
		if c.Provider != n.ProviderConsul {
			c.add("Identity", "identity is for services of the provider consul")
		}
		c.in("identity", "Identity", func() { c.oneIdentity(id) })
	}
}

// mode checks where the address of a service or check comes from.
func (c *service) mode(field, mode string, allowed ...string) {
	c.oneOf(field, "address_mode", mode, allowed...)
	if mode == "driver" && c.task == nil {
		c.add(field, "address_mode driver is for services of tasks: a group has no driver")
	}
}

// port checks the port of a task's service or check.
func (c *service) port(field, label, mode string) {
	if strings.Contains(label, "${") {
		return
	}
	if _, err := strconv.Atoi(label); err == nil {
		if mode != "driver" {
			c.add(field, "port %q is a number: write the label of a port of the group's network, or address_mode = \"driver\"", label)
		}
		return
	}
	var networks []n.Network
	if len(c.group.Networks) > 0 {
		networks = append(networks, c.group.Networks[0])
	}
	if r := c.task.Resources; r != nil {
		networks = append(networks, r.Networks...)
	}
	var labels []string
	for i := range networks {
		for _, p := range networks[i].AllPorts() {
			labels = append(labels, p.Label)
		}
	}
	switch {
	case slices.Contains(labels, label):
	case len(labels) == 0:
		c.add(field, "port %q is not there: write network { port %q {} } in the group", label, label)
	default:
		c.add(field, "port %q is none of the network's ports: %s", label, strings.Join(labels, ", "))
	}
}

// healthCheck checks a check.
func (c *service) healthCheck(k *n.Check) {
	consul := c.Provider == n.ProviderConsul
	if consul {
		c.oneOf("Type", "type", k.Type, "http", "tcp", "grpc", "script")
	} else {
		c.oneOf("Type", "type", k.Type, "http", "tcp")
	}
	for _, d := range []struct {
		field, name string
		value       time.Duration
	}{{"Interval", "interval", k.Interval}, {"Timeout", "timeout", k.Timeout}} {
		switch {
		case d.value == 0:
			c.add(d.field, "%s is missing: write one such as \"10s\"", d.name)
		case d.value < time.Microsecond && d.value > 0:
			c.add(d.field, "%s is %d nanoseconds and must be at least 1s: write the unit, as in \"%ds\"", d.name, d.value.Nanoseconds(), d.value.Nanoseconds())
		case d.value < time.Second:
			c.add(d.field, "%s is %s and must be at least 1s", d.name, d.value)
		}
	}
	c.mode("AddressMode", k.AddressMode, "", "host", "driver", "alloc", "alloc_ipv6")
	if k.AddressMode == "driver" && !consul && c.task != nil {
		c.add("AddressMode", "address_mode driver is for checks of the provider consul")
	}
	c.oneOf("InitialStatus", "initial_status", k.InitialStatus, "", "passing", "warning", "critical")
	c.byType(k, consul)
	c.onUpdate(k, consul)
	if !consul {
		c.consulOnly(k)
	}
	if len(k.Notes) > 255 && consul {
		c.add("Notes", "notes has %d bytes, and may have 255", len(k.Notes))
	}
	if r := k.CheckRestart; r != nil {
		c.positive("CheckRestart.Limit", "check_restart.limit", r.Limit)
		if r.Grace < 0 {
			c.add("CheckRestart.Grace", "check_restart.grace is %s and must not be negative", r.Grace)
		}
	}
	if k.Expose {
		c.exposed(k)
	}
}

// byType checks what the types of checks need.
func (c *service) byType(k *n.Check, consul bool) {
	if k.Type == "script" {
		if k.Command == "" {
			c.add("Command", "a script check needs a command")
		}
		c.script(k)
		c.thresholds(k)
		return
	}
	if k.PortLabel == "" && c.PortLabel == "" && !k.Expose && slices.Contains([]string{"http", "tcp", "grpc"}, k.Type) {
		c.add("PortLabel", "a check of type %s needs a port: write port = \"<label>\" in it or in the service", k.Type)
	}
	if k.PortLabel != "" && c.task != nil {
		mode := k.AddressMode
		if mode == "" {
			mode = c.AddressMode
		}
		c.port("PortLabel", k.PortLabel, mode)
	}
	if k.Type == "tcp" && c.Connect != nil && c.Connect.SidecarService != nil {
		c.add("Type", "a tcp check of a service with a sidecar would check the sidecar, not the service")
	}
	if k.Type != "http" {
		return
	}
	switch u, err := url.Parse(k.Path); {
	case k.Path == "":
		c.add("Path", "an http check needs a path, such as \"/health\"")
	case err != nil && !strings.Contains(k.Path, "${"):
		c.add("Path", "path %q can not be read: %v", k.Path, err)
	case err == nil && u.IsAbs():
		c.add("Path", "path %q must be relative: the address is the service's", k.Path)
	}
	methods := []string{
		"", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace,
	}
	if !consul && !strings.Contains(k.Method, "${") {
		c.oneOf("Method", "method", k.Method, methods...)
	}
}

// thresholds says what scripts, whose answers the nodes count, can not have.
func (c *service) thresholds(k *n.Check) {
	for _, x := range []struct {
		value       int
		field, name string
	}{
		{k.SuccessBeforePassing, "SuccessBeforePassing", "success_before_passing"},
		{k.FailuresBeforeCritical, "FailuresBeforeCritical", "failures_before_critical"},
		{k.FailuresBeforeWarning, "FailuresBeforeWarning", "failures_before_warning"},
	} {
		if x.value > 0 {
			c.add(x.field, "%s is for checks of type http, tcp and grpc, not for scripts", x.name)
		}
	}
}

// script checks in which task a script runs.
func (c *service) script(k *n.Check) {
	if c.task != nil {
		return
	}
	name := k.TaskName
	if name == "" {
		name = c.TaskName
	}
	switch {
	case name == "":
		c.add("TaskName", "a script check of a group needs task, to know where it runs")
	case c.group.Task(name) == nil:
		c.add("TaskName", "the group has no task %q", name)
	}
}

func (c *service) onUpdate(k *n.Check, consul bool) {
	c.oneOf("OnUpdate", "on_update", k.OnUpdate, "", "require_healthy", "ignore_warnings", "ignore")
	switch {
	case k.OnUpdate == "ignore" && k.CheckRestart != nil:
		c.add("OnUpdate", "on_update ignore and check_restart exclude each other")
	case k.OnUpdate == "ignore_warnings" && !consul:
		c.add("OnUpdate", "on_update ignore_warnings is for checks of the provider consul")
	case k.OnUpdate == "ignore_warnings" && k.CheckRestart != nil && !k.CheckRestart.IgnoreWarnings:
		c.add("OnUpdate", "on_update ignore_warnings needs check_restart to have ignore_warnings = true")
	}
}

// consulOnly says what checks of the built-in catalogue can not have.
func (c *service) consulOnly(k *n.Check) {
	for _, x := range []struct {
		there       bool
		field, name string
	}{
		{k.TLSServerName != "", "TLSServerName", "tls_server_name"},
		{k.SuccessBeforePassing > 0, "SuccessBeforePassing", "success_before_passing"},
		{k.FailuresBeforeCritical > 0, "FailuresBeforeCritical", "failures_before_critical"},
		{k.FailuresBeforeWarning > 0, "FailuresBeforeWarning", "failures_before_warning"},
		{k.CheckRestart != nil && k.CheckRestart.IgnoreWarnings, "CheckRestart.IgnoreWarnings", "check_restart.ignore_warnings"},
		{k.Expose, "Expose", "expose"},
	} {
		if x.there {
			c.add(x.field, "%s is for checks of the provider consul", x.name)
		}
	}
}

// exposed checks a check that goes through the sidecar's listener.
func (c *service) exposed(k *n.Check) {
	if c.Provider != n.ProviderConsul {
		return // see consulOnly
	}
	if k.Type != "http" && k.Type != "grpc" {
		c.add("Expose", "expose is for checks of type http and grpc")
	}
	if c.task != nil || c.Connect == nil || c.Connect.SidecarService == nil {
		c.add("Expose", "expose needs a service of the group with a sidecar")
		return
	}
	if !isolated(c.group) {
		c.add("Expose", "expose needs a network of mode bridge or cni/<name>")
	}
}

// isolated reports a group with one network, in which its allocations are alone.
func isolated(g *n.Group) bool {
	return len(g.Networks) == 1 && (g.Networks[0].Mode == "bridge" || strings.HasPrefix(g.Networks[0].Mode, "cni/"))
}

// providers checks the services of a group and its tasks together.
func (c *checks) providers(g *n.Group) {
	type key struct{ task, name, port string }
	seen, provider, told := map[key]bool{}, "", false
	look := func(task, path string, list []n.Service) {
		for i, s := range list {
			at := path + element("Services", i)
			if provider == "" {
				provider = s.Provider
			}
			if s.Provider != provider && !told {
				told = true
				c.add(at+".Provider", "the providers of the services differ, %s and %s: those of a group and its tasks must share one", provider, s.Provider)
			}
			k := key{task, s.Name, s.PortLabel}
			if seen[k] && s.PortLabel == "" {
				c.add(at, "service %q is there twice: give each a name of its own", s.Name)
			} else if seen[k] {
				c.add(at, "service %q with port %q is there twice: give each a name or port of its own", s.Name, s.PortLabel)
			}
			seen[k] = true
		}
	}
	look("", "", g.Services)
	for i := range g.Tasks {
		look("task "+g.Tasks[i].Name, element("Tasks", i)+".", g.Tasks[i].Services)
	}
}
