package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/nomadlike/simnet"
)

// A fakeServer speaks a server's part and writes down what it hears.
type fakeServer struct {
	addr     string
	handlers *api.Handlers
	cancel   context.CancelFunc
	done     chan struct{}

	mu         sync.Mutex
	registers  []*n.NodeRegister
	refuse     error // answer to registrations
	hellos     []*n.SessionHello
	beats      []time.Time
	updates    []*n.SessionUp
	times      []time.Time // of updates
	mute       bool        // does not answer heartbeats
	deaf       bool        // does not acknowledge updates
	reject     string
	ttl        time.Duration
	servers    []string
	index      uint64
	first      *n.Assignments // sent with the hello's answer
	down       chan *n.SessionDown
	tunnels    chan *rpc.Stream[n.Tunnel, n.Tunnel]
	heartbeats []*n.NodeHeartbeat
}

func serve(t *testing.T, net *simnet.Network, host string) *fakeServer {
	s := &fakeServer{
		addr: host + ":4647", ttl: 10 * time.Second, index: 10, done: make(chan struct{}),
		down: make(chan *n.SessionDown, 100), tunnels: make(chan *rpc.Stream[n.Tunnel, n.Tunnel], 1), first: &n.Assignments{Full: true, Index: 10},
		handlers: api.NewHandlers(),
	}
	api.Bind(s.handlers, api.NodeRegister, s.register)
	api.Bind(s.handlers, api.NodeHeartbeat, s.heartbeat)
	s.run(t, net, host)
	return s
}

// run opens the server's port.
func (s *fakeServer) run(t *testing.T, net *simnet.Network, host string) {
	l, err := net.Host(host).Listen(":4647")
	if err != nil {
		t.Fatal(err)
	}
	r := rpc.NewServer(rpc.Options{})
	for _, row := range api.Rows() {
		if s.handlers.Has(row) {
			row.Serve(r, s.handlers)
		}
	}
	rpc.HandleStream(r, sessionStream, s.session)
	rpc.HandleStream(r, tunnelStream, func(ctx context.Context, st *rpc.Stream[n.Tunnel, n.Tunnel]) error {
		s.tunnels <- st
		<-ctx.Done()
		return nil
	})
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		_ = r.Serve(ctx, l)
	}()
}

func (s *fakeServer) stop() {
	s.cancel()
	<-s.done
}

func (s *fakeServer) register(_ context.Context, req *n.NodeRegister) (*n.NodeRegistered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registers = append(s.registers, req)
	if s.refuse != nil {
		return nil, s.refuse
	}
	return &n.NodeRegistered{HeartbeatTTL: s.ttl, Servers: s.servers, WriteMeta: n.WriteMeta{Index: s.index}}, nil
}

func (s *fakeServer) heartbeat(_ context.Context, req *n.NodeHeartbeat) (*n.NodeHeartbeatReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heartbeats = append(s.heartbeats, req)
	return &n.NodeHeartbeatReply{}, nil
}

func (s *fakeServer) session(ctx context.Context, st *rpc.Stream[n.SessionDown, n.SessionUp]) error {
	m, err := st.Recv()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.hellos = append(s.hellos, m.Hello)
	reject, first := s.reject, s.first
	s.mu.Unlock()
	if reject != "" {
		return st.Send(&n.SessionDown{Rejected: reject})
	}
	if first != nil {
		s.down <- &n.SessionDown{Assignments: first}
	}
	s.beat()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		for {
			m, err := st.Recv()
			if err != nil {
				return
			}
			if m.Heartbeat {
				s.mu.Lock()
				s.beats = append(s.beats, time.Now())
				s.mu.Unlock()
				s.beat()
			}
			if len(m.Updates) > 0 {
				s.updated(m)
			}
		}
	}()
	for {
		select {
		case m := <-s.down:
			if err := st.Send(m); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *fakeServer) updated(m *n.SessionUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates, s.times = append(s.updates, m), append(s.times, time.Now())
	if !s.deaf {
		s.down <- &n.SessionDown{AckSeq: m.UpdateSeq}
	}
}

func (s *fakeServer) beat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mute {
		s.down <- &n.SessionDown{HeartbeatTTL: s.ttl, Servers: s.servers}
	}
}

func (s *fakeServer) set(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// heard lists what was said of an allocation.
func (s *fakeServer) heard(id n.AllocID) (out []n.ClientStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.updates {
		for _, u := range m.Updates {
			if u.ID == id {
				out = append(out, u.ClientStatus)
			}
		}
	}
	return out
}

func (s *fakeServer) count() (registers, hellos, updates int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.registers), len(s.hellos), len(s.updates)
}

// A fakeRunner does what the test says.
type fakeRunner struct {
	c   *Client
	dir string

	mu        sync.Mutex
	alloc     *n.Allocation
	status    n.ClientStatus
	updates   int
	destroyed bool
	fail      error // of Destroy
	tasks     map[string]*n.TaskState
	over      chan struct{}
}

