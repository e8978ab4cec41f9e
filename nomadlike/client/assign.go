package client

import (
	"errors"
	"slices"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// An entry is one allocation on this node.
type entry struct {
	id     n.AllocID
	runner runner
	done   chan struct{} // closed when nothing of it runs, nor will

	mu       sync.Mutex
	alloc    *n.Allocation // as the servers last sent it
	job      *n.Job
	ended    time.Time // when done was closed
	unwanted bool      // the servers forgot it
	leaving  bool      // it is being removed
}

// spec is what the servers want of it.
func (e *entry) spec() (*n.Allocation, *n.Job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.alloc, e.job
}

func (e *entry) index() uint64 {
	a, _ := e.spec()
	return a.AllocModifyIndex
}

// isDone reports that nothing of it runs, and since when.
func (e *entry) isDone() (time.Time, bool) {
	select {
	case <-e.done:
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.ended, true
	default:
		return time.Time{}, false
	}
}

// allocs are the allocations on this node.
//
// The hard part is that a server may be behind the others: one that takes up the
// session must not make the client remove an allocation of which it has not
// heard yet, nor take back an order. Every answer says from which index of the
// state it was made, so what is older than something heard before is known.
type allocs struct {
	mu    sync.Mutex
	byID  map[n.AllocID]*entry
	gone  map[n.AllocID]uint64 // those that servers know and that are no longer here, with their AllocModifyIndex
	index uint64               // the newest state heard of
}

func newAllocs() *allocs {
	return &allocs{byID: map[n.AllocID]*entry{}, gone: map[n.AllocID]uint64{}}
}

// since notes the state that the node was registered in. A lower index than
// before says that the cluster began anew.
func (s *allocs) since(index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = index
}

// reached notes the index of a state, and reports whether it is older than one
// heard of before.
func (s *allocs) reached(index uint64) (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	behind = index < s.index
	s.index = max(s.index, index)
	return behind
}

func (s *allocs) get(id n.AllocID) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

func (s *allocs) all() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*entry, 0, len(s.byID))
	for _, e := range s.byID {
		out = append(out, e)
	}
	return out
}

// known is what a server need not send again.
func (s *allocs) known() map[n.AllocID]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[n.AllocID]uint64, len(s.byID)+len(s.gone))
	for id, index := range s.gone {
		out[id] = index
	}
	for id, e := range s.byID {
		out[id] = e.index()
	}
	return out
}

func (s *allocs) put(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[e.id] = e
	delete(s.gone, e.id)
}

// drop takes an entry off the list; an allocation that servers still know stays
// known, so that they do not send it again.
func (s *allocs) drop(e *entry) {
	e.mu.Lock()
	index, unwanted := e.alloc.AllocModifyIndex, e.unwanted
	e.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, e.id)
	if !unwanted {
		s.gone[e.id] = index
	}
}

// skip notes an allocation that is not for this client to run.
func (s *allocs) skip(a *n.Allocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone[a.ID] = a.AllocModifyIndex
}

// missing are those here that are not in a list.
func (s *allocs) missing(listed map[n.AllocID]bool) []n.AllocID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []n.AllocID
	for id := range s.byID {
		if !listed[id] {
			out = append(out, id)
		}
	}
	for id := range s.gone {
		if !listed[id] {
			out = append(out, id)
		}
	}
	return out
}

// forget marks an allocation as unwanted and returns it, or nil.
func (s *allocs) forget(id n.AllocID) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.gone, id)
	e := s.byID[id]
	if e != nil {
		e.mu.Lock()
		e.unwanted = true
		e.mu.Unlock()
	}
	return e
}

// errBehind ends a session with a server that would have the client remove what
// it may only not have heard of.
var errBehind = errors.New("the server is behind what another has said")

// assigned carries out what a server assigned. It does not wait for anything
// to start or end.
func (c *Client) assigned(a *n.Assignments) error {
	behind := c.allocs.reached(a.Index)
	for _, alloc := range byAge(a.Allocs) {
		c.assign(alloc, jobOf(a.Jobs, alloc))
	}
	removed := a.Removed
	if a.Full {
		listed := map[n.AllocID]bool{}
		for _, alloc := range a.Allocs {
			listed[alloc.ID] = true
		}
		for _, id := range a.Known {
			listed[id] = true
		}
		removed = append(slices.Clone(removed), c.allocs.missing(listed)...)
	}
	if behind && len(removed) > 0 {
		return errBehind
	}
	for _, id := range removed {
		if e := c.allocs.forget(id); e != nil {
			c.work.do(func() { c.destroy(e) })
		}
	}
	c.contactOnce.Do(func() { close(c.contact) })
	return nil
}

func jobOf(jobs []*n.Job, a *n.Allocation) *n.Job {
	for _, j := range jobs {
		if j.Key() == a.JobKey() && j.Version == a.JobVersion {
			return j
		}
	}
	return nil
}

// assign begins an allocation, or changes one that is here.
func (c *Client) assign(a *n.Allocation, job *n.Job) {
	e := c.allocs.get(a.ID)
	if e != nil {
		c.update(e, a, job)
		return
	}
	switch {
	case a.ClientStatus.Terminal():
		c.allocs.skip(a)
		return
	case job == nil:
		c.log.Error("an allocation came without its job; it is asked for again with the next session", "alloc_id", a.ID, "job_id", a.JobID)
		return
	}
	c.log.Debug("allocation received", "alloc_id", a.ID, "job_id", a.JobID, "desired", a.DesiredStatus)
	c.begin(a, job, c.make(a, job, nil))
}

func (c *Client) update(e *entry, a *n.Allocation, job *n.Job) {
	e.mu.Lock()
	if a.AllocModifyIndex <= e.alloc.AllocModifyIndex {
		e.mu.Unlock()
		return
	}
	if job == nil {
		job = e.job
	}
	e.alloc, e.job = a, job
	e.mu.Unlock()
	e.runner.Update(a, job)
	poke(c.arrived)
}

// begin runs an allocation.
func (c *Client) begin(a *n.Allocation, job *n.Job, r runner) {
	e := &entry{id: a.ID, runner: r, done: make(chan struct{}), alloc: a, job: job}
	if c.work.do(func() { c.run(e) }) {
		c.allocs.put(e)
		poke(c.arrived)
		c.collectSoon()
	}
}

// run runs an allocation until nothing of it runs any more, or the client stops.
func (c *Client) run(e *entry) {
	ctx := c.work.ctx
	if err := e.runner.Run(ctx); err != nil && ctx.Err() == nil {
		c.log.Error("an allocation ended badly", "alloc_id", e.id, "error", err)
	}
	if ctx.Err() != nil {
		return
	}
	e.mu.Lock()
	e.ended = time.Now()
	e.mu.Unlock()
	close(e.done)
	c.collectSoon()
}

// destroy ends an allocation, removes all of it and forgets it. What can not be
// removed is tried again with the next collection.
func (c *Client) destroy(e *entry) {
	if c.remove(e) {
		c.allocs.drop(e)
		c.outbox.drop(e.id)
	}
}

// remove ends an allocation and removes all that is left of it, and reports
// whether that was done now.
func (c *Client) remove(e *entry) bool {
	e.mu.Lock()
	busy := e.leaving
	e.leaving = true
	e.mu.Unlock()
	if busy {
		return false
	}
	if err := e.runner.Destroy(); err != nil {
		c.log.Warn("an allocation can not be removed yet", "alloc_id", e.id, "error", err)
		e.mu.Lock()
		e.leaving = false
		e.mu.Unlock()
		return false
	}
	return true
}
