// Package broker hands evaluations to workers: the most important first, one at
// a time for each job, again when a worker fails, and never more than a few
// times. It lives in the leader's memory and is filled from the state store
// when a leader begins.
//
// It does not write evaluations: what it has to say of them (cancelled,
// failed) it returns to those who do.
package broker

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// FailedQueue is the scheduler type under which evaluations are dequeued that
// were delivered too often.
const FailedQueue = "_failed"

// Options of a Broker. Zero values mean the defaults.
type Options struct {
	// NackTimeout is how long a worker may keep an evaluation; default 60s.
	NackTimeout time.Duration
	// DeliveryLimit is how often an evaluation is handed out; default 3.
	DeliveryLimit int
	// FirstDelay and LaterDelay are the pauses before an evaluation is handed
	// out again: FirstDelay after the first failure, then LaterDelay times the
	// number of failures less one. Defaults 1s and 20s.
	FirstDelay, LaterDelay time.Duration
}

func (o *Options) defaults() {
	if o.NackTimeout == 0 {
		o.NackTimeout = time.Minute
	}
	if o.DeliveryLimit == 0 {
		o.DeliveryLimit = 3
	}
	if o.FirstDelay == 0 {
		o.FirstDelay = time.Second
	}
	if o.LaterDelay == 0 {
		o.LaterDelay = 20 * time.Second
	}
}

// A Broker is safe for use by many goroutines.
type Broker struct {
	opts Options

	mu         sync.Mutex
	enabled    bool
	known      map[n.EvalID]int           // deliveries so far, of all that are in here
	ready      map[string]*queue          // by scheduler type
	jobs       map[n.JobKey]*job          // that have an evaluation ready or out
	out        map[n.EvalID]*delivery     // handed to a worker
	timers     map[n.EvalID]*time.Timer   // waiting for their time
	requeue    map[n.EvalID]*n.Evaluation // to be enqueued again once acked
	cancelable []*n.Evaluation
	wake       chan struct{} // closed when something became ready
}

// A job has at most one evaluation ready or out; the others wait.
type job struct {
	active  n.EvalID
	pending queue
	index   uint64 // the newest ModifyIndex seen of its evaluations
}

type delivery struct {
	eval  *n.Evaluation
	token string
	timer *time.Timer
}

// A Delivery is an evaluation handed to a worker.
type Delivery struct {
	Eval  *n.Evaluation
	Token string
	// WaitIndex is the raft index that the worker's state must have reached.
	WaitIndex uint64
}

// New makes a broker that is not enabled yet.
func New(o Options) *Broker {
	o.defaults()
	b := &Broker{opts: o}
	b.reset()
	return b
}

func (b *Broker) reset() {
	for _, t := range b.timers {
		t.Stop()
	}
	for _, d := range b.out {
		d.timer.Stop()
	}
	if b.wake != nil {
		close(b.wake)
	}
	b.known = map[n.EvalID]int{}
	b.ready = map[string]*queue{}
	b.jobs = map[n.JobKey]*job{}
	b.out = map[n.EvalID]*delivery{}
	b.timers = map[n.EvalID]*time.Timer{}
	b.requeue = map[n.EvalID]*n.Evaluation{}
	b.cancelable = nil
	b.wake = make(chan struct{})
}

// SetEnabled starts or ends the broker's work. Ending forgets everything.
func (b *Broker) SetEnabled(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.enabled == on {
		return
	}
	b.enabled = on
	b.reset()
}

// Enqueue takes evaluations in. One that is in here already is ignored; one that
// is out and changed since comes back after it is acknowledged.
func (b *Broker) Enqueue(evals ...*n.Evaluation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.enabled {
		return
	}
	for _, e := range evals {
		b.take(e)
	}
}

func (b *Broker) take(e *n.Evaluation) {
	if _, in := b.known[e.ID]; in {
		// A blocked evaluation may be unblocked while its worker still holds it.
		if d := b.out[e.ID]; d != nil && e.ModifyIndex > d.eval.ModifyIndex {
			b.requeue[e.ID] = e
		}
		return
	}
	b.known[e.ID] = 0
	wait := e.Wait
	if e.WaitUntil != nil {
		wait = time.Until(*e.WaitUntil)
	}
	if wait > 0 {
		b.after(wait, e)
		return
	}
	b.queue(e)
}

// after queues e when its time has come.
func (b *Broker) after(wait time.Duration, e *n.Evaluation) {
	var t *time.Timer
	t = time.AfterFunc(wait, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.timers[e.ID] == t {
			delete(b.timers, e.ID)
			b.queue(e)
		}
	})
	b.timers[e.ID] = t
}

// queue makes e ready, or lets it wait for its job's other evaluation.
func (b *Broker) queue(e *n.Evaluation) {
	if e.JobID != "" {
		j := b.jobs[e.JobKey()]
		if j == nil {
			j = &job{pending: queue{less: newestFirst}}
			b.jobs[e.JobKey()] = j
		}
		j.index = max(j.index, e.ModifyIndex)
		if j.active != "" && j.active != e.ID {
			j.pending.push(e)
			return
		}
		j.active = e.ID
	}
	typ := e.Type
	if b.known[e.ID] >= b.opts.DeliveryLimit {
		typ = FailedQueue
	}
	q := b.ready[typ]
	if q == nil {
		q = &queue{less: oldestFirst}
		b.ready[typ] = q
	}
	q.push(e)
	close(b.wake)
	b.wake = make(chan struct{})
}

