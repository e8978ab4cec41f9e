package client

import (
	"context"
	"math/rand/v2"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

const (
	// registerTimeout bounds one try.
	registerTimeout = 15 * time.Second
	// registerQuiet gathers changes of the node that come together.
	registerQuiet = time.Second
)

// A backoff says how long to wait after failures in a row: soon at first, then
// longer and at random, so that many clients do not come all at once.
type backoff struct {
	wait    time.Duration
	longest time.Duration // 0: longestWait
}

const (
	shortestWait = 50 * time.Millisecond
	longestWait  = 30 * time.Second
)

// next is how long to wait after one more failure.
func (b *backoff) next() time.Duration {
	longest := b.longest
	if longest == 0 {
		longest = longestWait
	}
	b.wait = min(max(2*b.wait, shortestWait), longest)
	return b.wait/2 + rand.N(b.wait/2+1)
}

func (b *backoff) reset() { b.wait = 0 }

// sleep waits; false means that ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// register makes the node known, once.
func (c *Client) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	node := c.node.take()
	resp, err := api.Do(ctx, c.ToServers(), api.NodeRegister, &n.NodeRegister{
		WriteOptions: n.WriteOptions{RequestOptions: n.RequestOptions{Region: c.config.Region}},
		Node:         node, SecretID: c.secret,
	})
	if err != nil {
		c.node.untake()
		return err
	}
	c.vital.registered.Store(true)
	c.node.remind() // it may have changed meanwhile
	c.servers.learned(resp.Servers)
	c.allocs.since(resp.Index)
	return nil
}

// reregister makes changes of the node known.
func (c *Client) reregister(ctx context.Context) {
	var failures backoff
	for {
		select {
		case <-c.node.changed:
		case <-ctx.Done():
			return
		}
		if !c.vital.registered.Load() {
			continue // it will be registered as it is then
		}
		if !sleep(ctx, registerQuiet) {
			return
		}
		for c.node.untold() {
			err := c.register(ctx)
			if err == nil {
				failures.reset()
				break
			}
			c.log.Warn("a change of the node could not be made known", "error", err)
			if !sleep(ctx, failures.next()) {
				return
			}
		}
	}
}
