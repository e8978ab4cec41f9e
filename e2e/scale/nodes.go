package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// What a client keeps to; see nomadlike/client.
const (
	updateEvery = 200 * time.Millisecond
	updateBatch = 500
)

// A fleet is the nodes that are played.
type fleet struct {
	nodes  []*node
	pools  []*rpc.Pool
	cancel context.CancelFunc
	gone   sync.WaitGroup

	assigned atomic.Int64 // allocations that reached their node
	acked    atomic.Int64 // that the servers know to run
	lost     atomic.Int64 // sessions that ended by themselves
}

// A node does what a client does, but for running anything.
type node struct {
	f      *fleet
	number int
	id     n.NodeID
	secret string
	to     rpc.Caller
	ready  chan struct{} // closed when the servers have answered its first sign of life

	mu      sync.Mutex
	stream  *rpc.Stream[n.SessionUp, n.SessionDown]
	waiting []n.AllocUpdate
	resting bool // a batch was just sent
	seq     uint64
	sent    map[uint64]int // sizes of batches that were not acknowledged
	beat    *time.Timer
	began   bool
}

func newFleet(c *cluster, o *options) *fleet {
	f := &fleet{}
	for range o.sockets {
		f.pools = append(f.pools, newPool())
	}
	for i := range o.nodes {
		server := c.servers[i%len(c.servers)]
		f.nodes = append(f.nodes, &node{
			f: f, number: i, id: n.NodeID(uuid.NewString()), secret: uuid.NewString(), to: f.pools[i%len(f.pools)].To(server.addr(1)),
			ready: make(chan struct{}), sent: map[uint64]int{},
		})
	}
	return f
}

// close ends all sessions. It may be called again.
func (f *fleet) close() {
	if f.cancel != nil {
		f.cancel()
	}
	for _, p := range f.pools {
		p.Close()
	}
	f.gone.Wait()
}

// begin registers all nodes, some at a time, and returns when all are ready.
func (f *fleet) begin(ctx context.Context) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.cancel = cancel
	turns := make(chan struct{}, 256)
	failed := make(chan error, len(f.nodes))
	for _, x := range f.nodes {
		turns <- struct{}{}
		f.gone.Go(func() {
			err := x.register(ctx)
			<-turns
			if err != nil {
				failed <- err
				return
			}
			if err := x.live(life); err != nil && life.Err() == nil {
				f.lost.Add(1)
				failed <- err
			}
		})
	}
	for _, x := range f.nodes {
		select {
		case <-x.ready:
		case err := <-failed:
			return fmt.Errorf("node %d: %w", x.number, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// describe is the node as its client would register it.
func (x *node) describe() *n.Node {
	return &n.Node{
		ID: x.id, Name: fmt.Sprint("node", x.number), Datacenter: fmt.Sprint("dc", x.number%3+1), NodePool: n.DefaultNodePool, NodeClass: "linux-medium-pci",
		HTTPAddr: fmt.Sprintf("10.%d.%d.%d:4646", x.number>>16&255, x.number>>8&255, x.number&255),
		Attributes: map[string]string{
			"kernel.name": "linux", "kernel.version": "6.12.0", "os.name": "debian", "os.version": "13", "cpu.arch": "amd64", "cpu.numcores": "4",
			"nomad.version": n.CompatibilityVersion, "driver.docker": "1", "driver.docker.version": "28.0.1", "driver.raw_exec": "1",
		},
		Meta: map[string]string{"rack": fmt.Sprint("r", x.number%50), "ssd": fmt.Sprint(x.number%2 == 0)},
		Drivers: map[string]*n.DriverInfo{
			"docker": {Detected: true, Healthy: true, HealthDescription: "Healthy"}, "raw_exec": {Detected: true, Healthy: true, HealthDescription: "Healthy"},
		},
		NodeResources: n.NodeResources{
			Cpu: n.NodeCPU{CpuShares: 14_000, TotalCpuCores: 4}, Memory: n.NodeMemory{MemoryMB: 65_536}, Disk: n.NodeDisk{DiskMB: 100 << 10},
		},
		ReservedResources: n.ReservedResources{Cpu: n.ReservedCPU{CpuShares: 100}, Memory: n.NodeMemory{MemoryMB: 256}},
	}
}

func (x *node) register(ctx context.Context) error {
	_, err := api.Do(ctx, api.Remote(x.to), api.NodeRegister, &n.NodeRegister{Node: x.describe(), SecretID: x.secret})
	return err
}

var sessions = rpc.StreamMethod[n.SessionUp, n.SessionDown]{Name: api.NodeSession}

// live holds the node's session until ctx ends.
func (x *node) live(ctx context.Context) error {
	stream, err := rpc.OpenStream(ctx, x.to, sessions)
	if err != nil {
		return err
	}
	defer stream.Close()
	x.stream = stream
	if err := x.say(&n.SessionUp{Hello: &n.SessionHello{NodeID: x.id, SecretID: x.secret}}); err != nil {
		return err
	}
	defer x.rest()
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		if m.Rejected != "" {
			return errors.New("rejected: " + m.Rejected)
		}
		x.hear(m)
	}
}

func (x *node) rest() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.beat != nil {
		x.beat.Stop()
	}
}

func (x *node) say(m *n.SessionUp) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stream.Send(m)
}

