package simnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// A conn is one end of a connection.
type conn struct {
	n             *Network
	host          *Host
	local, remote net.Addr
	in, out       *flow

	closed      bool
	crashed     bool
	readBy      time.Time
	writeBy     time.Time
	writeClosed bool
}

func (c *conn) Read(b []byte) (int, error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for {
		now := time.Now()
		c.in.settle(now)
		switch {
		case c.closed || c.crashed:
			return 0, c.fail("read", c.gone())
		case !c.readBy.IsZero() && !now.Before(c.readBy):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case c.in.broken(now):
			return 0, c.fail("read", syscall.ECONNRESET)
		case len(b) == 0:
			return 0, nil
		case len(c.in.arrived) > 0:
			return c.in.read(b), nil
		case c.in.ended:
			return 0, io.EOF
		}
		wait(nil, c.in, earliest(c.in.next(), c.readBy))
	}
}

func (c *conn) Write(b []byte) (sent int, err error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case c.closed || c.crashed:
			return sent, c.fail("write", c.gone())
		case c.writeClosed:
			return sent, c.fail("write", syscall.EPIPE)
		case !c.writeBy.IsZero() && !now.Before(c.writeBy):
			return sent, c.fail("write", os.ErrDeadlineExceeded)
		case c.in.broken(now):
			return sent, c.fail("write", syscall.ECONNRESET)
		case c.out.deaf && c.out.open():
			return sent, c.fail("write", syscall.EPIPE)
		case c.out.deaf:
			return sent + len(b), nil // nobody is there to say so
		}
		if n := min(len(b), window-c.out.size); n > 0 {
			c.out.send(b[:n], false)
			sent, b = sent+n, b[n:]
		}
		if len(b) == 0 {
			return sent, nil
		}
		wait(nil, c.out, earliest(c.in.next(), c.writeBy))
	}
}

// Close ends the connection. What was written still arrives.
func (c *conn) Close() error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.endWrites()
	c.forget()
	return nil
}

// CloseWrite tells the other end that nothing follows.
func (c *conn) CloseWrite() error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.closed || c.crashed {
		return c.fail("close", c.gone())
	}
	c.endWrites()
	return nil
}

func (c *conn) endWrites() {
	if !c.writeClosed && !c.crashed {
		c.writeClosed = true
		c.out.send(nil, true)
	}
}

// reset ends the connection without a word, but for the reset that the other end
// receives.
func (c *conn) reset() {
	c.crashed = true
	if c.out.reset.IsZero() {
		c.out.reset = time.Now().Add(c.n.delay(c.out.link))
	}
	c.forget()
}

func (c *conn) forget() {
	c.in.deaf = true
	c.in.wake()
	c.out.wake()
	delete(c.host.conns, c)
	if c.out.deaf { // both ends are gone
		delete(c.n.flows, c.in)
		delete(c.n.flows, c.out)
	}
}

func (c *conn) gone() error {
	if c.crashed && !c.closed {
		return syscall.ECONNRESET
	}
	return net.ErrClosed
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "sim", Source: c.local, Addr: c.remote, Err: err}
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error      { return c.deadlines(&t, &t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.deadlines(&t, nil) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.deadlines(nil, &t) }

func (c *conn) deadlines(read, write *time.Time) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.closed {
		return c.fail("set deadline", net.ErrClosed)
	}
	if read != nil {
		c.readBy = *read
		c.in.wake()
	}
	if write != nil {
		c.writeBy = *write
		c.out.wake()
	}
	return nil
}
