// Package server is a server of the cluster, composed of its loops: the log and
// the state it acts on, gossip, and, while it leads, broker, workers, planner,
// heartbeats and watchers. Its handlers stand in one file for each noun.
//
// There is one way for a change: a handler or loop commits a command, the state
// store applies it on every server, and what it changed is told to the loops of
// the leader (leader.go) and to the nodes' sessions (session.go).
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/nomadlike/server/consensus"
	"github.com/nomadlike/nomadlike/nomadlike/server/gc"
	"github.com/nomadlike/nomadlike/nomadlike/server/gossip"
	"github.com/nomadlike/nomadlike/nomadlike/server/heartbeat"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// Config of a server. Region, NodeName and Listener are required.
type Config struct {
	Region, Datacenter, NodeName string
	// DataDir holds log and snapshots; empty keeps all in memory.
	DataDir string
	// Listener accepts RPC and raft. Advertise is what others dial; nil: the
	// listener's address.
	Listener  net.Listener
	Advertise net.Addr
	Dial      rpc.Dialer
	ServerTLS *tls.Config
	ClientTLS *tls.Config
	// Gossip is nil for a server that is alone for good.
	Gossip *gossip.Config
	// BootstrapExpect is how many servers begin a new cluster together; 1 begins
	// alone; 0 joins one that exists.
	BootstrapExpect int
	RaftMultiplier  int // lengthens raft's time-outs, 1 to 10
	// Join lists gossip addresses that are tried until one answers.
	Join          []string
	JoinInterval  time.Duration // between tries
	JoinMax       int           // tries before Run gives up; 0: no limit
	Workers       int           // 0: handle no evaluations; negative: one for each core
	Heartbeat     heartbeat.Options
	NackTimeout   time.Duration
	DeliveryLimit int
	GC            gc.Config
	Jobs          JobLimits
	Scheduler     *n.SchedulerConfiguration // of a new cluster
	Build         string
	Logger        hclog.Logger
	Metrics       prometheus.Registerer
	// OnFatal is called when the server can not go on; it must be stopped.
	OnFatal func(error)
}

// JobLimits bound what may be registered. Zero values mean the defaults.
type JobLimits struct {
	MaxPriority     int // default 100
	DefaultPriority int // default 50
	MaxCount        int // of all groups together; default 50,000, negative: none
	MaxSourceSize   int // bytes of the job's text that are kept; default 1 MiB, negative: none
	TrackedVersions int // that are remembered besides the tagged ones; default state.VersionsKept
}

// A Server answers calls from New on and takes part in the cluster while Run
// runs.
type Server struct {
	Config
	id       string
	addr     string // advertised for RPC
	store    *state.Store
	raft     *consensus.Raft
	gossip   *gossip.Pool
	rpc      *rpc.Server
	pool     *rpc.Pool // to other servers
	handlers *api.Handlers
	leader   *leadership
	sessions *sessions
	observed observed
	metrics  *metrics
	closing  chan struct{}
	once     sync.Once
}

// New opens what DataDir holds and binds the handlers. Run must follow.
func New(c Config) (*Server, error) {
	s := &Server{Config: c, store: state.New(), handlers: api.NewHandlers(), closing: make(chan struct{})}
	if c.Advertise == nil {
		s.Advertise = c.Listener.Addr()
	}
	s.addr = s.Advertise.String()
	id, err := serverID(c.DataDir)
	if err != nil {
		return nil, err
	}
	s.id = id
	s.metrics = newMetrics(c.Metrics)
	s.pool = rpc.NewPool(rpc.PoolOptions{Dial: c.Dial, TLS: c.ClientTLS})
	s.rpc = rpc.NewServer(rpc.Options{TLS: c.ServerTLS, Logger: c.Logger.Named("rpc")})
	s.sessions = newSessions(s)
	s.leader = newLeadership(s)
	s.observed.commit = func(ctx context.Context, nodes []state.NodeObserved) (uint64, error) {
		c := &state.AllocUpdate{NodeID: nodes[0].NodeID, Updates: nodes[0].Updates, Others: nodes[1:], Now: now(), Seed: newSeed()}
		_, index, err := commitTo(ctx, s, state.UpdateAllocs, c)
		return index, err
	}
	s.store.Subscribe(s.leader.changed)
	s.store.Subscribe(s.sessions.changed)
	s.bind()
	raftDir := ""
	if c.DataDir != "" {
		raftDir = filepath.Join(c.DataDir, "raft")
	}
	s.raft, err = consensus.Open(consensus.Config{
		ID: raft.ServerID(s.id), Dir: raftDir, Stream: s.rpc.Raft(s.pool, s.Advertise), Logger: c.Logger.Named("raft"),
		Impatient: c.BootstrapExpect == 1 && c.DataDir == "", Multiplier: c.RaftMultiplier, OnFatal: s.fatal,
	}, s.store)
	if err != nil {
		return nil, err
	}
	if c.Gossip != nil {
		g := *c.Gossip
		g.ID, g.RPCAddr, g.Region, g.Datacenter, g.Build = s.id, s.Advertise, c.Region, c.Datacenter, c.Build
		g.Name = c.NodeName + "." + c.Region
		g.Expect, g.Bootstrap = c.BootstrapExpect, c.BootstrapExpect == 1
		if s.gossip, err = gossip.Open(g); err != nil {
			return nil, errors.Join(err, s.raft.Close())
		}
	}
	return s, nil
}

// serverID reads the id by which raft knows this server, or makes one.
func serverID(dir string) (string, error) {
	if dir == "" {
		return uuid.NewString(), nil
	}
	path := filepath.Join(dir, "node-id")
	b, err := os.ReadFile(path)
	if err == nil {
		if id := strings.TrimSpace(string(b)); id != "" {
			return id, nil
		}
		return "", fmt.Errorf("%s is empty: restore it from a backup, or remove the server's data directory to join as a new server", path)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the server's id: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the server's data directory: %w", err)
	}
	id := uuid.NewString()
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the server's id: %w", err)
	}
	return id, nil
}

// Run takes part in the cluster until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	defer s.once.Do(func() { close(s.closing) })
	if s.BootstrapExpect == 1 && s.raft.Fresh() {
		if err := s.raft.Bootstrap(s.raft.Self()); err != nil {
			return errors.Join(fmt.Errorf("begin the cluster: %w", err), s.close())
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.rpc.Serve(ctx, s.Listener) })
	g.Go(func() error { return s.leader.run(ctx) })
	if s.gossip != nil {
		g.Go(func() error { return s.membership(ctx) })
		g.Go(func() error { return s.join(ctx) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.close())
}

func (s *Server) close() error {
	var err error
	if s.gossip != nil {
		err = s.gossip.Close()
	}
	s.sessions.close()
	s.pool.Close()
	return errors.Join(err, s.raft.Close())
}

// Leave tells the other servers that this one goes for good. Run goes on.
func (s *Server) Leave(ctx context.Context) error {
	if s.raft.IsLeader() {
		if servers, _, err := s.raft.Configuration(); err == nil && len(servers) > 1 {
			if err := s.raft.TransferLeadership(); err != nil {
				s.Logger.Warn("could not hand leadership over before leaving", "error", err)
			}
		}
	}
	if s.gossip == nil {
		return nil
	}
	return s.gossip.Leave()
}

func (s *Server) fatal(err error) {
	s.Logger.Error("this server can not follow the log and stops", "error", err)
	if s.OnFatal != nil {
		go s.OnFatal(err)
	}
}
