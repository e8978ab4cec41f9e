package rpc

import (
	"context"
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// Raft returns the transport for raft on the server's port: it accepts what Serve
// recognizes as raft, and dials other servers with the pool's dialer and TLS. advertise
// is the address that others reach this server at. Call it once, before Serve; it
// ends when it or the server is closed.
func (s *Server) Raft(p *Pool, advertise net.Addr) raft.StreamLayer {
	s.raft = &raftLayer{incoming: newHandover(advertise), pool: p, stop: s.stop}
	return s.raft
}

type raftLayer struct {
	incoming *handover
	pool     *Pool
	stop     <-chan struct{} // of the server
}

func (r *raftLayer) Accept() (net.Conn, error) {
	select {
	case conn := <-r.incoming.conns:
		return conn, nil
	case <-r.incoming.closed:
	case <-r.stop:
	}
	return nil, net.ErrClosed
}

func (r *raftLayer) Addr() net.Addr { return r.incoming.addr }
func (r *raftLayer) Close() error   { return r.incoming.Close() }

func (r *raftLayer) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := r.pool.dial(ctx, string(addr))
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetWriteDeadline(deadline)
	}
	if _, err := conn.Write([]byte{raftByte}); err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetWriteDeadline(time.Time{})
	return conn, nil
}
