package simnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/simnet"
	"golang.org/x/net/nettest"
)

// bubble runs fn in virtual time with hosts a and b, and a connection from a to b.
func bubble(t *testing.T, fn func(t *testing.T, n *simnet.Network, near, far net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New()
		n.SetLatency(10 * time.Millisecond)
		near, far := pair(t, n)
		defer near.Close()
		defer far.Close()
		fn(t, n, near, far)
	})
}

func pair(t *testing.T, n *simnet.Network) (near, far net.Conn) {
	t.Helper()
	l, err := n.Host("b").Listen(":1")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = n.Host("a").Dial(t.Context(), "b:1"); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Error(err)
	}
}

// read wants s to arrive after d.
func read(t *testing.T, c net.Conn, s string, d time.Duration) {
	t.Helper()
	start, b := time.Now(), make([]byte, len(s))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != s {
		t.Errorf("read %q, %v; want %q", b, err, s)
	}
	if took := time.Since(start); took != d {
		t.Errorf("%q took %v, want %v", s, took, d)
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New()
		n.SetLatency(time.Second)
		n.SetLinkLatency("b", "a", 3*time.Second)
		start := time.Now()
		near, far := pair(t, n)
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("the dial took %v", took)
		}
		write(t, near, "there")
		read(t, far, "there", time.Second)
		write(t, far, "back")
		read(t, near, "back", 3*time.Second)
		near.Close()
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		far.Close()
	})
}

func TestOneWayCut(t *testing.T) {
	bubble(t, func(t *testing.T, n *simnet.Network, near, far net.Conn) {
		write(t, near, "before")
		time.Sleep(time.Second)
		n.Cut("a", "b")
		read(t, far, "before", 0) // had arrived
		write(t, near, "during")
		write(t, far, "the other way")
		read(t, near, "the other way", 10*time.Millisecond)
		far.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		far.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			n.Mend("a", "b")
		}()
		read(t, far, "during", time.Minute)
	})
}

func TestPartitionStopsDials(t *testing.T) {
	bubble(t, func(t *testing.T, n *simnet.Network, _, _ net.Conn) {
		l, _ := n.Host("c").Listen(":1")
		defer l.Close()
		n.Partition([]string{"a", "b"}, []string{"c"})
		start := time.Now()
		_, err := n.Host("a").Dial(t.Context(), "c:1")
		if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := n.Host("b").Dial(ctx, "c:1"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.AfterFunc(5*time.Second, n.Heal)
		c, err := n.Host("b").Dial(t.Context(), "c:1")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		n.Isolate("c")
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Host("a").Dial(ctx, "c:1"); err == nil {
			t.Error("dialed an isolated host")
		}
	})
}

func TestWindowFillsAndDeadlineFrees(t *testing.T) {
	bubble(t, func(t *testing.T, n *simnet.Network, near, far net.Conn) {
		n.Cut("a", "b")
		near.SetWriteDeadline(time.Now().Add(time.Minute))
		sent, err := near.Write(make([]byte, 3<<20))
		if sent != 1<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d, %v", sent, err)
		}
		near.SetWriteDeadline(time.Time{})
		n.Heal()
		go func() {
			write(t, near, string(bytes.Repeat([]byte("x"), 2<<20)))
			near.Close()
		}()
		if b, err := io.ReadAll(far); len(b) != 3<<20 || err != nil {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	})
}

func TestCloseFreesBothWaiters(t *testing.T) {
	bubble(t, func(t *testing.T, n *simnet.Network, near, far net.Conn) {
		n.Cut("a", "b")
		results := make(chan error, 2)
		go func() { _, err := near.Read(make([]byte, 1)); results <- err }()
		go func() { _, err := near.Write(make([]byte, 3<<20)); results <- err }()
		time.Sleep(time.Hour)
		near.Close()
		for range 2 {
			if err := <-results; !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	})
}

func TestCrash(t *testing.T) {
	bubble(t, func(t *testing.T, n *simnet.Network, near, far net.Conn) {
		l, _ := n.Host("b").Listen(":2")
		go func() {
			time.Sleep(time.Minute)
			n.Host("b").Crash()
		}()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("the other end:", err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("the other end:", err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("the crashed end:", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error("the listener:", err)
		}
		if _, err := n.Host("a").Dial(t.Context(), "b:2"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("a dial:", err)
		}
		if _, err := n.Host("b").Listen(":2"); err == nil {
			t.Error("a crashed host listens")
		}
		n.Host("b").Start()
		if l, err := n.Host("b").Listen(":2"); err != nil {
			t.Error("after start:", err)
		} else {
			l.Close()
		}
	})
}

func TestCrashBehindACutIsSilent(t *testing.T) {
	bubble(t, func(t *testing.T, n *simnet.Network, near, far net.Conn) {
		n.Partition([]string{"a"}, []string{"b"})
		n.Host("b").Crash()
		near.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if _, err := near.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		near.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, n.Heal)
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	})
}

func TestPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New()
		n.SetLatency(time.Second)
		a, _ := n.Host("10.0.0.1").ListenPacket(":5")
		b, _ := n.Host("10.0.0.2").ListenPacket("10.0.0.2:5")
		defer a.Close()
		defer b.Close()
		if _, ok := b.LocalAddr().(*net.UDPAddr); !ok {
			t.Errorf("%T", b.LocalAddr())
		}
		a.WriteTo([]byte("one"), b.LocalAddr())
		n.Cut("10.0.0.1", "10.0.0.2")
		a.WriteTo([]byte("lost"), b.LocalAddr())
		n.Heal()
		for i := range 3000 { // more than fit
			fmt.Fprintf(to{a, b.LocalAddr()}, "%d", i)
		}
		buf := make([]byte, 10)
		k, from, err := b.ReadFrom(buf)
		if string(buf[:k]) != "one" || from.String() != "10.0.0.1:5" || err != nil {
			t.Errorf("%q from %v, %v", buf[:k], from, err)
		}
		if k, _, _ = b.ReadFrom(buf); string(buf[:k]) != "0" {
			t.Errorf("%q", buf[:k])
		}
		count := 0
		b.SetReadDeadline(time.Now().Add(time.Hour))
		for ; ; count++ {
			if _, _, err := b.ReadFrom(buf); err != nil {
				break
			}
		}
		if count != 1022 {
			t.Errorf("%d more", count)
		}
	})
}

type to struct {
	net.PacketConn
	addr net.Addr
}

func (t to) Write(b []byte) (int, error) { return t.WriteTo(b, t.addr) }

// TestConformance runs Go's own tests for a net.Conn, outside a bubble.
func TestConformance(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = pair(t, simnet.New())
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}
