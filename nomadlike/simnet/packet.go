package simnet

import (
	"net"
	"os"
	"time"
)

// inbox is how many packets wait to be read before more are dropped.
const inbox = 1024

// ListenPacket opens a port for packets, as Listen does for connections. Packets
// over a cut link, to nobody, or to a full inbox are dropped.
func (h *Host) ListenPacket(address string) (net.PacketConn, error) {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	port, err := h.port(address, func(p int) bool { return h.packets[p] != nil })
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "sim", Err: err}
	}
	p := &packetConn{h: h, port: port, in: h.n.flow(link{"", h.name})}
	h.packets[port] = p
	return p, nil
}

type packetConn struct {
	h      *Host
	port   int
	queue  []packet // by arrival
	in     *flow    // carries no bytes, only wakes
	closed bool
	readBy time.Time
}

type packet struct {
	at   time.Time
	from net.Addr
	data []byte
}

func (p *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	n := p.h.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.closed {
		return 0, p.fail("write", net.ErrClosed)
	}
	host, port, err := parse(p.h.name, to.String())
	if err != nil {
		return 0, p.fail("write", err)
	}
	l := link{p.h.name, host}
	if peer := n.hosts[host]; peer != nil && !n.cut[l] && peer.packets[port] != nil {
		peer.packets[port].deliver(packet{
			time.Now().Add(n.delay(l)), address(p.h.name, p.port, true), append([]byte(nil), b...),
		})
	}
	return len(b), nil
}

func (p *packetConn) deliver(pk packet) {
	if len(p.queue) >= inbox {
		return
	}
	i := len(p.queue)
	for i > 0 && p.queue[i-1].at.After(pk.at) { // may overtake what comes a longer way
		i--
	}
	p.queue = append(p.queue, packet{})
	copy(p.queue[i+1:], p.queue[i:])
	p.queue[i] = pk
	p.in.wake()
}

func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	p.h.n.mu.Lock()
	defer p.h.n.mu.Unlock()
	for {
		now := time.Now()
		var next time.Time
		if len(p.queue) > 0 {
			next = p.queue[0].at
		}
		switch {
		case p.closed:
			return 0, nil, p.fail("read", net.ErrClosed)
		case !p.readBy.IsZero() && !now.Before(p.readBy):
			return 0, nil, p.fail("read", os.ErrDeadlineExceeded)
		case !next.IsZero() && !next.After(now):
			pk := p.queue[0]
			p.queue = p.queue[1:]
			return copy(b, pk.data), pk.from, nil
		}
		wait(nil, p.in, earliest(next, p.readBy))
	}
}

func (p *packetConn) Close() error {
	p.h.n.mu.Lock()
	defer p.h.n.mu.Unlock()
	p.close()
	return nil
}

func (p *packetConn) close() {
	if !p.closed {
		p.closed = true
		delete(p.h.packets, p.port)
		delete(p.h.n.flows, p.in)
		p.in.wake()
	}
}

func (p *packetConn) LocalAddr() net.Addr { return address(p.h.name, p.port, true) }

func (p *packetConn) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

func (p *packetConn) SetReadDeadline(t time.Time) error {
	p.h.n.mu.Lock()
	defer p.h.n.mu.Unlock()
	p.readBy = t
	p.in.wake()
	return nil
}

// SetWriteDeadline does nothing: a write never waits.
func (p *packetConn) SetWriteDeadline(time.Time) error { return nil }

func (p *packetConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "sim", Addr: address(p.h.name, p.port, true), Err: err}
}
