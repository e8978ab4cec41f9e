package client

import (
	"context"
	"net"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

var tunnelStream = rpc.StreamMethod[n.Tunnel, n.Tunnel]{Name: api.NodeTunnel}

// tunnels are connections over which servers call this client. It opens them
// itself, when asked to, because servers may not be able to reach it. They are
// accepted like those of a port.
type tunnels struct {
	conns chan net.Conn
	done  chan struct{}
}

func newTunnels() *tunnels {
	return &tunnels{conns: make(chan net.Conn), done: make(chan struct{})}
}

// serve answers what comes through tunnels until ctx ends.
func (t *tunnels) serve(ctx context.Context, h *api.Handlers) {
	s := rpc.NewServer(rpc.Options{})
	for _, row := range api.Rows() {
		if row.Where == api.Node && h.Has(row) {
			row.Serve(s, h)
		}
	}
	_ = s.Serve(ctx, t) // t never fails
}

// open opens the tunnel of a number and keeps it until either end is closed.
func (t *tunnels) open(ctx context.Context, to rpc.Caller, number uint64, log hclog.Logger) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := rpc.OpenStream(ctx, to, tunnelStream)
	if err == nil {
		defer stream.Close()
		err = stream.Send(&n.Tunnel{Dial: number})
	}
	if err != nil {
		log.Debug("a tunnel for a server could not be opened", "error", err)
		return
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
	select {
	case t.conns <- conn:
	case <-t.done:
		_ = conn.Close()
	case <-ctx.Done():
		_ = conn.Close()
	}
	<-done
}

// Accept waits for the next tunnel.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. It is called once, by the server.
func (t *tunnels) Close() error {
	select {
	case <-t.done:
	default:
		close(t.done)
	}
	return nil
}

// Addr is nowhere in particular.
func (t *tunnels) Addr() net.Addr { return tunnelAddr{} }

type tunnelAddr struct{}

func (tunnelAddr) Network() string { return "tunnel" }
func (tunnelAddr) String() string  { return "tunnel" }
