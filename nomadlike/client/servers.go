package client

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// servers are the addresses of servers, the one to talk to first.
type servers struct {
	configured []string

	mu    sync.Mutex
	known []string
}

func newServers(configured []string) *servers {
	return &servers{configured: configured, known: slices.Clone(configured)}
}

// list returns the servers in the order in which to try them.
func (s *servers) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.known)
}

// first is the server to talk to, or "".
func (s *servers) first() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) == 0 {
		return ""
	}
	return s.known[0]
}

// learned replaces what is known by what a server said. The one that is talked
// to stays first, and the others are mixed, so that clients spread over them.
func (s *servers) learned(addrs []string) {
	if len(addrs) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if same(s.known, addrs) {
		return
	}
	current := ""
	if len(s.known) > 0 {
		current = s.known[0]
	}
	s.known = slices.Clone(addrs)
	rand.Shuffle(len(s.known), func(i, j int) { s.known[i], s.known[j] = s.known[j], s.known[i] })
	if i := slices.Index(s.known, current); i > 0 {
		s.known[0], s.known[i] = s.known[i], s.known[0]
	}
}

func same(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// failed moves a server to the end of the list. Those of the configuration are
// tried as well: all that were learned may be gone.
func (s *servers) failed(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.configured {
		if !slices.Contains(s.known, a) {
			s.known = append(s.known, a)
		}
	}
	if i := slices.Index(s.known, addr); i >= 0 {
		s.known = append(slices.Delete(s.known, i, i+1), addr)
	}
}

// ToServers calls the servers: one of them, and another when that one can not be
// reached. A call that changes something may then be carried out twice.
func (c *Client) ToServers() api.Caller { return toServers{c} }

type toServers struct{ c *Client }

var errNoServers = errs.New(errs.Unavailable, "no known servers")

func (t toServers) Call(ctx context.Context, r *api.Row, req any) (resp any, err error) {
	err = errNoServers
	for _, addr := range t.c.servers.list() {
		resp, err = api.Remote(t.c.pool.To(addr)).Call(ctx, r, req)
		if !t.c.next(ctx, addr, err) {
			break
		}
	}
	return resp, err
}

func (t toServers) Stream(ctx context.Context, r *api.Row, req any, send func(any) error) (err error) {
	begun := false
	err = errNoServers
	for _, addr := range t.c.servers.list() {
		err = api.Remote(t.c.pool.To(addr)).Stream(ctx, r, req, func(f any) error {
			begun = true
			return send(f)
		})
		if begun || !t.c.next(ctx, addr, err) {
			break
		}
	}
	return err
}

// next reports whether another server should be asked after err.
func (c *Client) next(ctx context.Context, addr string, err error) bool {
	if !errs.Is(err, errs.Unavailable) || ctx.Err() != nil {
		return false
	}
	c.servers.failed(addr)
	return true
}
