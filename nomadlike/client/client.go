// Package client owns a node: it makes it known to the servers and keeps it so,
// carries out what they assign to it, tells them what becomes of that, and
// answers their calls about it. How an allocation runs is package alloc's
// business.
//
// # What may be relied on
//
// Everything is pushed: one session stream carries assignments down and
// observations up. What was observed is sent again until a server has
// acknowledged it. What a server that is behind the others does not know of is
// not taken for gone; see assign.go. Servers that can not be reached change
// nothing for what runs.
package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// A Client is one node's part of the cluster.
type Client struct {
	config   Config
	log      hclog.Logger
	id       n.NodeID
	secret   string
	journal  *journal.Journal
	restored []*journal.Restored // until Run
	pool     *rpc.Pool
	servers  *servers
	node     *node
	allocs   *allocs
	outbox   *outbox
	tunnels  *tunnels
	handlers *api.Handlers
	host     hostMeter

	contact     chan struct{} // closed once a server's assignments have been heard
	contactOnce sync.Once
	vital       vital
	gcNow       chan struct{}
	arrived     chan struct{} // holds a token after an allocation came or changed
	make        maker
	work        *work
}

// vital is how the contact with the servers is.
type vital struct {
	registered atomic.Bool
	heard      atomic.Int64 // Unix nanoseconds of the last answer to a heartbeat
	ttl        atomic.Int64 // nanoseconds
}

// New opens the state directory, finds out what the node has and configures its
// drivers. It reaches for no server and starts nothing.
func New(c Config) (*Client, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.AllocDir, 0o711); err != nil {
		return nil, fmt.Errorf("make the allocations' directory: %w", err)
	}
	j, restored, err := journal.Open(c.StateDir)
	if err != nil {
		return nil, err
	}
	id, secret, err := journal.Identity(c.StateDir)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	cl := &Client{
		config: c, log: c.Logger, id: id, secret: secret, journal: j, restored: restored,
		pool:    rpc.NewPool(rpc.PoolOptions{Dial: c.Dial, TLS: c.TLS}),
		servers: newServers(c.Servers), allocs: newAllocs(), outbox: newOutbox(), tunnels: newTunnels(),
		contact: make(chan struct{}), gcNow: make(chan struct{}, 1), arrived: make(chan struct{}, 1), work: newWork(),
	}
	if cl.node, err = newNode(context.Background(), &cl.config, id); err != nil {
		cl.pool.Close()
		return nil, errors.Join(err, j.Close())
	}
	cl.host.mhz = coreMHz(cl.node.now())
	if at := j.Heard(); !at.IsZero() {
		cl.vital.heard.Store(at.UnixNano())
	}
	cl.make = cl.allocRunners()
	cl.bind()
	cl.registerMetrics()
	return cl, nil
}

// Run works until ctx ends. Tasks then go on by themselves, for a later client to
// find; with DevMode they are ended and everything of them is removed. It ends by
// itself, with an error, when Config.JoinWithin says so.
func (c *Client) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var alone error // why it ended by itself
	// What this starts outlives ctx where it has to end in order.
	rest := context.WithoutCancel(ctx)
	driving, stopDriving := context.WithCancel(rest)
	talking, stopTalking := context.WithCancel(rest)
	defer stopDriving()
	defer stopTalking()
	var loops sync.WaitGroup
	loops.Go(func() { c.node.watchDrivers(driving) })
	c.node.settle(ctx, firstFingerprints)
	c.restore()
	loops.Go(func() {
		if alone = c.connect(talking); alone != nil {
			end()
		}
	})
	loops.Go(func() { c.reregister(talking) })
	loops.Go(func() { c.endAlone(talking) })
	loops.Go(func() { c.tunnels.serve(talking, c.handlers) })
	loops.Go(func() { c.collect(ctx) })
	<-ctx.Done()

	c.work.refuse()
	if c.config.DevMode {
		c.farewell(rest)
	}
	c.work.stop()
	stopTalking()
	stopDriving()
	loops.Wait()
	c.pool.Close()
	return errors.Join(alone, c.closeDrivers(), c.journal.Close())
}

// firstFingerprints is how long drivers may take to say what they offer before
// the node is registered without them.
const firstFingerprints = 5 * time.Second

// lastWords is how long the servers may take to hear of the end of a client that
// leaves nothing behind.
const lastWords = 2 * time.Second

// farewell ends everything and tells the servers, if they listen.
func (c *Client) farewell(ctx context.Context) {
	var all sync.WaitGroup
	for _, e := range c.allocs.all() {
		all.Go(func() { c.remove(e) })
	}
	all.Wait()
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	if !c.vital.registered.Load() || !c.outbox.drained(ctx) {
		return
	}
	_, err := api.Do(ctx, c.ToServers(), api.NodeHeartbeat, &n.NodeHeartbeat{NodeID: c.id, SecretID: c.secret, Status: n.NodeDown})
	if err != nil {
		c.log.Debug("the servers did not hear that the node leaves", "error", err)
	}
}

// NodeID is the node's.
func (c *Client) NodeID() n.NodeID { return c.id }

// Node is the node as last found, without what servers know of it. It is not to
// be changed.
func (c *Client) Node() *n.Node { return c.node.now() }

// Servers are the RPC addresses of the servers that are known.
func (c *Client) Servers() []string { return c.servers.list() }

// Has reports whether the allocation of this id is on the node.
func (c *Client) Has(id n.AllocID) bool { return c.allocs.get(id) != nil }

// Handlers answer calls about the node and its allocations.
func (c *Client) Handlers() *api.Handlers { return c.handlers }

// Stats tells how the client is, for people.
func (c *Client) Stats() map[string]string {
	heard := "never"
	if at := c.vital.heard.Load(); at > 0 {
		heard = time.Since(time.Unix(0, at)).String()
	}
	return map[string]string{
		"node_id":         string(c.id),
		"known_servers":   strconv.Itoa(len(c.servers.list())),
		"server":          c.servers.first(),
		"registered":      strconv.FormatBool(c.vital.registered.Load()),
		"num_allocations": strconv.Itoa(len(c.allocs.all())),
		"last_heartbeat":  heard,
		"heartbeat_ttl":   time.Duration(c.vital.ttl.Load()).String(),
	}
}

// driverDir is where a driver keeps its state.
func (c *Config) driverDir(name string) string { return filepath.Join(c.StateDir, "drivers", name) }
