// Package gossip owns how servers find one another: membership through serf, and
// the tags by which a member says who it is. It decides nothing about raft.
package gossip

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// role is the value of the tag "role" that our members have.
const role = "nomad"

// Config of a server's membership.
type Config struct {
	Name       string // unique; "<node name>.<region>"
	Region     string
	Datacenter string
	ID         string // of raft
	BindAddr   string
	BindPort   int
	Advertise  *net.TCPAddr // nil: as bound
	RPCAddr    net.Addr     // advertised
	Build      string
	Expect     int  // servers to wait for before the first begins; 0: none
	Bootstrap  bool // this server begins alone
	EncryptKey []byte
	Logger     hclog.Logger
	// Loopback keeps timers for servers that share a machine.
	Loopback bool
}

// A Server is a member that is a server of ours.
type Server struct {
	Name    string
	ID      string
	Region  string
	RPCAddr string
	Status  serf.MemberStatus
	Expect  int
}

// Pool is the membership.
type Pool struct {
	serf   *serf.Serf
	events chan serf.Event
}

// Open joins no one yet. Close leaves.
func Open(c Config) (*Pool, error) {
	p := &Pool{events: make(chan serf.Event, 256)}
	conf := serf.DefaultConfig()
	conf.Init()
	conf.NodeName = c.Name
	conf.Tags = tags(c)
	conf.EventCh = p.events
	conf.EnableNameConflictResolution = false
	conf.LeavePropagateDelay = time.Second
	std := c.Logger.StandardLogger(&hclog.StandardLoggerOptions{InferLevels: true})
	conf.Logger, conf.LogOutput = std, nil
	m := memberlist.DefaultLANConfig()
	if c.Loopback {
		m = memberlist.DefaultLocalConfig()
	}
	m.Logger, m.LogOutput = std, nil
	m.BindAddr, m.BindPort = c.BindAddr, c.BindPort
	m.SecretKey = c.EncryptKey
	m.AdvertisePort = c.BindPort
	if c.Advertise != nil {
		m.AdvertiseAddr, m.AdvertisePort = c.Advertise.IP.String(), c.Advertise.Port
	}
	conf.MemberlistConfig = m
	s, err := serf.Create(conf)
	if err != nil {
		return nil, fmt.Errorf("open the gossip port %s: %w", net.JoinHostPort(c.BindAddr, strconv.Itoa(c.BindPort)), err)
	}
	p.serf = s
	return p, nil
}

func tags(c Config) map[string]string {
	host, port, _ := net.SplitHostPort(c.RPCAddr.String())
	t := map[string]string{
		"role": role, "region": c.Region, "dc": c.Datacenter, "id": c.ID, "build": c.Build, "vsn": "1", "raft_vsn": "3",
		"rpc_addr": host, "port": port,
	}
	if c.Expect > 0 {
		t["expect"] = strconv.Itoa(c.Expect)
	}
	if c.Bootstrap {
		t["bootstrap"] = "1"
	}
	return t
}

// Watch calls changed after every change of membership until ctx ends.
func (p *Pool) Watch(ctx context.Context, changed func()) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-p.events:
			if e.EventType() != serf.EventUser && e.EventType() != serf.EventQuery {
				changed()
			}
		}
	}
}

// Servers lists the region's servers, this one among them.
func (p *Pool) Servers(region string) []Server {
	var out []Server
	for _, m := range p.serf.Members() {
		if m.Tags["role"] != role || m.Tags["region"] != region {
			continue
		}
		expect, _ := strconv.Atoi(m.Tags["expect"])
		out = append(out, Server{
			Name: m.Name, ID: m.Tags["id"], Region: m.Tags["region"], Status: m.Status, Expect: expect,
			RPCAddr: net.JoinHostPort(m.Tags["rpc_addr"], m.Tags["port"]),
		})
	}
	return out
}

// Regions lists the regions that have members.
func (p *Pool) Regions() []string {
	seen := map[string]bool{}
	var out []string
	for _, m := range p.serf.Members() {
		if r := m.Tags["region"]; r != "" && !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

// Members lists all members as the API shows them.
func (p *Pool) Members() []n.AgentMember {
	var out []n.AgentMember
	for _, m := range p.serf.Members() {
		out = append(out, n.AgentMember{
			Name: m.Name, Addr: m.Addr.String(), Port: m.Port, Tags: m.Tags, Status: m.Status.String(),
			ProtocolMin: m.ProtocolMin, ProtocolMax: m.ProtocolMax, ProtocolCur: m.ProtocolCur,
			DelegateMin: m.DelegateMin, DelegateMax: m.DelegateMax, DelegateCur: m.DelegateCur,
		})
	}
	return out
}

// Self is this server as the API shows it.
func (p *Pool) Self() n.AgentMember {
	name := p.serf.LocalMember().Name
	for _, m := range p.Members() {
		if m.Name == name {
			return m
		}
	}
	return n.AgentMember{Name: name, Status: "none"}
}

// Join joins the members at these addresses and returns how many answered.
func (p *Pool) Join(addrs []string) (int, error) { return p.serf.Join(addrs, true) }

// ForceLeave makes a failed member count as left; prune forgets it too.
func (p *Pool) ForceLeave(name string, prune bool) error {
	if prune {
		return p.serf.RemoveFailedNodePrune(name)
	}
	return p.serf.RemoveFailedNode(name)
}

// Stats are serf's own.
func (p *Pool) Stats() map[string]string { return p.serf.Stats() }

// Leave tells the others that this server goes for good.
func (p *Pool) Leave() error { return p.serf.Leave() }

// Close ends membership; the others notice that this server failed, unless it
// left before.
func (p *Pool) Close() error {
	err := p.serf.Shutdown()
	<-p.serf.ShutdownCh()
	return err
}

var _ io.Closer = (*Pool)(nil)
