package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

const (
	// steady is how long a session has to last for failures to count from the
	// beginning again.
	steady = 10 * time.Second
	// answerWithin is how long a server may take to answer a heartbeat until it
	// is sent again, and unanswered is how many may stay without an answer.
	answerWithin = 4 * time.Second
	unanswered   = 3
)

var sessionStream = rpc.StreamMethod[n.SessionUp, n.SessionDown]{Name: api.NodeSession}

// rejected is why a server will not have the session.
type rejected string

func (r rejected) Error() string { return "the server rejected the session: " + string(r) }

var errSilent = fmt.Errorf("no answer to %d heartbeats", unanswered)

// connect keeps the node registered and a session open until ctx ends. It returns
// an error when no server was ever reached and that is to be the end.
func (c *Client) connect(ctx context.Context) error {
	failures, began, met := backoff{longest: c.config.JoinInterval}, time.Now(), false
	for ctx.Err() == nil {
		if !c.vital.registered.Load() {
			err := c.register(ctx)
			if !met && !errs.Is(err, errs.Unavailable) && !errs.Is(err, errs.Timeout) { // one has answered
				met, failures = true, backoff{}
			}
			if err != nil {
				if within := c.config.JoinWithin; !met && within > 0 && time.Since(began) >= within && ctx.Err() == nil {
					return fmt.Errorf("no server could be reached within %v, which is retry_max times retry_interval in client.server_join: "+
						"check the addresses in retry_join (%s), or set retry_max = 0 to go on trying: %w", within, strings.Join(c.config.Servers, ", "), err)
				}
				wait := failures.next()
				if rest := c.config.JoinWithin - time.Since(began); !met && rest > 0 {
					wait = min(wait, rest)
				}
				c.log.Warn("the node is not registered yet", "error", err, "next_try", wait)
				sleep(ctx, wait)
				continue
			}
			c.log.Info("the node is registered", "node_id", c.id)
		}
		c.converse(ctx, &failures)
	}
	return nil
}

// converse holds a session, and waits after its end.
func (c *Client) converse(ctx context.Context, failures *backoff) {
	addr, began := c.servers.first(), time.Now()
	err := c.session(ctx, addr)
	if ctx.Err() != nil {
		return
	}
	if time.Since(began) > steady {
		failures.reset()
	}
	if r := rejected(""); errors.As(err, &r) {
		c.vital.registered.Store(false)
	} else {
		c.servers.failed(addr)
	}
	c.log.Warn("the session with a server ended", "server", addr, "error", err)
	sleep(ctx, failures.next())
}

// A session is one stream to one server.
type session struct {
	c       *Client
	to      rpc.Caller
	stream  *rpc.Stream[n.SessionUp, n.SessionDown]
	answers chan time.Duration // TTLs; the last one counts
	acked   chan struct{}
	givenUp chan struct{} // holds a token after the servers said so
	said    map[n.AllocID]said
}

