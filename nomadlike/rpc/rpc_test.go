package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/nomadlike/simnet"
)

type (
	ask    struct{ Text string }
	answer struct {
		Text string
		Blob []byte
	}
)

var (
	echo  = rpc.Method[ask, answer]{Name: "Test.Echo"}
	sleep = rpc.Method[ask, answer]{Name: "Test.Sleep"}
	fail  = rpc.Method[ask, answer]{Name: "Test.Fail"}
	chat  = rpc.StreamMethod[ask, answer]{Name: "Test.Chat"}
)

// A world is a network in a bubble with one server on host "s" and a client's pool
// on host "c".
type world struct {
	t    *testing.T
	net  *simnet.Network
	pool *rpc.Pool
}

func inBubble(t *testing.T, fn func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: simnet.New()}
		w.net.SetLatency(time.Millisecond)
		w.pool = w.newPool("c", rpc.PoolOptions{})
		fn(w)
	})
}

func (w *world) newPool(host string, o rpc.PoolOptions) *rpc.Pool {
	o.Dial = w.net.Host(host).Dial
	p := rpc.NewPool(o)
	w.t.Cleanup(p.Close)
	return p
}

// serve runs srv on a host until the test ends, or stop is called.
func (w *world) serve(host string, srv *rpc.Server) (stop func()) {
	w.t.Helper()
	l, err := w.net.Host(host).Listen(":1")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(ctx, l); err != nil && !errors.Is(err, net.ErrClosed) {
			w.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

// echoServer has handlers for the methods above.
func echoServer(o rpc.Options) *rpc.Server {
	srv := rpc.NewServer(o)
	rpc.Handle(srv, echo, func(ctx context.Context, req *ask) (*answer, error) {
		return &answer{Text: req.Text, Blob: []byte(rpc.Header(ctx, "token"))}, nil
	})
	rpc.Handle(srv, sleep, func(ctx context.Context, req *ask) (*answer, error) {
		d, _ := time.ParseDuration(req.Text)
		select {
		case <-time.After(d):
			return &answer{Text: "slept"}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	rpc.HandleStream(srv, chat, func(ctx context.Context, s *rpc.Stream[answer, ask]) error {
		for {
			m, err := s.Recv()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if m.Text == "fail" {
				return errs.New(errs.Conflict, "as you wish")
			}
			if err := s.Send(&answer{Text: "re: " + m.Text}); err != nil {
				return err
			}
		}
	})
	return srv
}

func TestCall(t *testing.T) {
	inBubble(t, func(w *world) {
		w.serve("s", echoServer(rpc.Options{}))
		ctx := rpc.WithHeader(w.t.Context(), "token", "any bytes \x00\xff")
		got, err := rpc.Call(ctx, w.pool.To("s:1"), echo, &ask{"hello"})
		if err != nil || got.Text != "hello" || string(got.Blob) != "any bytes \x00\xff" {
			w.t.Errorf("%+v, %v", got, err)
		}
		// The connection outlives idleness, and is made again after it.
		time.Sleep(time.Hour)
		if _, err := rpc.Call(ctx, w.pool.To("s:1"), echo, &ask{"again"}); err != nil {
			w.t.Error(err)
		}
	})
}

func TestErrorsKeepKindAndText(t *testing.T) {
	inBubble(t, func(w *world) {
		for _, kind := range errs.Kinds {
			want := errs.E("inner", errs.Newf(kind, "text of %s: ünï\n\x01", kind))
			srv := rpc.NewServer(rpc.Options{})
			rpc.Handle(srv, fail, func(context.Context, *ask) (*answer, error) { return nil, want })
			rpc.HandleStream(srv, chat, func(context.Context, *rpc.Stream[answer, ask]) error { return want })
			stop := w.serve("s", srv)
			_, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), fail, &ask{})
			if errs.KindOf(err) != kind || errs.Text(err) != errs.Text(want) {
				w.t.Errorf("%s became %s: %v", kind, errs.KindOf(err), err)
			}
			s, err := rpc.OpenStream(w.t.Context(), w.pool.To("s:1"), chat)
			if err == nil {
				_, err = s.Recv()
				s.Close()
			}
			if errs.KindOf(err) != kind || errs.Text(err) != errs.Text(want) {
				w.t.Errorf("stream: %s became %s: %v", kind, errs.KindOf(err), err)
			}
			stop()
			w.pool.Forget("s:1")
		}
	})
}

func TestPlainErrorsAndPanics(t *testing.T) {
	inBubble(t, func(w *world) {
		srv := rpc.NewServer(rpc.Options{})
		rpc.Handle(srv, fail, func(_ context.Context, a *ask) (*answer, error) {
			if a.Text == "panic" {
				panic("on purpose")
			}
			return nil, fmt.Errorf("open: %w", io.EOF)
		})
		w.serve("s", srv)
		to := w.pool.To("s:1")
		if _, err := rpc.Call(w.t.Context(), to, fail, &ask{}); !errs.Is(err, errs.Internal) || errs.Text(err) != "open: EOF" {
			w.t.Error(err)
		}
		if _, err := rpc.Call(w.t.Context(), to, fail, &ask{"panic"}); !errs.Is(err, errs.Internal) || strings.Contains(err.Error(), "purpose") {
			w.t.Error(err)
		}
		if _, err := rpc.Call(w.t.Context(), to, echo, &ask{}); !errs.Is(err, errs.Unsupported) || !strings.Contains(err.Error(), "Test.Echo") {
			w.t.Error(err)
		}
		wrong := rpc.Method[string, answer]{Name: "Test.Fail"}
		if _, err := rpc.Call(w.t.Context(), to, wrong, new("not a struct")); !errs.Is(err, errs.Invalid) {
			w.t.Error(err)
		}
	})
}

func TestDeadlineAndCancelReachTheHandler(t *testing.T) {
	inBubble(t, func(w *world) {
		type seen struct {
			deadline time.Duration
			end      error
			at       time.Time
		}
		saw := make(chan seen, 1)
		srv := rpc.NewServer(rpc.Options{})
		rpc.Handle(srv, sleep, func(ctx context.Context, _ *ask) (*answer, error) {
			var s seen
			if d, ok := ctx.Deadline(); ok {
				s.deadline = time.Until(d)
			}
			<-ctx.Done()
			s.end, s.at = ctx.Err(), time.Now()
			saw <- s
			return nil, ctx.Err()
		})
		w.serve("s", srv)

		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		_, err := rpc.Call(ctx, w.pool.To("s:1"), sleep, &ask{})
		if !errs.Is(err, errs.Timeout) || !errors.Is(err, context.DeadlineExceeded) {
			w.t.Error(err)
		}
		if s := <-saw; s.deadline < 59*time.Second || s.deadline > time.Minute {
			w.t.Errorf("%+v", s)
		}

		ctx, cancel = context.WithCancel(w.t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err = rpc.Call(ctx, w.pool.To("s:1"), sleep, &ask{})
		if !errs.Is(err, errs.Canceled) || !errors.Is(err, context.Canceled) {
			w.t.Error(err)
		}
		if s := <-saw; s.deadline != 0 || s.end != context.Canceled || s.at.Sub(start) > 2*time.Second {
			w.t.Errorf("%+v", s)
		}
	})
}

func TestStream(t *testing.T) {
	inBubble(t, func(w *world) {
		w.serve("s", echoServer(rpc.Options{}))
		s, err := rpc.OpenStream(w.t.Context(), w.pool.To("s:1"), chat)
		if err != nil {
			w.t.Fatal(err)
		}
		defer s.Close()
		for i := range 3 {
			if err := s.Send(&ask{fmt.Sprint(i)}); err != nil {
				w.t.Fatal(err)
			}
			if m, err := s.Recv(); err != nil || m.Text != fmt.Sprint("re: ", i) {
				w.t.Errorf("%v, %v", m, err)
			}
			time.Sleep(time.Hour) // far beyond every keepalive
		}
		if err := s.CloseSend(); err != nil {
			w.t.Error(err)
		}
		if _, err := s.Recv(); err != io.EOF {
			w.t.Error(err)
		}

		s, _ = rpc.OpenStream(w.t.Context(), w.pool.To("s:1"), chat)
		s.Send(&ask{"fail"})
		if _, err := s.Recv(); !errs.Is(err, errs.Conflict) || errs.Text(err) != "as you wish" {
			w.t.Error(err)
		}
		if err := s.Send(&ask{"too late"}); err != io.EOF {
			w.t.Error(err)
		}
		s.Close()
		s.Close()
	})
}

func TestStreamCloseReachesTheHandler(t *testing.T) {
	inBubble(t, func(w *world) {
		ended := make(chan error, 1)
		srv := rpc.NewServer(rpc.Options{})
		rpc.HandleStream(srv, chat, func(ctx context.Context, s *rpc.Stream[answer, ask]) error {
			_, err := s.Recv()
			<-ctx.Done()
			ended <- err
			return nil
		})
		w.serve("s", srv)
		s, err := rpc.OpenStream(w.t.Context(), w.pool.To("s:1"), chat)
		if err != nil {
			w.t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.Close()
		if err := <-ended; !errs.Is(err, errs.Canceled) {
			w.t.Errorf("the handler's Recv: %v", err)
		}
		if _, err := s.Recv(); !errs.Is(err, errs.Canceled) {
			w.t.Error(err)
		}
	})
}

func TestInterceptor(t *testing.T) {
	inBubble(t, func(w *world) {
		var saw []string
		w.serve("s", echoServer(rpc.Options{Intercept: func(ctx context.Context, info *rpc.Info, req any, next rpc.Next) (any, error) {
			peer, ok := rpc.PeerFrom(ctx)
			saw = append(saw, fmt.Sprint(info.Method, info.Stream, ok, strings.HasPrefix(peer.Addr.String(), "c:")))
			if rpc.Header(ctx, "token") == "" {
				return nil, errs.New(errs.Permission, "")
			}
			if a, ok := req.(*ask); ok {
				req = &ask{a.Text + "!"}
			}
			return next(ctx, req)
		}}))
		to := w.pool.To("s:1")
		if _, err := rpc.Call(w.t.Context(), to, echo, &ask{"x"}); !errs.Is(err, errs.Permission) || errs.Text(err) != "Permission denied" {
			w.t.Error(err)
		}
		ctx := rpc.WithHeader(w.t.Context(), "token", "t")
		if got, err := rpc.Call(ctx, to, echo, &ask{"x"}); err != nil || got.Text != "x!" {
			w.t.Error(got, err)
		}
		s, _ := rpc.OpenStream(w.t.Context(), to, chat)
		if _, err := s.Recv(); !errs.Is(err, errs.Permission) {
			w.t.Error(err)
		}
		s.Close()
		synctest.Wait()
		if got := fmt.Sprint(saw); got != "[Test.Echofalse true true Test.Echofalse true true Test.Chattrue true true]" {
			w.t.Error(got)
		}
	})
}

func TestForward(t *testing.T) {
	inBubble(t, func(w *world) {
		var hops []string
		w.serve("leader", echoServer(rpc.Options{Intercept: func(ctx context.Context, _ *rpc.Info, req any, next rpc.Next) (any, error) {
			hops = append(hops, rpc.Header(ctx, "via"))
			return next(ctx, req)
		}}))
		far := w.newPool("s", rpc.PoolOptions{})
		w.serve("s", rpcForwarder(far))

		ctx := rpc.WithHeader(w.t.Context(), "token", "secret")
		to := w.pool.To("s:1")
		if got, err := rpc.Call(ctx, to, echo, &ask{"x"}); err != nil || got.Text != "x" || string(got.Blob) != "secret" {
			w.t.Error(got, err)
		}
		s, err := rpc.OpenStream(ctx, to, chat)
		if err != nil {
			w.t.Fatal(err)
		}
		s.Send(&ask{"hi"})
		if m, err := s.Recv(); err != nil || m.Text != "re: hi" {
			w.t.Error(m, err)
		}
		s.CloseSend()
		if _, err := s.Recv(); err != io.EOF {
			w.t.Error(err)
		}
		s.Close()
		s, _ = rpc.OpenStream(ctx, to, chat)
		s.Send(&ask{"fail"})
		if _, err := s.Recv(); !errs.Is(err, errs.Conflict) {
			w.t.Error(err)
		}
		s.Close()
		s, _ = rpc.OpenStream(ctx, to, chat) // closed in the middle
		time.Sleep(time.Second)
		s.Close()
		synctest.Wait()
		if got := fmt.Sprint(hops); got != "[s s s s]" {
			w.t.Error(got)
		}
	})
}

// rpcForwarder has the same methods, and sends all calls to the leader.
func rpcForwarder(p *rpc.Pool) *rpc.Server {
	return echoServer(rpc.Options{Intercept: func(ctx context.Context, info *rpc.Info, req any, _ rpc.Next) (any, error) {
		return info.Forward(rpc.WithHeader(ctx, "via", "s"), p.To("leader:1"), req)
	}})
}

func TestTooLarge(t *testing.T) {
	inBubble(t, func(w *world) {
		w.serve("s", echoServer(rpc.Options{MaxMessage: 1000}))
		big := strings.Repeat("x", 2000)
		_, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), echo, &ask{big})
		if !errs.Is(err, errs.TooLarge) || !strings.Contains(errs.Text(err), "above the limit of 1000 bytes") {
			w.t.Error("server's limit:", err)
		}
		small := w.newPool("c", rpc.PoolOptions{MaxMessage: 500})
		if _, err = rpc.Call(w.t.Context(), small.To("s:1"), echo, &ask{big}); !errs.Is(err, errs.TooLarge) {
			w.t.Error("client's limit, sending:", err)
		}
		if _, err = rpc.Call(rpc.WithHeader(w.t.Context(), "token", big), small.To("s:1"), echo, &ask{}); !errs.Is(err, errs.TooLarge) {
			w.t.Error("limit of the answer:", err)
		}
		if _, err = rpc.Call(w.t.Context(), small.To("s:1"), echo, &ask{"ok"}); err != nil {
			w.t.Error("the connection did not survive:", err)
		}
	})
}

func TestLargeMessage(t *testing.T) {
	inBubble(t, func(w *world) {
		w.serve("s", echoServer(rpc.Options{}))
		big := string(bytes.Repeat([]byte("0123456789"), 1<<20))
		if got, err := rpc.Call(w.t.Context(), w.pool.To("s:1"), echo, &ask{big}); err != nil || got.Text != big {
			w.t.Error(err)
		}
	})
}
