package admission

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// connect checks how a service joins the mesh; see the job specification
// reference, 3.14.
func (c *checks) connect(g *n.Group, t *n.Task, s *n.Service) {
	x := s.Connect
	if x == nil {
		return
	}
	if known := placeholder.ReplaceAllString(s.Name, ""); x.SidecarService != nil && known != strings.ToLower(known) {
		c.add("Name", "the name of a service with a sidecar must be in lower case")
	}
	if x.Native && s.TaskName != "" && g.Task(s.TaskName) == nil {
		c.add("TaskName", "the group has no task %q", s.TaskName)
	}
	c.in("connect", "Connect", func() {
		if t != nil {
			c.add("", "connect is for services of groups: move the service out of the task")
			return
		}
		if s.Provider != n.ProviderConsul {
			c.add("", "connect is for services of the provider consul: change provider, or remove the block")
		}
		ways := 0
		for _, there := range []bool{x.Native, x.SidecarService != nil, x.Gateway != nil} {
			if there {
				ways++
			}
		}
		if ways != 1 {
			c.add("", "write exactly one of native = true, sidecar_service and gateway")
			return
		}
		switch {
		case x.Native:
			c.native(g, s)
		case x.SidecarService != nil:
			c.sidecar(g, x.SidecarService)
		default:
			c.gateway(g, s, x.Gateway)
		}
		if x.SidecarTask != nil {
			c.sidecarTask(g, x.SidecarTask)
		}
	})
}

// sidecarTask checks what is written of the task that will be added.
func (c *checks) sidecarTask(g *n.Group, by *n.SidecarTask) {
	c.in("sidecar_task", "SidecarTask", func() {
		t := proxyTask(g, kindProxy, "", "")
		override(&t, by)
		if by.Name != "" && g.Task(by.Name) != nil && g.Task(by.Name).Kind == "" {
			c.add("Name", "the group has another task %q", by.Name)
		}
		c.task(g, &t)
	})
}

func (c *checks) native(g *n.Group, s *n.Service) {
	if s.PortLabel == "" {
		c.add("Native", "a native service needs port = \"<label>\"")
	}
	if s.TaskName == "" && len(g.Tasks) != 1 {
		c.add("Native", "a native service of a group with several tasks needs task = \"<name>\"")
	}
}

func (c *checks) sidecar(g *n.Group, x *n.SidecarService) {
	c.in("sidecar_service", "SidecarService", func() {
		if g.Name != strings.ToLower(g.Name) {
			c.add("", "the name of a group with a sidecar must be in lower case: %q", strings.ToLower(g.Name))
		}
		if !isolated(g) {
			c.add("", "the group needs exactly one network block, with mode = \"bridge\" or \"cni/<name>\"")
		}
		if p := x.Proxy; p != nil {
			for i, u := range p.Upstreams {
				if u.MeshGateway != nil {
					at := "Proxy." + element("Upstreams", i) + ".MeshGateway.Mode"
					c.oneOf(at, "upstreams.mesh_gateway.mode", u.MeshGateway.Mode, "", "local", "remote", "none")
				}
			}
			if p.TransparentProxy != nil {
				c.transparent(g, p.TransparentProxy)
			}
		}
	})
}

func (c *checks) transparent(g *n.Group, p *n.TransparentProxy) {
	c.in("transparent_proxy", "Proxy.TransparentProxy", func() {
		if _, err := strconv.ParseUint(p.UID, 10, 16); p.UID != "" && err != nil {
			c.add("UID", "uid %q must be a number between 0 and 65535", p.UID)
		}
		for _, uid := range p.ExcludeUIDs {
			if _, err := strconv.ParseUint(uid, 10, 16); err != nil {
				c.add("ExcludeUIDs", "exclude_uids: %q must be a number between 0 and 65535", uid)
			}
		}
		for _, cidr := range p.ExcludeOutboundCIDRs {
			if _, err := netip.ParsePrefix(cidr); err != nil {
				c.add("ExcludeOutboundCIDRs", "exclude_outbound_cidrs: %q must be a range of addresses such as \"10.0.0.0/8\"", cidr)
			}
		}
		for _, port := range p.ExcludeInboundPorts {
			if _, err := strconv.ParseUint(port, 10, 16); err == nil {
				continue
			}
			if !slices.ContainsFunc(g.Networks, func(w n.Network) bool {
				return slices.ContainsFunc(w.ReservedPorts, func(p n.Port) bool { return p.Label == port })
			}) {
				c.add("ExcludeInboundPorts", "exclude_inbound_ports: %q is neither a number nor the label of a static port", port)
			}
		}
		if slices.ContainsFunc(g.Networks, func(w n.Network) bool { return w.DNS != nil }) && !p.NoDNS {
			c.add("NoDNS", "the network's dns block needs no_dns = true: the proxy would answer names itself")
		}
	})
}

