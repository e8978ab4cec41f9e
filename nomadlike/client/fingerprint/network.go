package fingerprint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-sockaddr"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// defaultSpeed in Mbit/s is said of interfaces that do not tell theirs.
const defaultSpeed = 1000

func network(_ context.Context, c *Config, node *n.Node) error {
	name, err := c.deviceName()
	if err != nil {
		return err
	}
	dev, err := net.InterfaceByName(name)
	if err != nil {
		return fmt.Errorf("network_interface %q: %w", name, err)
	}
	addrs, err := dev.Addrs()
	if err != nil {
		return err
	}
	speed := c.NetworkSpeed
	if speed == 0 {
		speed = speedOf(name)
	}
	ips := usable(addrs)
	if len(ips) == 0 {
		return fmt.Errorf("interface %q has no address", name)
	}
	put(node, "unique.network.ip-address", ips[0])
	host := n.NodeNetwork{Mode: "host", Device: name, MacAddress: dev.HardwareAddr.String(), Speed: speed}
	for _, ip := range ips {
		family := "ipv4"
		if ip.Is6() {
			family = "ipv6"
		}
		host.Addresses = append(host.Addresses, n.NodeAddress{Alias: "default", Address: ip.String(), Family: family})
		node.NodeResources.Networks = append(node.NodeResources.Networks, n.Network{
			Mode: "host", Device: name, CIDR: netip.PrefixFrom(ip, ip.BitLen()).String(), IP: ip.String(), MBits: speed,
		})
	}
	node.NodeResources.NodeNetworks = append(node.NodeResources.NodeNetworks, host)
	return nil
}

// deviceName is the interface that gives tasks their addresses.
func (c *Config) deviceName() (string, error) {
	if c.Interface != "" {
		return c.Interface, nil
	}
	if !c.Loopback {
		if routes, err := sockaddr.NewRouteInfo(); err == nil {
			if name, err := routes.GetDefaultInterfaceName(); err == nil && name != "" {
				return name, nil
			}
		}
		if name, err := firstUp(0); err == nil {
			return name, nil
		}
	}
	return firstUp(net.FlagLoopback)
}

// firstUp is the first interface that is up, with an address, and is loopback or
// not as asked.
func firstUp(loopback net.Flags) (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	for _, dev := range all {
		if dev.Flags&net.FlagUp == 0 || dev.Flags&net.FlagLoopback != loopback {
			continue
		}
		if addrs, err := dev.Addrs(); err == nil && len(usable(addrs)) > 0 {
			return dev.Name, nil
		}
	}
	return "", errors.New("no network interface with an address is up: name one with client.network_interface")
}

// usable are the addresses that others can dial, IPv4 first. Link-local ones are
// left out unless there are no others.
func usable(addrs []net.Addr) []netip.Addr {
	var four, six, local []netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		switch ip := p.Addr().Unmap(); {
		case ip.IsLinkLocalUnicast():
			local = append(local, ip)
		case ip.Is4():
			four = append(four, ip)
		default:
			six = append(six, ip)
		}
	}
	if found := slices.Concat(four, six); len(found) > 0 {
		return found
	}
	return local
}

// speedOf asks the kernel.
func speedOf(device string) int {
	b, err := os.ReadFile(filepath.Join("/sys/class/net", device, "speed"))
	if err != nil {
		return defaultSpeed
	}
	if v, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && v > 0 {
		return v
	}
	return defaultSpeed
}
