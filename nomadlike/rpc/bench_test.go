package rpc_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// realServer serves on a real socket, as production does.
func realServer(b *testing.B, srv *rpc.Server) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { srv.Serve(ctx, l); close(done) }()
	b.Cleanup(func() { cancel(); <-done })
	return l.Addr().String()
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

func BenchmarkCall(b *testing.B) {
	addr := realServer(b, echoServer(rpc.Options{}))
	p := rpc.NewPool(rpc.PoolOptions{Dial: dialTCP})
	defer p.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rpc.Call(b.Context(), p.To(addr), echo, &ask{"hello"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallParallel(b *testing.B) {
	addr := realServer(b, echoServer(rpc.Options{}))
	p := rpc.NewPool(rpc.PoolOptions{Dial: dialTCP})
	defer p.Close()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := rpc.Call(b.Context(), p.To(addr), echo, &ask{"hello"}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	addr := realServer(b, echoServer(rpc.Options{}))
	p := rpc.NewPool(rpc.PoolOptions{Dial: dialTCP})
	defer p.Close()
	s, err := rpc.OpenStream(b.Context(), p.To(addr), chat)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(&ask{"hello"}); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Recv(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleConnection measures the memory, heap and stacks, that one quiet
// connection with an open stream costs: both ends together, since they share the
// process. The server's end is about half.
func BenchmarkIdleConnection(b *testing.B) {
	for name, withTLS := range map[string]bool{"plain": false, "tls": true} {
		b.Run(name, func(b *testing.B) {
			opts, popts := rpc.Options{}, rpc.PoolOptions{Dial: dialTCP}
			if withTLS {
				ca := newAuthority(b)
				opts.TLS, popts.TLS = ca.server(serverName), ca.client("client.global.nomad", serverName)
			}
			addr := realServer(b, echoServer(opts))
			const n = 500
			pools := make([]*rpc.Pool, n)
			before := memory()
			for i := range pools {
				pools[i] = rpc.NewPool(popts)
				s, err := rpc.OpenStream(b.Context(), pools[i].To(addr), chat)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Send(&ask{"hello"}); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Recv(); err != nil {
					b.Fatal(err)
				}
			}
			used, goroutines := memory()-before, runtime.NumGoroutine()
			for _, p := range pools {
				p.Close()
			}
			for b.Loop() { // nothing more to time
			}
			b.ReportMetric(float64(used)/n, "bytes/connection")
			b.ReportMetric(float64(goroutines)/n, "goroutines/connection")
		})
	}
}

func memory() uint64 {
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
