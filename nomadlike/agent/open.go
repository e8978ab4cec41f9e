package agent

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
	"github.com/nomadlike/nomadlike/nomadlike/client"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/nomadlike/server"
	"github.com/nomadlike/nomadlike/nomadlike/server/gc"
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

// joinMax is how often a server tries to join: with start_join, once.
func joinMax(j config.ServerJoin) int {
	if len(j.StartJoin) > 0 {
		return 1
	}
	return j.RetryMax
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
		BootstrapExpect: c.BootstrapExpect, RaftMultiplier: c.RaftMultiplier, Join: append(c.Join.StartJoin, c.Join.RetryJoin...),
		JoinInterval: c.Join.RetryInterval, JoinMax: joinMax(c.Join),
		Workers: c.NumSchedulers, Build: n.CompatibilityVersion, Logger: a.logger.Named("server"), Metrics: a.metrics,
		Heartbeat:   heartbeat.Options{MinTTL: c.MinHeartbeatTTL, MaxRate: c.MaxHeartbeatsPerSecond, Grace: c.HeartbeatGrace, Failover: c.FailoverHeartbeatTTL},
		NackTimeout: c.EvalNackTimeout, DeliveryLimit: c.EvalDeliveryLimit,
		GC: gc.Config{
			Interval: c.JobGCInterval, EvalAge: c.EvalGCThreshold, BatchEvalAge: c.BatchEvalGCThreshold, JobAge: c.JobGCThreshold,
			DeploymentAge: c.DeploymentGCThreshold, NodeAge: c.NodeGCThreshold,
		},
		Jobs: server.JobLimits{
			MaxPriority: c.JobMaxPriority, DefaultPriority: c.JobDefaultPriority, MaxCount: noneIfZero(c.JobMaxCount), MaxSourceSize: noneIfZero(c.JobMaxSourceSize),
			TrackedVersions: c.JobTrackedVersions,
		},
		Scheduler: &c.DefaultScheduler,
		OnFatal:   func(err error) { a.fatal <- err },
	}
	if !a.config.Dev {
		conf.DataDir = a.dir(c.DataDir, "server")
	}
	var err error
	if conf.Advertise, err = net.ResolveTCPAddr("tcp", a.announce.RPC); err != nil {
		return fmt.Errorf("advertise.rpc: %w", err)
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
	host, port, err := net.SplitHostPort(a.listen.Serf)
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
	g := &gossip.Config{BindAddr: host, BindPort: number, EncryptKey: key, Logger: a.logger.Named("gossip"), Loopback: a.config.Dev}
	if g.Advertise, err = net.ResolveTCPAddr("tcp", a.announce.Serf); err != nil {
		return nil, fmt.Errorf("advertise.serf: %w", err)
	}
	return g, nil
}

// openClient opens the client's directories, if the agent has a client.
func (a *Agent) openClient() error {
	c := a.config.Client
	if !c.Enabled {
		return nil
	}
	servers := append(slices.Clone(c.Servers), c.Join.RetryJoin...)
	var within time.Duration
	if len(c.Join.RetryJoin) > 0 {
		within = time.Duration(c.Join.RetryMax) * c.Join.RetryInterval
	}
	if a.server != nil {
		servers = append([]string{a.rpc.Addr().String()}, servers...)
	}
	var err error
	a.client, err = client.New(client.Config{
		Region: a.config.Region, Datacenter: a.config.Datacenter, Name: a.config.Name, NodeClass: c.NodeClass, NodePool: c.NodePool, Meta: c.Meta,
		StateDir: a.dir(c.StateDir, "client"), AllocDir: a.dir(c.AllocDir, "alloc"),
		Servers: servers, JoinInterval: c.Join.RetryInterval, JoinWithin: within, Dial: rpc.Dialer(dial), TLS: a.tls.client, HTTPAddr: a.announce.HTTP, HTTPS: a.config.TLS.HTTP, Revision: a.version.Revision,
		Drivers: a.drivers(), Options: c.Options, NetworkInterface: c.NetworkInterface, NetworkSpeed: c.NetworkSpeed,
		CPUTotalCompute: c.CPUTotalCompute, MemoryTotalMB: c.MemoryTotalMB, DiskTotalMB: c.DiskTotalMB, Reserved: client.Reserved(c.Reserved),
		MinDynamicPort: c.MinDynamicPort, MaxDynamicPort: c.MaxDynamicPort, CgroupParent: c.CgroupParent, ChrootEnv: c.ChrootEnv,
		MaxKillTimeout: c.MaxKillTimeout, DevMode: a.config.Dev, Logger: a.logger.Named("client"), Metrics: a.metrics,
		NodeMetrics: a.config.Telemetry.PublishNodeMetrics, AllocMetrics: a.config.Telemetry.PublishAllocationMetrics,
		GC: client.GC{
			Interval: c.GCInterval, Parallel: c.GCParallelDestroys, DiskUsage: c.GCDiskUsageThreshold, InodeUsage: c.GCInodeUsageThreshold, MaxAllocs: c.GCMaxAllocs,
		},
	})
	if err != nil {
		return fmt.Errorf("start the client: %w", err)
	}
	return nil
}
