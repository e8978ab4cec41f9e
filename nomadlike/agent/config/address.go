package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-sockaddr/template"
)

// Endpoints are what an agent listens on, each as host:port.
type Endpoints struct {
	HTTP      []string
	RPC, Serf string
}

// Listen resolves what to listen on.
func (c *Config) Listen() (Endpoints, error) {
	var e Endpoints
	var errs Errors
	fail := func(path string, err error) {
		if err != nil {
			errs = append(errs, fmt.Sprintf("%s%s: %v", c.at(path), path, err))
		}
	}
	base, err := expandOne(c.BindAddr)
	fail("bind_addr", err)
	hosts, err := expand(or(c.Addresses.HTTP, base))
	fail("addresses.http", err)
	for _, host := range hosts {
		e.HTTP = append(e.HTTP, join(host, c.Ports.HTTP))
	}
	rpc, err := expandOne(or(c.Addresses.RPC, base))
	fail("addresses.rpc", err)
	e.RPC = join(rpc, c.Ports.RPC)
	serf, err := expandOne(or(c.Addresses.Serf, base))
	fail("addresses.serf", err)
	e.Serf = join(serf, c.Ports.Serf)
	return e, errs.err()
}

// Announce resolves what others are told to dial, each as host:port. Serf is
// empty on an agent without a server.
func (c *Config) Announce() (Addresses, error) {
	listen, err := c.Listen()
	if err != nil {
		return Addresses{}, err
	}
	var a Addresses
	var errs Errors
	resolve := func(to *string, path, written, bound string, port int) {
		var err error
		if *to, err = c.announce(written, bound, port); err != nil {
			errs = append(errs, fmt.Sprintf("%s%s: %v", c.at(path), path, err))
		}
	}
	resolve(&a.HTTP, "advertise.http", c.Advertise.HTTP, listen.HTTP[0], c.Ports.HTTP)
	resolve(&a.RPC, "advertise.rpc", c.Advertise.RPC, listen.RPC, c.Ports.RPC)
	if c.Server.Enabled {
		resolve(&a.Serf, "advertise.serf", c.Advertise.Serf, listen.Serf, c.Ports.Serf)
	}
	return a, errs.err()
}

func (c *Config) announce(written, bound string, port int) (string, error) {
	if written != "" {
		host, err := expandOne(written)
		if err != nil {
			return "", err
		}
		if h, p, err := net.SplitHostPort(host); err == nil {
			return net.JoinHostPort(h, p), nil
		}
		return join(strings.Trim(host, "[]"), port), nil
	}
	host, _, err := net.SplitHostPort(bound)
	if err != nil {
		return "", err
	}
	ip, _ := netip.ParseAddr(host) // what a host name resolves to is others' business
	if ip.IsUnspecified() {
		private, err := expandOne("{{ GetPrivateIP }}")
		if err != nil {
			return "", errors.New("this host has no private address to advertise: please set advertise manually")
		}
		host = private
		ip, _ = netip.ParseAddr(private)
	}
	if ip.IsLoopback() && !c.Dev {
		return "", errors.New("defaulting advertise to localhost is unsafe, please set advertise manually")
	}
	return join(host, port), nil
}

// expand carries out an address template and splits its result.
func expand(s string) ([]string, error) {
	if strings.Contains(s, "{{") {
		out, err := template.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("cannot carry out the template %q: %w", s, err)
		}
		s = out
	}
	var all []string
	for _, one := range strings.Fields(s) {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no address found, please set one")
	}
	return all, nil
}

func expandOne(s string) (string, error) {
	all, err := expand(s)
	if err != nil {
		return "", err
	}
	if len(all) > 1 {
		return "", fmt.Errorf("%q stands for %d addresses (%s), where one is wanted", s, len(all), strings.Join(all, " "))
	}
	return all[0], nil
}

func join(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
