package agent

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"


	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/nomadlike/server"
	"github.com/nomadlike/nomadlike/nomadlike/server/gossip"
	"github.com/nomadlike/nomadlike/nomadlike/server/heartbeat"
)

// dialTimeout bounds how long a connection to a server may take.
const dialTimeout = 5 * time.Second

// dial connects to other agents.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return d.DialContext(ctx, "tcp", addr)
}

// openServer opens the server's state, if the agent has a server.
func (a *Agent) openServer() error {
	c := a.config.Server
	if !c.Enabled {
		return nil
	}
	conf := server.Config{
		Region: a.config.Region, Datacenter: a.config.Datacenter, NodeName: a.config.Name,
		Listener: a.rpc, Dial: rpc.Dialer(dial), ServerTLS: a.tls.server, ClientTLS: a.tls.client,
		BootstrapExpect: c.BootstrapExpect, Join: append(c.Join.StartJoin, c.Join.RetryJoin...),
		Workers: c.NumSchedulers, Build: n.CompatibilityVersion, Logger: a.logger.Named("server"), Metrics: a.metrics,
		Heartbeat:   heartbeat.Options{MinTTL: c.MinHeartbeatTTL, MaxRate: c.MaxHeartbeatsPerSecond, Grace: c.HeartbeatGrace, Failover: c.FailoverHeartbeatTTL},
		NackTimeout: c.EvalNackTimeout, DeliveryLimit: c.EvalDeliveryLimit,
		GC: server.GCConfig{
			Interval: c.JobGCInterval, EvalAge: c.EvalGCThreshold, BatchEvalAge: c.BatchEvalGCThreshold, JobAge: c.JobGCThreshold,
			DeploymentAge: c.DeploymentGCThreshold, NodeAge: c.NodeGCThreshold,
		},
		Jobs: server.JobLimits{
			MaxPriority: c.JobMaxPriority, DefaultPriority: c.JobDefaultPriority, MaxCount: noneIfZero(c.JobMaxCount), MaxSourceSize: noneIfZero(c.JobMaxSourceSize),
		},
		Scheduler: &c.DefaultScheduler,
		OnFatal:   func(err error) { a.fatal <- err },
	}
	if !a.config.Dev {
		conf.DataDir = a.dir(c.DataDir, "server")
	}
	var err error
	if conf.Advertise, err = a.announce("rpc", a.rpc); err != nil {
		return err
	}
	if conf.Gossip, err = a.gossip(); err != nil {
		return err
	}
	a.server, err = server.New(conf)
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	return nil
}

// noneIfZero translates limits in which 0 means none.
func noneIfZero(limit int) int {
	if limit == 0 {
		return -1
	}
	return limit
}

func (a *Agent) gossip() (*gossip.Config, error) {
	addr, err := a.config.Listen("serf")
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	key, err := a.config.EncryptKey()
	if err != nil {
		return nil, err
	}
	advertise, err := a.config.Announce("serf")
	if err != nil {
		return nil, err
	}
	g := &gossip.Config{BindAddr: host, BindPort: number, EncryptKey: key, Logger: a.logger.Named("gossip"), Loopback: a.config.Dev}
	if advertise != "" {
		if g.Advertise, err = net.ResolveTCPAddr("tcp", advertise); err != nil {
			return nil, fmt.Errorf("advertise.serf: %w", err)
		}
	}
	return g, nil
}

// announce is the address by which others reach a listener.
func (a *Agent) announce(name string, l net.Listener) (net.Addr, error) {
	addr, err := a.config.Announce(name)
	if err != nil {
		return nil, err
	}
	if addr == "" {
		return l.Addr(), nil
	}
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("advertise.%s: %w", name, err)
	}
	return tcp, nil
}

