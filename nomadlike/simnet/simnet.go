// Package simnet owns a network in memory, for tests: named hosts that listen and
// dial, links with latency that can be cut one way or both, and hosts that crash.
// It is made for testing/synctest bubbles: it starts no goroutine, waits only on
// channels and timers, and never reads a clock but time.Now.
//
// Streams behave as TCP does. What is written while a link is cut waits and
// arrives once it heals; a writer waits only when the window is full; a cut is
// never an error by itself, so deadlines and keepalives are what notices it. A
// crash resets the connections of the host, which their other ends hear of when
// the link is open. Packets behave as UDP: they are dropped rather than kept.
//
// It does not own routing, names or bandwidth.
package simnet

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// A Network is a set of hosts, each linked to each. Its zero value is not ready;
// use New. All methods of the package are safe for concurrent use.
type Network struct {
	mu      sync.Mutex // guards everything in the package
	hosts   map[string]*Host
	latency time.Duration
	links   map[link]time.Duration // latency where it differs
	cut     map[link]bool
	flows   map[*flow]bool // open, to wake when a link heals
}

// A link leads one way from one host to another.
type link struct{ from, to string }

// New returns a network without latency.
func New() *Network {
	return &Network{
		hosts: map[string]*Host{}, links: map[link]time.Duration{},
		cut: map[link]bool{}, flows: map[*flow]bool{},
	}
}

// Host returns the host of that name, made at its first mention. A name that is
// an IP address gives addresses of type *net.TCPAddr and *net.UDPAddr.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[name]
	if h == nil {
		h = &Host{n: n, name: name, nextPort: 49152, listeners: map[int]*listener{}, packets: map[int]*packetConn{}, conns: map[*conn]bool{}}
		n.hosts[name] = h
	}
	return h
}

// SetLatency sets how long a byte takes from any host to any other, except where
// SetLinkLatency says otherwise. It holds for what is sent from now on.
func (n *Network) SetLatency(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = d
}

// SetLinkLatency sets the latency from one host to another.
func (n *Network) SetLinkLatency(from, to string, d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links[link{from, to}] = d
}

// Cut cuts the link from one host to another; the way back stays open.
func (n *Network) Cut(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cutLocked(link{from, to})
}

// Partition cuts all links, both ways, between the hosts of a and those of b.
func (n *Network) Partition(a, b []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range a {
		for _, y := range b {
			n.cutLocked(link{x, y})
			n.cutLocked(link{y, x})
		}
	}
}

// Isolate cuts a host off from all others that have been mentioned.
func (n *Network) Isolate(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for other := range n.hosts {
		if other != name {
			n.cutLocked(link{name, other})
			n.cutLocked(link{other, name})
		}
	}
}

// Mend mends the links between two hosts, both ways.
func (n *Network) Mend(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cut, link{a, b})
	delete(n.cut, link{b, a})
	n.wakeAll()
}

// Heal mends all links.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cut)
	n.wakeAll()
}

func (n *Network) cutLocked(l link) {
	if l.from == l.to {
		return
	}
	for f := range n.flows { // what has arrived has arrived
		if f.link == l {
			f.settle(time.Now())
		}
	}
	n.cut[l] = true
}

func (n *Network) wakeAll() {
	for f := range n.flows {
		f.wake()
	}
}

func (n *Network) delay(l link) time.Duration {
	if l.from == l.to {
		return 0
	}
	if d, ok := n.links[l]; ok {
		return d
	}
	return n.latency
}

// address makes the address of a port of a host.
func address(host string, port int, packet bool) net.Addr {
	if ip := net.ParseIP(host); ip != nil {
		if packet {
			return &net.UDPAddr{IP: ip, Port: port}
		}
		return &net.TCPAddr{IP: ip, Port: port}
	}
	return addr(net.JoinHostPort(host, strconv.Itoa(port)))
}

// addr is the address of a host whose name is no IP address.
type addr string

func (addr) Network() string  { return "sim" }
func (a addr) String() string { return string(a) }

// parse splits an address; an empty host means self.
func parse(self, address string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	if port, err = strconv.Atoi(p); err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("simnet: port %q", p)
	}
	if host == "" {
		host = self
	}
	return host, port, nil
}
