package server

import (
	"context"
	"net"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// A tunnel is a connection to a client that the client opened when asked to.
type tunnel struct{ conn net.Conn }

// dialNode asks the client of a node to open a tunnel and returns it.
func (ss *sessions) dialNode(ctx context.Context, node string) (net.Conn, error) {
	ss.mu.Lock()
	x := ss.byNode[n.NodeID(node)]
	ss.dialed++
	number := ss.dialed
	answer := make(chan tunnel, 1)
	ss.dials[number] = answer
	ss.mu.Unlock()
	defer func() {
		ss.mu.Lock()
		delete(ss.dials, number)
		ss.mu.Unlock()
	}()
	if x == nil {
		return nil, errs.New(errs.NotFound, "No path to node")
	}
	if err := x.put(ctx, &n.SessionDown{Dial: number}); err != nil {
		return nil, err
	}
	select {
	case t := <-answer:
		return t.conn, nil
	case <-x.done:
		return nil, errs.New(errs.NotFound, "No path to node")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serveTunnel takes the stream that a client opened when asked to.
func (ss *sessions) serveTunnel(ctx context.Context, stream *rpc.Stream[n.Tunnel, n.Tunnel]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	ss.mu.Lock()
	answer := ss.dials[first.Dial]
	delete(ss.dials, first.Dial)
	ss.mu.Unlock()
	if answer == nil {
		return errs.Newf(errs.NotFound, "nobody waits for tunnel %d any more", first.Dial)
	}
	conn, done := rpc.Tunnel(ctx,
		func(b []byte) error { return stream.Send(&n.Tunnel{Data: b}) },
		func() ([]byte, error) {
			m, err := stream.Recv()
			if err != nil {
				return nil, err
			}
			return m.Data, nil
		})
	answer <- tunnel{conn}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return nil
}

// nodeCaller is the way to the client of a node: through its session if that is
// with this server, and through the server that has it otherwise.
func (s *Server) nodeCaller(target n.NodeTarget, o *n.RequestOptions) (api.Caller, error) {
	node, alloc := target.Target()
	view := s.store.Read()
	switch {
	case node == "" && alloc == "":
		return nil, errs.New(errs.Invalid, "No local Node and node_id not provided")
	case node == "":
		a, err := findAlloc(view, alloc)
		if err != nil {
			return nil, err
		}
		node = a.NodeID
	case view.Node(node) == nil:
		return nil, errs.Newf(errs.NotFound, "Unknown node %s", node)
	}
	if s.sessions.has(node) {
		return api.Remote(s.sessions.nodes.To(string(node))), nil
	}
	if o.Forwarded {
		return nil, errs.New(errs.NotFound, "No path to node")
	}
	o.Forwarded = true
	others := slices.DeleteFunc(s.serverAddrs(), func(a string) bool { return a == s.addr })
	if len(others) == 0 {
		return nil, errs.New(errs.NotFound, "No path to node")
	}
	return elsewhere{s, others}, nil
}

func findAlloc(view interface {
	Alloc(n.AllocID) *n.Allocation
}, id n.AllocID) (*n.Allocation, error) {
	if a := view.Alloc(id); a != nil {
		return a, nil
	}
	return nil, errs.Newf(errs.NotFound, "Unknown allocation %q", id)
}

func (ss *sessions) has(node n.NodeID) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.byNode[node] != nil
}

// elsewhere tries the other servers until one has a session with the node.
type elsewhere struct {
	s     *Server
	addrs []string
}

func (e elsewhere) Call(ctx context.Context, r *api.Row, req any) (resp any, err error) {
	for _, addr := range e.addrs {
		if resp, err = api.Remote(e.s.pool.To(addr)).Call(ctx, r, req); err == nil || !noPath(err) {
			return resp, err
		}
	}
	return nil, err
}

func (e elsewhere) Stream(ctx context.Context, r *api.Row, req any, send func(any) error) (err error) {
	for _, addr := range e.addrs {
		if err = api.Remote(e.s.pool.To(addr)).Stream(ctx, r, req, send); err == nil || !noPath(err) {
			return err
		}
	}
	return err
}

func noPath(err error) bool {
	return errs.Is(err, errs.Unavailable) || errs.Is(err, errs.NotFound) && errs.Text(err) == "No path to node"
}
