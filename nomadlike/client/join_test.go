package client

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// TestJoinWithin tries to find a first server for as long as was said.
func TestJoinWithin(t *testing.T) {
	for _, c := range []struct {
		name   string
		within time.Duration
		server func(w *world, s *fakeServer)
		ends   time.Duration // 0: it does not
	}{
		{name: "nobody is there", within: 90 * time.Second, server: func(_ *world, s *fakeServer) { s.stop() }, ends: 90 * time.Second},
		{name: "nobody is there, and it goes on", server: func(_ *world, s *fakeServer) { s.stop() }},
		{name: "one comes in time", within: 90 * time.Second, server: func(w *world, s *fakeServer) {
			s.stop()
			time.AfterFunc(70*time.Second, func() { s.run(w.T, w.net, "server") })
		}},
		{name: "one has no leader", within: 90 * time.Second, server: func(_ *world, s *fakeServer) {
			s.set(func() { s.refuse = errs.New(errs.NoLeader, "No cluster leader") })
		}},
		{name: "one goes later", within: 90 * time.Second, server: func(_ *world, s *fakeServer) {
			time.AfterFunc(time.Minute, s.stop)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := serve(t, w.net, "server")
				cl := w.open(dir, func(conf *Config) {
					conf.Servers, conf.JoinWithin = []string{s.addr}, c.within
				})
				c.server(w, s)
				ctx, cancel := context.WithCancel(t.Context())
				done, began := make(chan error, 1), time.Now()
				go func() { done <- cl.Run(ctx) }()
				select {
				case err := <-done:
					took := time.Since(began)
					if c.ends == 0 || took < c.ends || took > c.ends+registerTimeout {
						t.Errorf("it ended after %v", took)
					}
					for _, part := range []string{s.addr, "1m30s", "retry_max", "retry_join"} {
						if err == nil || !strings.Contains(err.Error(), part) {
							t.Errorf("the error lacks %q: %v", part, err)
						}
					}
					cancel()
				case <-time.After(10 * time.Minute):
					if c.ends != 0 {
						t.Error("it goes on")
					}
					cancel()
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				s.stop()
			})
		})
	}
}

// TestJoinInterval waits as long as was said between two tries at most, and less
// at first.
func TestJoinInterval(t *testing.T) {
	for _, longest := range []time.Duration{0, time.Second, 5 * time.Minute} {
		b, last := backoff{longest: longest}, time.Duration(0)
		for range 30 {
			last = b.next()
		}
		most := longest
		if most == 0 {
			most = longestWait
		}
		if first := (&backoff{longest: longest}).next(); first > shortestWait || last > most || last < most/2 {
			t.Errorf("%v: first %v, at last %v", longest, first, last)
		}
	}
}