func (r *fakeRunner) Run(ctx context.Context) error {
	select {
	case <-r.over:
	case <-ctx.Done():
	}
	return nil
}

func (r *fakeRunner) Update(a *n.Allocation, _ *n.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alloc = a
	r.updates++
}

func (r *fakeRunner) Observed() n.AllocUpdate {
	r.mu.Lock()
	defer r.mu.Unlock()
	return n.AllocUpdate{ID: r.alloc.ID, ClientStatus: r.status, TaskStates: r.tasks}
}

func (r *fakeRunner) EndAlone()                   { r.become(n.ClientFailed) }
func (r *fakeRunner) Restart(string, bool) error  { return nil }
func (r *fakeRunner) Signal(string, string) error { return nil }
func (r *fakeRunner) Stats() (*n.AllocUsage, error) {
	return &n.AllocUsage{Timestamp: 7, Tasks: map[string]*n.TaskUsage{
		"t": {ResourceUsage: n.ResourceUsage{MemoryStats: n.MemoryStats{RSS: 42}}},
	}}, nil
}
func (r *fakeRunner) Dir() string       { return r.dir }
func (r *fakeRunner) isDestroyed() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.destroyed }
func (r *fakeRunner) updateCount() int  { r.mu.Lock(); defer r.mu.Unlock(); return r.updates }

func (r *fakeRunner) Destroy() error {
	r.mu.Lock()
	err := r.fail
	if err == nil {
		r.destroyed = true
	}
	r.mu.Unlock()
	if err == nil {
		r.become(n.ClientComplete)
	}
	return err
}

// become changes the status; a terminal one ends the run.
func (r *fakeRunner) become(status n.ClientStatus) {
	r.mu.Lock()
	r.status = status
	id := r.alloc.ID
	if status.Terminal() {
		select {
		case <-r.over:
		default:
			close(r.over)
		}
	}
	r.mu.Unlock()
	r.c.outbox.put(id)
}

// A world is a client with its servers.
type world struct {
	*testing.T
	net *simnet.Network

	mu      sync.Mutex
	runners map[n.AllocID]*fakeRunner
	was     map[n.AllocID]*journal.Restored
}

func newWorld(t *testing.T) *world {
	return &world{T: t, net: simnet.New(), runners: map[n.AllocID]*fakeRunner{}, was: map[n.AllocID]*journal.Restored{}}
}

func (w *world) runner(id n.AllocID) *fakeRunner {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runners[id]
}

// open makes a client; its directories are those of the test.
func (w *world) open(dir string, change func(*Config)) *Client {
	w.Helper()
	c := Config{
		StateDir: dir + "/client", AllocDir: dir + "/alloc", Name: "node",
		Dial:   func(ctx context.Context, addr string) (net.Conn, error) { return w.net.Host("client").Dial(ctx, addr) },
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: testLog{w.T}, DisableTime: true}),
	}
	if change != nil {
		change(&c)
	}
	cl, err := New(c)
	if err != nil {
		w.Fatal(err)
	}
	cl.make = func(a *n.Allocation, _ *n.Job, was *journal.Restored) runner {
		r := &fakeRunner{c: cl, alloc: a, status: n.ClientPending, over: make(chan struct{}), dir: dir + "/alloc/" + string(a.ID)}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.runners[a.ID], w.was[a.ID] = r, was
		return r
	}
	return cl
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s %s", time.Now().Format("05.000"), b[:max(len(b)-1, 0)])
	return len(b), nil
}

// running runs a client until stop is called.
func (w *world) running(cl *Client) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- cl.Run(ctx) }()
	return func() {
		w.Helper()
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	}
}

// allocation returns one of a job.
func allocation(id string, index uint64) (*n.Allocation, *n.Job) {
	job := &n.Job{ID: "job", Namespace: "default", TaskGroups: []n.Group{{Name: "g", Tasks: []n.Task{{Name: "t"}}}}}
	return &n.Allocation{
		ID: n.AllocID(fmt.Sprintf("%s-0000-4000-8000-000000000000", id)), Namespace: "default", JobID: "job", TaskGroup: "g",
		DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending, AllocModifyIndex: index, NodeID: "n",
	}, job
}

func assignment(index uint64, allocs ...*n.Allocation) *n.SessionDown {
	_, job := allocation("00000000", 0)
	return &n.SessionDown{Assignments: &n.Assignments{Allocs: allocs, Jobs: []*n.Job{job}, Index: index}}
}

// settle lets everything happen that does not wait for time to pass.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: have %v, want %v", what, got, want)
	}
}

func equals[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: have %v, want %v", what, got, want)
	}
}

// onlyOnce is a dialer of one connection.
func onlyOnce(conn net.Conn) rpc.Dialer {
	return func(context.Context, string) (net.Conn, error) {
		c := conn
		if conn = nil; c == nil {
			return nil, errors.New("nobody there")
		}
		return c, nil
	}
}
