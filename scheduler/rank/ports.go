package rank

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Ports are the used ports of one node, by address.
type Ports struct {
	node *n.Node
	used map[string]map[int]bool // by address, everywhere for all of them
}

const everywhere = ""

// NewPorts begins with those that the node keeps for itself.
func NewPorts(node *n.Node) *Ports {
	p := &Ports{node: node, used: map[string]map[int]bool{}}
	for _, port := range ParsePorts(node.ReservedResources.Networks.ReservedHostPorts) {
		p.take(everywhere, port)
	}
	for _, w := range node.NodeResources.NodeNetworks {
		for _, a := range w.Addresses {
			for _, port := range ParsePorts(a.ReservedPorts) {
				p.take(a.Address, port)
			}
		}
	}
	return p
}

// ParsePorts reads a list such as "22,80,8500-8600". What is no port is left
// out: the agent's configuration has refused it already.
func ParsePorts(list string) (ports []int) {
	for part := range strings.SplitSeq(list, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil {
			continue
		}
		for port := max(a, 0); port <= min(b, maxPort); port++ {
			ports = append(ports, port)
		}
	}
	return ports
}

const maxPort = 65535

func (p *Ports) take(addr string, port int) {
	if p.used[addr] == nil {
		p.used[addr] = map[int]bool{}
	}
	p.used[addr][port] = true
}

func (p *Ports) taken(addr string, port int) bool {
	return p.used[addr][port] || p.used[everywhere][port]
}

// Add takes the ports of an allocation and returns the first that was taken
// before, as label=port, or "".
func (p *Ports) Add(a *n.Allocation) (clash string) {
	if a.AllocatedResources == nil {
		return ""
	}
	add := func(addr, label string, port int, shared bool) {
		if !shared && clash == "" && p.taken(addr, port) {
			clash = clashText(label, port)
		}
		p.take(addr, port)
	}
	for _, port := range a.AllocatedResources.Shared.Ports {
		add(port.HostIP, port.Label, port.Value, port.IgnoreCollision)
	}
	for _, t := range a.AllocatedResources.Tasks {
		for i := range t.Networks {
			for _, port := range t.Networks[i].AllPorts() {
				add(t.Networks[i].IP, port.Label, port.Value, port.IgnoreCollision)
			}
		}
	}
	return clash
}

// addresses of a host network; device is where the first of them lives.
func (p *Ports) addresses(hostNetwork string) (list []string, device string) {
	if hostNetwork == "" {
		hostNetwork = "default"
	}
	for _, w := range p.node.NodeResources.NodeNetworks {
		for _, a := range w.Addresses {
			if a.Alias == hostNetwork {
				list = append(list, a.Address)
				if device == "" {
					device = w.Device
				}
			}
		}
	}
	return list, device
}

// Assign gives a network its ports and takes them. The error says in words what
// there was none of.
func (p *Ports) Assign(w *n.Network, rng *rand.Rand) (n.Network, []n.AllocatedPort, error) {
	out := *w
	out.ReservedPorts, out.DynamicPorts = nil, nil
	var given []n.AllocatedPort
	if w.Mode == "none" {
		return out, nil, nil
	}
	addrs, device := p.addresses("")
	if len(addrs) > 0 && (w.Mode == "" || w.Mode == "host") {
		out.IP, out.Device = addrs[0], device
	}
	// A chosen port must not be one that is asked for by number further down.
	asked := map[int]bool{}
	for _, port := range w.ReservedPorts {
		asked[port.Value] = true
	}
	for _, port := range w.AllPorts() {
		fixed := port.Value != 0
		got, err := p.assign(port, asked, rng)
		if err != nil {
			return out, nil, err
		}
		given = append(given, got)
		port.Value, port.To = got.Value, got.To
		if fixed {
			out.ReservedPorts = append(out.ReservedPorts, port)
		} else {
			out.DynamicPorts = append(out.DynamicPorts, port)
		}
	}
	return out, given, nil
}

func (p *Ports) assign(port n.Port, asked map[int]bool, rng *rand.Rand) (n.AllocatedPort, error) {
	given := n.AllocatedPort{Label: port.Label, Value: port.Value, To: port.To, IgnoreCollision: port.IgnoreCollision}
	addrs, _ := p.addresses(port.HostNetwork)
	if len(addrs) == 0 {
		name := port.HostNetwork
		if name == "" {
			name = "default"
		}
		return given, fmt.Errorf("no addresses available for %s network", name)
	}
	if port.Value < 0 || port.Value > maxPort {
		return given, fmt.Errorf("invalid port %d (out of range)", port.Value)
	}
	for _, addr := range addrs {
		if port.Value != 0 {
			if !port.IgnoreCollision && p.taken(addr, port.Value) {
				continue
			}
		} else if given.Value = p.choose(addr, asked, rng); given.Value == 0 {
			continue
		}
		given.HostIP = addr
		if given.To == -1 {
			given.To = given.Value
		}
		p.take(addr, given.Value)
		return given, nil
	}
	if port.Value != 0 {
		return given, fmt.Errorf("reserved port collision %s", clashText(port.Label, port.Value))
	}
	return given, fmt.Errorf("dynamic port selection failed")
}

// choose picks a free port at random: a few blind tries first, since almost all
// are free on almost all nodes. 0 is none.
func (p *Ports) choose(addr string, asked map[int]bool, rng *rand.Rand) int {
	lowest, highest := portRange(p.node)
	free := func(port int) bool { return !p.taken(addr, port) && !asked[port] }
	if highest < lowest {
		return 0
	}
	for range 20 {
		if port := lowest + rng.IntN(highest-lowest+1); free(port) {
			return port
		}
	}
	var left []int
	for port := lowest; port <= highest; port++ {
		if free(port) {
			left = append(left, port)
		}
	}
	if len(left) == 0 {
		return 0
	}
	return left[rng.IntN(len(left))]
}
