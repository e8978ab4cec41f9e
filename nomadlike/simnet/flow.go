package simnet

import (
	"time"
)

// window is how many bytes may be under way or unread before a writer waits.
const window = 1 << 20

// A flow is one direction of a connection. The network's lock guards it.
type flow struct {
	n    *Network
	link link

	way     []segment // sent, in order, not arrived
	arrived []byte    // not read
	size    int       // bytes of both
	ended   bool      // the end has arrived
	reset   time.Time // when a reset arrives, if the link is open; zero for never
	deaf    bool      // the reader is gone
	changed chan struct{}
}

// A segment is what one Write sent.
type segment struct {
	at   time.Time // of arrival, if the link is open
	data []byte
	end  bool // nothing follows
}

func (n *Network) flow(l link) *flow {
	f := &flow{n: n, link: l, changed: make(chan struct{})}
	n.flows[f] = true
	return f
}

func (f *flow) open() bool { return !f.n.cut[f.link] }

// send puts data under way.
func (f *flow) send(data []byte, end bool) {
	at := time.Now().Add(f.n.delay(f.link))
	if n := len(f.way); n > 0 && at.Before(f.way[n-1].at) {
		at = f.way[n-1].at // never overtakes
	}
	f.way = append(f.way, segment{at, append([]byte(nil), data...), end})
	f.size += len(data)
	f.wake()
}

// settle moves what has arrived by now to where it can be read.
func (f *flow) settle(now time.Time) {
	if !f.open() {
		return
	}
	for len(f.way) > 0 && !f.way[0].at.After(now) {
		s := f.way[0]
		f.way[0].data = nil
		f.way = f.way[1:]
		f.arrived = append(f.arrived, s.data...)
		f.ended = f.ended || s.end
	}
}

// read takes what has arrived.
func (f *flow) read(b []byte) int {
	n := copy(b, f.arrived)
	if f.arrived = f.arrived[n:]; len(f.arrived) == 0 {
		f.arrived = nil
	}
	f.size -= n
	f.wake()
	return n
}

// broken reports whether a reset has arrived.
func (f *flow) broken(now time.Time) bool {
	return !f.reset.IsZero() && f.open() && !f.reset.After(now)
}

// next is when something is going to arrive by itself; zero for never.
func (f *flow) next() time.Time {
	if !f.open() {
		return time.Time{}
	}
	var next time.Time
	if len(f.way) > 0 {
		next = f.way[0].at
	}
	return earliest(next, f.reset)
}

// wake tells everybody who waits on the flow to look again.
func (f *flow) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// earliest returns the earlier of two times, of which zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// wait lets go of the lock until f changes or the time comes; it reports false if
// done was closed first.
func wait(done <-chan struct{}, f *flow, until time.Time) bool {
	changed := f.changed
	f.n.mu.Unlock()
	defer f.n.mu.Lock()
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-done:
		return false
	case <-changed:
	case <-timer:
	}
	return true
}
