// Package heartbeat owns the timers that notice silent nodes. It lives in the
// leader's memory.
package heartbeat

import (
	"math/rand/v2"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Options of the timers. Zero values mean the defaults.
type Options struct {
	MinTTL   time.Duration // between heartbeats; default 10s
	MaxRate  float64       // heartbeats a second from all nodes together; default 50
	Grace    time.Duration // that a late heartbeat is given; default 10s
	Failover time.Duration // that nodes are given after a change of leader; default 5m
}

func (o *Options) defaults() {
	if o.MinTTL == 0 {
		o.MinTTL = 10 * time.Second
	}
	if o.MaxRate == 0 {
		o.MaxRate = 50
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.Failover == 0 {
		o.Failover = 5 * time.Minute
	}
}

// Timers has one timer for each node that is heard of. It is safe for use by
// many goroutines.
type Timers struct {
	opts   Options
	silent func(n.NodeID) // called when a node's time is up

	mu      sync.Mutex
	enabled bool
	timers  map[n.NodeID]*time.Timer
}

// New calls silent, each time in a goroutine of its own, for nodes that are not
// heard of in time.
func New(o Options, silent func(n.NodeID)) *Timers {
	o.defaults()
	return &Timers{opts: o, silent: silent, timers: map[n.NodeID]*time.Timer{}}
}

// Begin starts a timer for each node, with the time that a new leader gives.
func (t *Timers) Begin(nodes []n.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enabled = true
	for _, id := range nodes {
		t.set(id, t.opts.Failover)
	}
}

// End stops all timers.
func (t *Timers) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enabled = false
	for id, timer := range t.timers {
		timer.Stop()
		delete(t.timers, id)
	}
}

// Heard starts a node's timer anew and returns how long until the next heartbeat
// is due. The more nodes there are, the longer; and never the same for all.
func (t *Timers) Heard(id n.NodeID) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	ttl := max(t.opts.MinTTL, time.Duration(float64(len(t.timers))/t.opts.MaxRate*float64(time.Second)))
	ttl += rand.N(ttl)
	if t.enabled {
		t.set(id, ttl+t.opts.Grace)
	}
	return ttl
}

// Forget stops the timer of a node that is gone.
func (t *Timers) Forget(id n.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if timer := t.timers[id]; timer != nil {
		timer.Stop()
		delete(t.timers, id)
	}
}

func (t *Timers) set(id n.NodeID, d time.Duration) {
	if timer := t.timers[id]; timer != nil {
		timer.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		t.mu.Lock()
		mine := t.timers[id] == timer
		if mine {
			delete(t.timers, id)
		}
		t.mu.Unlock()
		if mine {
			t.silent(id)
		}
	})
	t.timers[id] = timer
}

// Len counts the nodes that are listened to.
func (t *Timers) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.timers)
}
