package task

import (
	"sync"
	"time"
)

// A gate is open or closed.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open
}

func (g *gate) closed() { g.open = make(chan struct{}) }

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		if !open {
			g.open = make(chan struct{})
		}
	default:
		if open {
			close(g.open)
		}
	}
}

// opened returns a channel that is closed when the gate is open.
func (g *gate) opened() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// An Order ends a task for good.
type Order struct {
	Reason  string // shown instead of the usual text
	Fails   bool   // the task has failed
	NoDelay bool   // without the task's shutdown delay
	// Quiet ends a task without telling of it: one that never began.
	Quiet bool
}

// A stopper takes the first order and keeps it.
type stopper struct {
	now   chan struct{} // closed by the first order
	hurry chan struct{} // closed by the first order without delay

	mu    sync.Mutex
	order *Order
	fail  error // of stopping
}

// Kill ends the task for good, in its time. Only the first order counts, but a
// later one can shorten the delay.
func (r *Runner) Kill(o Order) {
	s := &r.stop
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.order == nil
	if o.NoDelay && (first || !s.order.NoDelay) {
		close(s.hurry)
	}
	if first {
		s.order = &o
		close(s.now)
	}
	s.order.NoDelay = s.order.NoDelay || o.NoDelay
}

// Killed reports whether Kill was called.
func (r *Runner) Killed() bool {
	r.stop.mu.Lock()
	defer r.stop.mu.Unlock()
	return r.stop.order != nil
}

func (s *stopper) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// why returns the order that was taken, with how it went.
func (s *stopper) why() outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order == nil {
		return outcome{}
	}
	return outcome{*s.order, s.fail}
}

type outcome struct {
	Order
	fail error
}

func (o outcome) err() string {
	if o.fail == nil {
		return ""
	}
	return o.fail.Error()
}

// killTimeout is how long a task may take to end.
func (r *Runner) killTimeout() time.Duration {
	d := r.Spec().Task.KillTimeout
	if d <= 0 {
		d = 5 * time.Second
	}
	if most := r.host.MaxKillTimeout; most > 0 && d > most {
		d = most
	}
	return d
}