// Dequeue waits for an evaluation of one of the types, or for ctx.
func (b *Broker) Dequeue(ctx context.Context, types ...string) (*Delivery, error) {
	for {
		b.mu.Lock()
		d := b.dequeue(types)
		wake := b.wake
		b.mu.Unlock()
		if d != nil {
			return d, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *Broker) dequeue(types []string) *Delivery {
	var best *queue
	ties := 0
	for _, t := range types {
		q := b.ready[t]
		if q == nil || len(q.evals) == 0 {
			continue
		}
		switch p := q.evals[0].Priority; {
		case best == nil || p > best.evals[0].Priority:
			best, ties = q, 1
		case p == best.evals[0].Priority:
			// Each of the types that tie is chosen with equal chance.
			if ties++; rand.IntN(ties) == 0 {
				best = q
			}
		}
	}
	if best == nil {
		return nil
	}
	e := best.pop()
	b.known[e.ID]++
	d := &delivery{eval: e, token: uuid.NewString()}
	d.timer = time.AfterFunc(b.opts.NackTimeout, func() { _ = b.Nack(e.ID, d.token) })
	b.out[e.ID] = d
	wait := e.ModifyIndex
	if j := b.jobs[e.JobKey()]; j != nil {
		wait = max(wait, j.index)
	}
	return &Delivery{Eval: e, Token: d.token, WaitIndex: wait}
}

// held returns the delivery that the token belongs to.
func (b *Broker) held(id n.EvalID, token string) (*delivery, error) {
	d := b.out[id]
	if d == nil || d.token != token {
		return nil, errs.Newf(errs.Conflict, "evaluation %s is not held with this token: it was taken back after %s, or the leader changed", id, b.opts.NackTimeout)
	}
	return d, nil
}

// Extend gives the worker the full NackTimeout from now, or, with paused, as
// long as it takes; it fails when the worker does not hold the evaluation.
func (b *Broker) Extend(id n.EvalID, token string, paused bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.held(id, token)
	if err != nil {
		return err
	}
	if paused {
		d.timer.Stop()
	} else {
		d.timer.Reset(b.opts.NackTimeout)
	}
	return nil
}

// Ack says that an evaluation was handled. The best that waits for the same job
// becomes ready; the older ones have nothing left to say and become Cancelable.
func (b *Broker) Ack(id n.EvalID, token string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.held(id, token)
	if err != nil {
		return err
	}
	d.timer.Stop()
	delete(b.out, id)
	delete(b.known, id)
	again := b.requeue[id]
	delete(b.requeue, id)
	b.next(d.eval, true)
	if again != nil {
		b.take(again)
	}
	return nil
}

// next makes the best waiting evaluation of e's job ready.
func (b *Broker) next(e *n.Evaluation, cancelOlder bool) {
	j := b.jobs[e.JobKey()]
	if j == nil || j.active != e.ID {
		return
	}
	j.active = ""
	if len(j.pending.evals) == 0 {
		delete(b.jobs, e.JobKey())
		return
	}
	best := j.pending.pop()
	if cancelOlder {
		for _, old := range j.pending.evals {
			delete(b.known, old.ID)
			b.cancelable = append(b.cancelable, old)
		}
		j.pending.evals = nil
	}
	j.active = best.ID
	b.queue(best)
}

// Nack says that an evaluation could not be handled. It is handed out again
// after a pause, or goes to the FailedQueue.
func (b *Broker) Nack(id n.EvalID, token string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.held(id, token)
	if err != nil {
		return err
	}
	d.timer.Stop()
	delete(b.out, id)
	delete(b.requeue, id)
	delay := b.opts.FirstDelay
	switch deliveries := b.known[id]; {
	case deliveries >= b.opts.DeliveryLimit:
		delay = 0
	case deliveries > 1:
		delay = time.Duration(deliveries-1) * b.opts.LaterDelay
	}
	if delay == 0 {
		b.queue(d.eval)
		return nil
	}
	b.after(delay, d.eval)
	return nil
}

// Cancelable takes the evaluations that a newer one of their job made needless.
func (b *Broker) Cancelable() []*n.Evaluation {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cancelable
	b.cancelable = nil
	return c
}

// Stats counts what is in the broker.
type Stats struct{ Ready, Out, Pending, Waiting, Cancelable int }

// Stats counts what is in the broker.
func (b *Broker) Stats() (s Stats) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.ready {
		s.Ready += len(q.evals)
	}
	for _, j := range b.jobs {
		s.Pending += len(j.pending.evals)
	}
	s.Out, s.Waiting, s.Cancelable = len(b.out), len(b.timers), len(b.cancelable)
	return s
}
