package rpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// bound is how soon the package says a cut network is noticed.
const bound = 20*time.Second + time.Second

func TestUnreachable(t *testing.T) {
	inBubble(t, func(w *world) {
		start := time.Now()
		_, err := rpc.Call(w.t.Context(), w.pool.To("nobody:1"), echo, &ask{})
		if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Text(err), "cannot reach nobody:1: dial") || time.Since(start) > time.Second {
			w.t.Errorf("%v after %v", err, time.Since(start))
		}
		stop := w.serve("s", echoServer(rpc.Options{}))
		call := func() error {
			_, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), echo, &ask{})
			return err
		}
		if err := call(); err != nil {
			w.t.Error(err)
		}
		stop()
		if err := call(); !errs.Is(err, errs.Unavailable) {
			w.t.Error(err)
		}
		time.Sleep(time.Hour)
		w.serve("s", echoServer(rpc.Options{}))
		time.Sleep(4 * time.Second) // it tries again every 3 s at most
		if err := call(); err != nil {
			w.t.Error("after the server came back:", err)
		}
	})
}

func TestClosedPool(t *testing.T) {
	inBubble(t, func(w *world) {
		w.pool.Close()
		if _, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), echo, &ask{}); !errs.Is(err, errs.Unavailable) {
			w.t.Error(err)
		}
		if _, err := rpc.OpenStream(w.t.Context(), w.pool.To("s:1"), chat); !errs.Is(err, errs.Unavailable) {
			w.t.Error(err)
		}
	})
}

// TestCutNetwork cuts the network under a call and a stream in progress. Both
// sides must notice in time, though neither is told.
func TestCutNetwork(t *testing.T) {
	for name, cut := range map[string]func(*world){
		"both ways":   func(w *world) { w.net.Partition([]string{"c"}, []string{"s"}) },
		"to server":   func(w *world) { w.net.Cut("c", "s") },
		"from server": func(w *world) { w.net.Cut("s", "c") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				gone := make(chan time.Time, 1)
				srv := echoServer(rpc.Options{})
				session := rpc.StreamMethod[ask, answer]{Name: "Node.Session"}
				rpc.HandleStream(srv, session, func(ctx context.Context, _ *rpc.Stream[answer, ask]) error {
					<-ctx.Done()
					gone <- time.Now()
					return nil
				})
				w.serve("s", srv)
				s, err := rpc.OpenStream(w.t.Context(), w.pool.To("s:1"), session)
				if err != nil {
					w.t.Fatal(err)
				}
				defer s.Close()
				time.Sleep(time.Minute)
				cut(w)
				start := time.Now()
				called := make(chan error)
				go func() {
					_, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), sleep, &ask{"1h"})
					called <- err
				}()
				if _, err := s.Recv(); !errs.Is(err, errs.Unavailable) || time.Since(start) > bound {
					w.t.Errorf("stream: %v after %v", err, time.Since(start))
				}
				if err := <-called; !errs.Is(err, errs.Unavailable) || time.Since(start) > bound {
					w.t.Errorf("call: %v after %v", err, time.Since(start))
				}
				if at := <-gone; at.Sub(start) > bound {
					w.t.Errorf("server noticed after %v", at.Sub(start))
				}
				w.net.Heal()
				time.Sleep(4 * time.Second)
				if _, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), echo, &ask{}); err != nil {
					w.t.Error("after healing:", err)
				}
			})
		})
	}
}

func TestCrashedServer(t *testing.T) {
	inBubble(t, func(w *world) {
		w.serve("s", echoServer(rpc.Options{}))
		time.AfterFunc(time.Second, w.net.Host("s").Crash)
		start := time.Now()
		_, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), sleep, &ask{"1h"})
		if !errs.Is(err, errs.Unavailable) || time.Since(start) > 2*time.Second {
			w.t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestShutdown(t *testing.T) {
	for name, c := range map[string]struct {
		grace time.Duration
		takes time.Duration
		kind  errs.Kind
	}{
		"at once":         {0, 0, errs.Unavailable},
		"within grace":    {time.Minute, 9 * time.Second, ""},
		"beyond grace":    {5 * time.Second, 5 * time.Second, errs.Unavailable},
		"exactly nothing": {time.Nanosecond, time.Nanosecond, errs.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				stop := w.serve("s", echoServer(rpc.Options{Grace: c.grace}))
				result := make(chan error, 1)
				go func() {
					_, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), sleep, &ask{"10s"})
					result <- err
				}()
				time.Sleep(time.Second)
				start := time.Now()
				stop()
				if took := time.Since(start); took < c.takes || took > c.takes+time.Second {
					w.t.Errorf("took %v", took)
				}
				if err := <-result; errs.KindOf(err) != c.kind {
					w.t.Error(err)
				}
			})
		})
	}
}

func TestStrangers(t *testing.T) {
	inBubble(t, func(w *world) {
		w.serve("s", echoServer(rpc.Options{}))
		for name, c := range map[string]struct {
			say   string
			after time.Duration
		}{
			"silent":     {"", 10 * time.Second},
			"TLS":        {"\x16\x03\x01", 0},
			"raft":       {"\x01", 0}, // there is none here
			"half HTTP2": {"PRI", 10 * time.Second},
			"HTTP":       {"POST / HTTP/1.1\r\nHost: example.com\r\n\r\n", 0},
		} {
			conn, err := w.net.Host("x").Dial(w.t.Context(), "s:1")
			if err != nil {
				w.t.Fatal(err)
			}
			start := time.Now()
			io.WriteString(conn, c.say)
			_, err = io.Copy(io.Discard, conn)
			if took := time.Since(start); took < c.after || took > c.after+time.Second {
				w.t.Errorf("%s: %v after %v", name, err, took)
			}
			conn.Close()
		}
		if _, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), echo, &ask{}); err != nil {
			w.t.Error(err)
		}
	})
}

func TestListenerFailure(t *testing.T) {
	inBubble(t, func(w *world) {
		l, _ := w.net.Host("s").Listen(":1")
		time.AfterFunc(time.Minute, func() { l.Close() })
		if err := echoServer(rpc.Options{}).Serve(w.t.Context(), l); !errors.Is(err, net.ErrClosed) {
			w.t.Error(err)
		}
	})
}

func TestMethodNames(t *testing.T) {
	for name, method := range map[string]string{"bare": "Echo", "empty": "Echo.", "slash": "A/B.C", "twice": "Test.Echo", "stream": "Test.Chat"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			rpc.Handle(echoServer(rpc.Options{}), rpc.Method[ask, answer]{Name: method}, func(context.Context, *ask) (*answer, error) { return nil, nil })
		}()
	}
}