// hear does what a server's message asks for.
func (x *node) hear(m *n.SessionDown) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m.HeartbeatTTL > 0 {
		x.schedule(m.HeartbeatTTL)
	}
	if m.AckSeq > 0 {
		x.f.acked.Add(int64(x.sent[m.AckSeq]))
		delete(x.sent, m.AckSeq)
	}
	if m.Assignments == nil {
		return
	}
	x.f.assigned.Add(int64(len(m.Assignments.Allocs)))
	for _, a := range m.Assignments.Allocs {
		if a.DesiredStatus == n.DesiredRun && a.ClientStatus == n.ClientPending {
			x.waiting = append(x.waiting, started(a))
		}
	}
	x.report()
}

// schedule sends the next sign of life before the time is over.
func (x *node) schedule(ttl time.Duration) {
	due := ttl*8/10 + rand.N(ttl/10+1)
	if x.beat == nil {
		x.beat = time.AfterFunc(due, func() { _ = x.say(&n.SessionUp{Heartbeat: true}) }) // an error ends the session
	} else {
		x.beat.Reset(due)
	}
	if !x.began {
		x.began = true
		close(x.ready)
	}
}

// report sends news at once if none were sent just before, and else all together a
// little later; the caller holds mu.
func (x *node) report() {
	if len(x.waiting) == 0 || x.resting {
		return
	}
	size := min(len(x.waiting), updateBatch)
	x.seq++
	x.sent[x.seq], x.resting = size, true
	_ = x.stream.Send(&n.SessionUp{Updates: x.waiting[:size:size], UpdateSeq: x.seq}) // an error ends the session
	x.waiting = x.waiting[size:]
	time.AfterFunc(updateEvery, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.resting = false
		x.report()
	})
}

// started is what a client says of an allocation whose task has started.
func started(a *n.Allocation) n.AllocUpdate {
	now := time.Now().UTC()
	u := n.AllocUpdate{ID: a.ID, ClientStatus: n.ClientRunning, ClientDescription: "Tasks are running", TaskStates: map[string]*n.TaskState{}, ModifyTime: now.UnixNano()}
	for task := range a.AllocatedResources.Tasks {
		u.TaskStates[task] = &n.TaskState{State: n.TaskRunning, StartedAt: &now, Events: []n.TaskEvent{
			{Type: n.EventReceived, Time: now.UnixNano(), DisplayMessage: "Task received by client", Details: map[string]string{}},
			{Type: n.EventTaskSetup, Time: now.UnixNano(), DisplayMessage: "Building Task Directory", Details: map[string]string{"message": "Building Task Directory"}},
			{Type: n.EventStarted, Time: now.UnixNano(), DisplayMessage: "Task started by client", Details: map[string]string{}},
		}}
	}
	return u
}
