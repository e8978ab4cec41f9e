package docker

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// Labels of a network that CreateNetwork made. The client reads the second too.
const (
	sandboxContainer = "docker_sandbox_container_id"
	sandboxHostname  = "docker_sandbox_hostname"
)

// grouped reports whether the task shares the network of its allocation.
func (s *spec) grouped() bool {
	return s.run.Network != nil && s.run.Network.Mode == drivers.NetworkGroup
}

// network chooses the task's network and what goes with it.
func (s *spec) network(h *container.HostConfig) error {
	t := s.task
	if s.grouped() {
		pause := s.run.Network.Labels[sandboxContainer]
		if pause == "" {
			return errors.New("the allocation's network was not made by this driver: the docker driver can not join the network " +
				"namespace of another; put the task into a group of its own")
		}
		if t.Hostname != "" {
			return errors.New("hostname can not be set for a task that shares its group's network; set it in the group's network block")
		}
		if t.NetworkMode != "" {
			return fmt.Errorf("network_mode %q can not be set for a task that shares its group's network; leave it out", t.NetworkMode)
		}
		h.NetworkMode = container.NetworkMode("container:" + pause)
		return nil // names are resolved by files that the driver writes
	}
	h.NetworkMode = container.NetworkMode(t.NetworkMode)
	if h.NetworkMode == "" {
		h.NetworkMode = "default"
	}
	h.ExtraHosts = t.ExtraHosts
	if s.run.DNS != nil {
		return nil // resolv.conf is a file that the driver writes
	}
	for _, text := range t.DNSServers {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("dns_servers: %w", err)
		}
		h.DNS = append(h.DNS, addr)
	}
	h.DNSSearch, h.DNSOptions = t.DNSSearch, t.DNSOptions
	return nil
}

// published returns the ports that the task asks for, in its own order.
func (s *spec) published() ([]drivers.Port, error) {
	var out []drivers.Port
	wanted, inside := s.task.Ports, map[string]int64{}
	for _, m := range s.task.PortMap { // the older spelling says where they lead to
		maps.Copy(inside, m)
	}
	wanted = append(slices.Clone(wanted), slices.Sorted(maps.Keys(inside))...)
	for _, label := range wanted {
		found := false
		for _, p := range s.run.Resources.Ports {
			if p.Label == label {
				if to, ok := inside[label]; ok {
					p.To = int(to)
				}
				out, found = append(out, p), true
			}
		}
		if !found {
			return nil, fmt.Errorf("port %q not found, check network block: it has %v", label, labels(s.run.Resources.Ports))
		}
	}
	return out, nil
}

func labels(ports []drivers.Port) []string {
	out := make([]string, len(ports))
	for i, p := range ports {
		out[i] = p.Label
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inside is the port that the task listens on.
func inside(p drivers.Port) int {
	if p.To > 0 {
		return p.To
	}
	return p.Value
}

// ports publishes the task's ports on the host. The ports of a group's network
// are published by who made it.
func (s *spec) ports(out *client.ContainerCreateOptions) error {
	ports, err := s.published()
	if err != nil || len(ports) == 0 || s.grouped() {
		return err
	}
	if out.HostConfig.NetworkMode.IsContainer() {
		return errors.New("ports can not be published for a task in the network of another container")
	}
	if out.HostConfig.NetworkMode.IsHost() {
		return nil // whoever listens there is reached as it is
	}
	out.Config.ExposedPorts = network.PortSet{}
	out.HostConfig.PortBindings = network.PortMap{}
	for _, p := range ports {
		b := network.PortBinding{HostPort: strconv.Itoa(p.Value)}
		if p.HostIP != "" {
			if b.HostIP, err = netip.ParseAddr(p.HostIP); err != nil {
				return fmt.Errorf("port %q: host address: %w", p.Label, err)
			}
		}
		for _, proto := range []network.IPProtocol{network.TCP, network.UDP} {
			in, ok := network.PortFrom(uint16(inside(p)), proto)
			if !ok {
				return fmt.Errorf("port %q: %d is no port", p.Label, inside(p))
			}
			out.Config.ExposedPorts[in] = struct{}{}
			out.HostConfig.PortBindings[in] = append(out.HostConfig.PortBindings[in], b)
		}
	}
	return nil
}

// override says how the task is reached in the network that the engine made,
// nil when there is none.
func (s *spec) override(c *container.InspectResponse) *drivers.NetworkOverride {
	if s.grouped() || c.NetworkSettings == nil {
		return nil
	}
	ports, err := s.published()
	if err != nil {
		return nil // refused before
	}
	out := &drivers.NetworkOverride{}
	for name, e := range c.NetworkSettings.Networks {
		if e == nil || !e.IPAddress.IsValid() && !e.GlobalIPv6Address.IsValid() {
			continue
		}
		out.AutoAdvertise = name != "bridge" && name != "nat"
		if e.IPAddress.IsValid() {
			out.Addr = e.IPAddress.String()
		}
		if out.Addr == "" || s.task.AdvertiseIPv6 && e.GlobalIPv6Address.IsValid() {
			out.Addr = e.GlobalIPv6Address.String()
		}
		out.AutoAdvertise = out.AutoAdvertise || s.task.AdvertiseIPv6
	}
	if out.Addr == "" {
		return nil
	}
	for _, p := range ports {
		if out.PortMap == nil {
			out.PortMap = map[string]int{}
		}
		out.PortMap[p.Label] = inside(p)
	}
	return out
}