// session holds one session until it ends, and says why it did.
func (c *Client) session(ctx context.Context, addr string) error {
	if addr == "" {
		return errNoServers
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	to := c.pool.To(addr)
	stream, err := rpc.OpenStream(ctx, to, sessionStream)
	if err != nil {
		return err
	}
	s := &session{c: c, to: to, stream: stream, answers: make(chan time.Duration, 1), acked: make(chan struct{}, 1), givenUp: make(chan struct{}, 1), said: map[n.AllocID]said{}}
	c.outbox.rewind()
	if c.wasSilent() {
		c.tellAll()
	}
	hello := &n.SessionHello{NodeID: c.id, SecretID: c.secret, Known: c.allocs.known()}
	if err := s.send(&n.SessionUp{Hello: hello}); err != nil {
		end(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() { end(s.receive(ctx, &tasks)) })
	end(s.speak(ctx))
	stream.Close()
	tasks.Wait()
	return context.Cause(ctx)
}

// tellAll tells of all allocations again, because what the servers know may be a
// guess.
func (c *Client) tellAll() {
	for _, e := range c.allocs.all() {
		c.outbox.put(e.id)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wasSilent reports that the servers have not heard of the node for so long that
// they may have given it up.
func (c *Client) wasSilent() bool {
	return time.Since(time.Unix(0, c.vital.heard.Load())) > time.Duration(c.vital.ttl.Load())
}

// send sends one message. A stream that has ended says why when it is read.
func (s *session) send(m *n.SessionUp) error {
	if err := s.stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// receive takes what the server says until the stream ends.
func (s *session) receive(ctx context.Context, tasks *sync.WaitGroup) error {
	for {
		m, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return errors.New("the server ended it")
		}
		if err != nil {
			return err
		}
		if m.Rejected != "" {
			return rejected(m.Rejected)
		}
		s.c.servers.learned(m.Servers)
		if m.GivenUp {
			s.c.tellAll()
			poke(s.givenUp)
		}
		if m.HeartbeatTTL > 0 {
			s.answered(m.HeartbeatTTL)
		}
		if m.AckSeq > 0 {
			s.c.outbox.ack(m.AckSeq)
			s.c.collectSoon()
			poke(s.acked)
		}
		if m.Dial > 0 {
			number := m.Dial
			tasks.Go(func() { s.c.tunnels.open(ctx, s.to, number, s.c.log) })
		}
		if m.Assignments != nil {
			if err := s.c.assigned(m.Assignments); err != nil {
				return err
			}
		}
	}
}

func (s *session) answered(ttl time.Duration) {
	now := time.Now()
	s.c.vital.heard.Store(now.UnixNano())
	s.c.rememberHeard(now)
	s.c.vital.ttl.Store(int64(ttl))
	select {
	case <-s.answers:
	default:
	}
	s.answers <- ttl
}

// speak sends heartbeats and updates until ctx ends.
func (s *session) speak(ctx context.Context) error {
	beat := time.NewTimer(answerWithin) // the hello is answered like a heartbeat
	defer beat.Stop()
	owed := 1 // answers
	// Updates wait for the first answer: of a node that is down the servers take
	// none.
	var updates chan struct{}
	var lazy, pause <-chan time.Time // at most one of them runs
	first := s.acked
	for {
		send := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case ttl := <-s.answers:
			if owed = 0; pause == nil {
				updates = s.c.outbox.ready
			}
			beat.Reset(due(ttl))
		case <-s.givenUp:
			clear(s.said) // all of it is news
			select {
			case <-s.acked: // of what was said before
			default:
			}
			first = s.acked
			if !s.c.outbox.waits() { // there is nothing to tell
				beat.Reset(0)
			}
		case <-first:
			// A node that comes back is ready once its allocations are known.
			first = nil
			beat.Reset(0)
		case <-beat.C:
			if owed == unanswered {
				return errSilent
			}
			owed++
			if err := s.send(&n.SessionUp{Heartbeat: true}); err != nil {
				return err
			}
			beat.Reset(answerWithin)
		case <-updates:
			if send = s.urgent(); !send && lazy == nil {
				lazy = time.After(updateEvery)
			}
		case <-lazy:
			send = true
		case <-pause:
			updates, pause = s.c.outbox.ready, nil
			send = s.c.outbox.waits()
		}
		if send {
			if err := s.update(); err != nil {
				return err
			}
			updates, lazy, pause = nil, nil, time.After(updateEvery)
		}
	}
}

// said is what a server was told of an allocation and waits for: what lets it
// place or stop others.
type said struct {
	status n.ClientStatus
	health string // "", "true" or "false"
}

func saying(u n.AllocUpdate) said {
	out := said{status: u.ClientStatus}
	if u.DeploymentHealth != nil {
		out.health = strconv.FormatBool(*u.DeploymentHealth)
	}
	return out
}

// urgent reports whether there are news that somebody waits for.
func (s *session) urgent() bool {
	for _, id := range s.c.outbox.look() {
		if e := s.c.allocs.get(id); e != nil {
			was, ok := s.said[id]
			if !ok {
				was.status = n.ClientPending
			}
			if saying(e.runner.Observed()) != was {
				return true
			}
		}
	}
	return false
}

// due is when to send the next heartbeat: before the TTL is over, not at the same
// moment as everybody.
func due(ttl time.Duration) time.Duration { return ttl*8/10 + rand.N(ttl/10+1) }

// update sends one batch of what has changed.
func (s *session) update() error {
	ids, seq := s.c.outbox.take()
	m := &n.SessionUp{UpdateSeq: seq}
	for _, id := range ids {
		e := s.c.allocs.get(id)
		if e == nil {
			s.c.outbox.drop(id)
			delete(s.said, id)
			continue
		}
		u := e.runner.Observed()
		m.Updates, s.said[id] = append(m.Updates, u), saying(u)
	}
	if len(m.Updates) == 0 {
		return nil
	}
	return s.send(m)
}
