package rpc

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Raft returns the transport for raft on the server's port: it accepts what Serve
// recognizes as raft, and dials other servers with the pool's dialer and TLS.
// advertise is the address that others reach this server at. Call it once, before
// Serve. When it is closed or Serve ends, all its connections are closed; who
// waits in Accept is released by Close alone, which is raft's own way to end.
func (s *Server) Raft(p *Pool, advertise net.Addr) raft.StreamLayer {
	s.raft = &raftLayer{incoming: newHandover(advertise), pool: p, conns: map[*raftConn]bool{}}
	return s.raft
}

type raftLayer struct {
	incoming *handover
	pool     *Pool

	mu     sync.Mutex
	closed bool
	conns  map[*raftConn]bool // open, dialed or accepted
}

func (r *raftLayer) Accept() (net.Conn, error) {
	conn, err := r.incoming.Accept()
	if err != nil {
		return nil, err
	}
	return r.track(conn)
}

func (r *raftLayer) Addr() net.Addr { return r.incoming.addr }

func (r *raftLayer) Close() error {
	r.hangUp()
	return r.incoming.Close()
}

// hangUp ends what raft itself leaves behind: it keeps connections for later and
// reads from those it accepted until the other side is gone.
func (r *raftLayer) hangUp() {
	r.mu.Lock()
	conns := r.conns
	r.conns, r.closed = map[*raftConn]bool{}, true
	r.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
}

func (r *raftLayer) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := r.pool.dial(ctx, string(addr))
	if err != nil {
		return nil, err
	}
	_ = conn.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := conn.Write([]byte{raftByte}); err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetWriteDeadline(time.Time{})
	return r.track(conn)
}

func (r *raftLayer) track(conn net.Conn) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	c := &raftConn{conn, r}
	r.conns[c] = true
	return c, nil
}

// A raftConn tells its layer when it is closed.
type raftConn struct {
	net.Conn
	layer *raftLayer
}

func (c *raftConn) Close() error {
	c.layer.mu.Lock()
	delete(c.layer.conns, c)
	c.layer.mu.Unlock()
	return c.Conn.Close()
}
