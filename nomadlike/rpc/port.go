package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// The first byte of a connection, within TLS if there is TLS.
const (
	raftByte = 0x01
	grpcByte = 'P' // of the HTTP/2 preface, which gRPC reads itself
)

// accept hands each connection of l to what it is for, until ctx ends.
func (s *Server) accept(ctx context.Context, l net.Listener, calls *handover) error {
	var sorting sync.WaitGroup
	defer sorting.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("rpc: accept: %w", err)
		case err != nil: // such as too many open files: it passes
			s.opts.Logger.Warn("cannot accept a connection", "error", err)
			sleep(ctx, 100*time.Millisecond)
		default:
			sorting.Go(func() { s.sort(ctx, conn, calls) })
		}
	}
}

// sort does the handshake and reads the first byte.
func (s *Server) sort(ctx context.Context, conn net.Conn, calls *handover) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	inner, err := s.identify(ctx, conn)
	if err == nil {
		err = s.route(ctx, inner, calls)
	}
	if err != nil {
		s.opts.Logger.Debug("connection refused", "from", conn.RemoteAddr(), "error", err)
		conn.Close()
	}
}

// identify returns the connection within TLS, with its first byte looked at.
func (s *Server) identify(ctx context.Context, conn net.Conn) (*sniffed, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	inner := conn
	if s.opts.TLS != nil {
		t := tls.Server(conn, s.opts.TLS)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		inner = t
	}
	out := &sniffed{Conn: inner}
	if _, err := inner.Read(out.first[:]); err != nil {
		return nil, fmt.Errorf("first byte: %w", err)
	}
	return out, nil
}

func (s *Server) route(ctx context.Context, conn *sniffed, calls *handover) error {
	switch conn.first[0] {
	case grpcByte:
		conn.unread = true
		return calls.give(ctx, conn)
	case raftByte:
		if s.raft == nil {
			return errors.New("there is no raft here")
		}
		if s.opts.AllowRaft != nil {
			if err := s.opts.AllowRaft(peerOf(conn)); err != nil {
				return fmt.Errorf("not allowed to speak raft: %w", err)
			}
		}
		return s.raft.incoming.give(ctx, conn)
	}
	return fmt.Errorf("first byte %#x is neither RPC nor raft: is one side without TLS?", conn.first[0])
}

// A sniffed connection has its first byte in hand, to be read again if unread.
type sniffed struct {
	net.Conn
	first  [1]byte
	unread bool
}

func (c *sniffed) Read(b []byte) (int, error) {
	if c.unread && len(b) > 0 {
		c.unread = false
		b[0] = c.first[0]
		return 1, nil
	}
	return c.Conn.Read(b)
}

// A handover is a listener whose connections were accepted elsewhere.
type handover struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give waits until the connection is accepted.
func (h *handover) give(ctx context.Context, conn net.Conn) error {
	select {
	case h.conns <- conn:
		return nil
	case <-h.closed:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handover) Addr() net.Addr { return h.addr }

func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
