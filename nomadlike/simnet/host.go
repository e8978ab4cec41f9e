package simnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// A Host is one machine.
type Host struct {
	n         *Network
	name      string
	down      bool
	nextPort  int
	listeners map[int]*listener
	packets   map[int]*packetConn
	conns     map[*conn]bool
}

// backlog is how many connections wait to be accepted before more are refused.
const backlog = 128

// dialTimeout is how long a dial without a deadline waits for an answer.
const dialTimeout = time.Minute

// Listen opens a port of the host: ":4647", or "name:4647" with its own name.
// Port 0 picks one.
func (h *Host) Listen(address string) (net.Listener, error) {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	port, err := h.port(address, func(p int) bool { return h.listeners[p] != nil })
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "sim", Err: err}
	}
	l := &listener{h: h, port: port, backlog: make(chan *conn, backlog), closed: make(chan struct{})}
	h.listeners[port] = l
	return l, nil
}

// port finds the port to open.
func (h *Host) port(address string, taken func(int) bool) (int, error) {
	host, port, err := parse(h.name, address)
	switch {
	case err != nil:
		return 0, err
	case h.down:
		return 0, syscall.ENETDOWN
	case host != h.name && host != "0.0.0.0":
		return 0, fmt.Errorf("%s is not %s: %w", host, h.name, syscall.EADDRNOTAVAIL)
	case port != 0 && taken(port):
		return 0, syscall.EADDRINUSE
	}
	for port == 0 || taken(port) {
		port = h.ephemeral()
	}
	return port, nil
}

func (h *Host) ephemeral() int {
	if h.nextPort++; h.nextPort > 65535 {
		h.nextPort = 49152
	}
	return h.nextPort
}

// Dial connects to a port of a host. It takes a round trip; across a cut link it
// waits for the link to mend, until ctx ends or a minute has passed.
func (h *Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := h.dial(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "sim", Addr: addr(address), Err: err}
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := parse(h.name, address)
	if err != nil {
		return nil, err
	}
	out, back := link{h.name, host}, link{host, h.name}
	if err := h.n.cross(ctx, out); err != nil { // SYN
		return nil, err
	}
	c, err := h.n.connect(h, host, port)
	if crossed := h.n.cross(ctx, back); crossed != nil { // SYN-ACK or RST
		if err == nil {
			c.Close()
		}
		return nil, crossed
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// cross waits as long as a packet takes over a link, however often it is resent.
func (n *Network) cross(ctx context.Context, l link) error {
	probe := &flow{n: n, link: l, changed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.flows[probe] = true
	defer delete(n.flows, probe)
	for arrival := time.Now().Add(n.delay(l)); ; {
		if n.cut[l] {
			arrival = time.Time{} // no use waiting for the time alone
		} else if !time.Now().Before(arrival) {
			return nil
		}
		if !wait(ctx.Done(), probe, arrival) {
			if ctx.Err() == context.Canceled {
				return ctx.Err()
			}
			return os.ErrDeadlineExceeded
		}
	}
}

// connect makes both ends of a connection and queues the far one.
func (n *Network) connect(h *Host, host string, port int) (*conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.down {
		return nil, syscall.ENETDOWN
	}
	peer := n.hosts[host]
	if peer == nil || peer.down || peer.listeners[port] == nil {
		return nil, syscall.ECONNREFUSED
	}
	there, back := n.flow(link{h.name, host}), n.flow(link{host, h.name})
	here, far := address(h.name, h.ephemeral(), false), address(host, port, false)
	near := &conn{n: n, host: h, local: here, remote: far, in: back, out: there}
	other := &conn{n: n, host: peer, local: far, remote: here, in: there, out: back}
	select {
	case peer.listeners[port].backlog <- other:
	default:
		return nil, syscall.ECONNREFUSED
	}
	h.conns[near], peer.conns[other] = true, true
	return near, nil
}

// Crash stops the host: its listeners, packets and connections are gone at once,
// and nothing works on it until Start.
func (h *Host) Crash() {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	h.down = true
	for _, l := range h.listeners {
		l.close()
	}
	for _, p := range h.packets {
		p.close()
	}
	for c := range h.conns {
		c.reset()
	}
}

// Start lets a crashed host work again.
func (h *Host) Start() {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	h.down = false
}

type listener struct {
	h       *Host
	port    int
	backlog chan *conn
	closed  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
	case c := <-l.backlog:
		return c, nil
	}
	return nil, &net.OpError{Op: "accept", Net: "sim", Addr: l.Addr(), Err: net.ErrClosed}
}

func (l *listener) Addr() net.Addr { return address(l.h.name, l.port, false) }

func (l *listener) Close() error {
	l.h.n.mu.Lock()
	defer l.h.n.mu.Unlock()
	l.close()
	return nil
}

// close resets what nobody has accepted.
func (l *listener) close() {
	if l.h.listeners[l.port] != l {
		return
	}
	delete(l.h.listeners, l.port)
	close(l.closed)
	for {
		select {
		case c := <-l.backlog:
			c.reset()
		default:
			return
		}
	}
}