func (c *checks) gateway(g *n.Group, s *n.Service, x *n.Gateway) {
	c.in("gateway", "Gateway", func() {
		if !isolated(g) && (len(g.Networks) != 1 || g.Networks[0].Mode != "host") {
			c.add("", "the group needs exactly one network block, with mode = \"bridge\", \"host\" or \"cni/<name>\"")
		}
		if p := x.Proxy; p != nil {
			c.oneOf("Proxy.EnvoyDNSDiscoveryType", "proxy.envoy_dns_discovery_type", p.EnvoyDNSDiscoveryType, "", "STRICT_DNS", "LOGICAL_DNS")
			for _, name := range slices.Sorted(maps.Keys(p.EnvoyGatewayBindAddresses)) {
				a := p.EnvoyGatewayBindAddresses[name]
				at := "Proxy.EnvoyGatewayBindAddresses[" + name + "]"
				if a.Address == "" {
					c.add(at, "bind address %q has no address", name)
				}
				if a.Port < 1 && a.Port != -1 {
					c.add(at, "bind address %q: port is %d and must be -1 or more than 0", name, a.Port)
				}
			}
		}
		kinds := 0
		if x.Ingress != nil {
			kinds++
			c.ingress(x.Ingress)
		}
		if x.Terminating != nil {
			kinds++
			c.terminating(x.Terminating)
		}
		if x.Mesh != nil {
			kinds++
			if s.PortLabel == "" {
				c.add("Mesh", "the service of a mesh gateway needs port = \"<label>\"")
			}
		}
		if kinds != 1 {
			c.add("", "write exactly one of ingress, terminating and mesh")
		}
	})
}

func (c *checks) ingress(x *n.IngressGateway) {
	if len(x.Listeners) == 0 {
		c.add("Ingress", "ingress needs a listener block")
	}
	for i, l := range x.Listeners {
		c.in(called("ingress listener", "", i), "Ingress."+element("Listeners", i), func() {
			if l.Port < 1 {
				c.add("Port", "port is %d and must be more than 0", l.Port)
			}
			c.oneOf("Protocol", "protocol", l.Protocol, "tcp", "http", "http2", "grpc")
			if len(l.Services) == 0 {
				c.add("", "it needs a service block")
			}
			for k, s := range l.Services {
				at := element("Services", k)
				switch {
				case s.Name == "":
					c.add(at, "a service needs a name")
				case l.Protocol == "tcp" && s.Name == "*":
					c.add(at, "protocol tcp needs a service by name, not \"*\"")
				case l.Protocol == "tcp" && len(s.Hosts) > 0:
					c.add(at, "protocol tcp knows no hosts")
				case s.Name == "*" && len(s.Hosts) > 0:
					c.add(at, "the service \"*\" has no hosts")
				}
			}
		})
	}
}

func (c *checks) terminating(x *n.TerminatingGateway) {
	if len(x.Services) == 0 {
		c.add("Terminating", "terminating needs a service block")
	}
	for i, s := range x.Services {
		c.in(called("terminating service", s.Name, i), "Terminating."+element("Services", i), func() {
			if s.Name == "" {
				c.add("Name", "name is missing")
			}
			if s.CAFile == "" && (s.CertFile != "" || s.KeyFile != "" || s.SNI != "") {
				c.add("CAFile", "cert_file, key_file and sni need ca_file")
			}
			if s.CertFile != "" && s.KeyFile == "" {
				c.add("CertFile", "cert_file needs key_file")
			}
			if s.CertFile == "" && s.KeyFile != "" {
				c.add("KeyFile", "key_file needs cert_file")
			}
		})
	}
}

// mesh checks the services of a group that join the mesh together.
func (c *checks) mesh(g *n.Group) {
	binds := map[string]string{}
	joined, transparent := 0, false
	for i := range g.Services {
		x := g.Services[i].Connect
		if x == nil {
			continue
		}
		joined++
		if x.SidecarService == nil || x.SidecarService.Proxy == nil {
			continue
		}
		p := x.SidecarService.Proxy
		transparent = transparent || p.TransparentProxy != nil
		for k, u := range p.Upstreams {
			at := "port " + strconv.Itoa(u.LocalBindPort)
			if u.LocalBindAddress != "" {
				at += " of " + u.LocalBindAddress
			}
			if u.LocalBindSocketPath != "" {
				at = u.LocalBindSocketPath
			}
			if other, taken := binds[at]; taken && at != "port 0" {
				c.add(element("Services", i)+".Connect.SidecarService.Proxy."+element("Upstreams", k), "the upstreams %q and %q both listen on %s: give each a local_bind_port of its own", other, u.DestinationName, at)
			}
			binds[at] = u.DestinationName
		}
	}
	if transparent && joined > 1 {
		c.add("Services", "transparent_proxy takes all traffic of the group: no other of its services can have a connect block")
	}
}

// Kinds of tasks that stand for a service in the mesh; see nomadlike.Task.
const (
	kindProxy       = "connect-proxy"
	kindNative      = "connect-native"
	kindIngress     = "connect-ingress"
	kindTerminating = "connect-terminating"
	kindMesh        = "connect-mesh"
)

func (c *checks) taskKind(g *n.Group, t *n.Task) {
	if t.Kind == "" {
		return
	}
	kind, service, _ := strings.Cut(t.Kind, ":")
	if !slices.Contains([]string{kindProxy, kindNative, kindIngress, kindTerminating, kindMesh}, kind) || service == "" {
		c.add("Kind", "kind %q is set by the servers for services with a connect block: leave it out", t.Kind)
		return
	}
	if kind != kindProxy {
		return
	}
	if !slices.ContainsFunc(g.Services, func(s n.Service) bool {
		return s.Name == service && s.Connect != nil && s.Connect.SidecarService != nil
	}) {
		c.add("Kind", "kind %q: the group has no service %q with a sidecar", t.Kind, service)
	}
	if len(t.Services) > 0 {
		c.add("Services", "a sidecar has no services of its own")
	}
	if t.Leader {
		c.add("Leader", "a sidecar can not be the leader")
	}
}
