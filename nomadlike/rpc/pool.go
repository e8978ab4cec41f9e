package rpc

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// A Dialer connects to an address, in whatever form the caller of Pool.To uses.
type Dialer func(ctx context.Context, addr string) (net.Conn, error)

// PoolOptions configure a Pool. All but Dial are optional.
type PoolOptions struct {
	Dial       Dialer
	TLS        *tls.Config // nil: no TLS. Without a ServerName the host of the address is verified
	MaxMessage int         // bytes in one message, default DefaultMaxMessage
	Keepalive  Keepalive
	Idle       time.Duration // after which an unused connection is closed; default 5 minutes
}

// A Pool keeps one connection to each server it has called, made at the first
// call and closed when idle. All calls and streams to a server share it.
type Pool struct {
	opts PoolOptions

	mu     sync.Mutex
	conns  map[string]*grpc.ClientConn
	closed bool
}

// NewPool returns a pool without connections.
func NewPool(opts PoolOptions) *Pool {
	if opts.MaxMessage == 0 {
		opts.MaxMessage = DefaultMaxMessage
	}
	if opts.Idle == 0 {
		opts.Idle = 5 * time.Minute
	}
	return &Pool{opts: opts, conns: map[string]*grpc.ClientConn{}}
}

// To returns the server at an address, to call. It costs nothing.
func (p *Pool) To(addr string) Caller { return target{p, addr} }

// Forget drops the connection to an address, and fails the calls on it: for
// servers that have left.
func (p *Pool) Forget(addr string) {
	p.mu.Lock()
	cc := p.conns[addr]
	delete(p.conns, addr)
	p.mu.Unlock()
	if cc != nil {
		cc.Close()
	}
}

// Close drops all connections; later calls fail with Unavailable.
func (p *Pool) Close() {
	p.mu.Lock()
	conns := p.conns
	p.conns, p.closed = nil, true
	p.mu.Unlock()
	for _, cc := range conns {
		cc.Close()
	}
}

// conn returns the connection to addr, which need not be up.
func (p *Pool) conn(addr string) (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errs.New(errs.Unavailable, "the connection pool is closed")
	}
	if cc := p.conns[addr]; cc != nil {
		return cc, nil
	}
	options := append(dialOptions(p.opts), grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return p.dial(ctx, addr)
	}))
	cc, err := grpc.NewClient("passthrough:///"+addr, options...)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "address %q: %w", addr, err)
	}
	p.conns[addr] = cc
	return cc, nil
}

// dial connects to addr and does the TLS handshake.
func (p *Pool) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := p.opts.Dial(ctx, addr)
	if err != nil || p.opts.TLS == nil {
		return conn, err
	}
	config := p.opts.TLS
	if config.ServerName == "" {
		config = config.Clone()
		if config.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			config.ServerName = addr
		}
	}
	t := tls.Client(conn, config)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}

// A target is one server of a pool.
type target struct {
	pool *Pool
	addr string
}

func (t target) invoke(ctx context.Context, method string, req, resp any) error {
	cc, err := t.pool.conn(t.addr)
	if err != nil {
		return errs.E(method, err)
	}
	var trailer metadata.MD
	if err := cc.Invoke(ctx, path(method), req, resp, grpc.Trailer(&trailer)); err != nil {
		return fromStatus(ctx, t.addr, method, err, trailer)
	}
	return nil
}

var streamDesc = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

func (t target) open(ctx context.Context, method string) (rawStream, error) {
	cc, err := t.pool.conn(t.addr)
	if err != nil {
		return nil, errs.E(method, err)
	}
	stream, err := cc.NewStream(ctx, streamDesc, path(method))
	if err != nil {
		return nil, fromStatus(ctx, t.addr, method, err, nil)
	}
	return clientStream{stream, t.addr, method}, nil
}

// path is the name of a method on the wire.
func path(method string) string {
	noun, verb := split(method)
	return "/" + noun + "/" + verb
}
