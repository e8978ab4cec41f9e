package client

import (
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// run tries something in a bubble with one server, and a client that knows it.
func run(t *testing.T, fn func(t *testing.T, w *world, s *fakeServer, cl *Client)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		cl := w.open(dir, func(c *Config) { c.Servers = []string{s.addr} })
		fn(t, w, s, cl)
		s.stop()
	})
}

func TestRegistersUntilItWorks(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		s.set(func() { s.refuse = errs.New(errs.NoLeader, "No cluster leader") })
		stop := w.running(cl)
		settle(time.Minute)
		registers, hellos, _ := s.count()
		if registers < 5 || registers > 20 {
			t.Errorf("%d registrations in a minute", registers)
		}
		equal(t, "sessions before registration", hellos, 0)
		s.set(func() { s.refuse = nil })
		settle(longestWait)
		_, hellos, _ = s.count()
		equal(t, "sessions", hellos, 1)
		node := s.registers[0].Node
		equal(t, "id", node.ID, cl.NodeID())
		equal(t, "version", node.Attributes["nomad.version"], n.CompatibilityVersion)
		equal(t, "secret", s.registers[0].SecretID, s.hellos[0].SecretID)
		stop()
	})
}

func TestServerThatComesLater(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		s.stop()
		stop := w.running(cl)
		settle(10 * time.Second)
		s.run(t, w.net, "server")
		settle(longestWait)
		_, hellos, _ := s.count()
		equal(t, "sessions", hellos, 1)
		stop()
	})
}

func TestHeartbeats(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(95 * time.Second)
		if k := len(s.beats); k < 10 || k > 12 { // every 8 to 9 s
			t.Errorf("%d heartbeats in 95 s of a TTL of 10 s", k)
		}
		for i, at := range s.beats[1:] {
			if gap := at.Sub(s.beats[i]); gap > s.ttl {
				t.Errorf("%v between heartbeats", gap)
			}
		}
		// A server that does not reach its leader does not answer; another is
		// asked, or this one again.
		s.set(func() { s.mute = true })
		settle(30 * time.Second)
		if _, hellos, _ := s.count(); hellos < 2 {
			t.Error("the silent session was kept")
		}
		stop()
	})
}

func TestAssignmentIsPushed(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(0)
		r := w.runner(a.ID)
		if r == nil || !cl.Has(a.ID) {
			t.Fatal("the allocation was not begun at once")
		}
		begin := time.Now()
		r.become(n.ClientRunning)
		settle(0)
		equals(t, "said", s.heard(a.ID), n.ClientRunning)
		equal(t, "delay", time.Since(begin), 0)

		// The same again changes nothing, something newer does, something older
		// does not.
		s.down <- assignment(20, a)
		newer := *a
		newer.AllocModifyIndex, newer.DesiredStatus = 25, n.DesiredStop
		s.down <- assignment(25, &newer)
		s.down <- assignment(25, a)
		settle(0)
		equal(t, "updates", r.updateCount(), 1)
		equal(t, "desired", r.alloc.DesiredStatus, n.DesiredStop)

		s.down <- &n.SessionDown{Assignments: &n.Assignments{Removed: []n.AllocID{a.ID}, Index: 30}}
		settle(0)
		equal(t, "destroyed", r.isDestroyed(), true)
		equal(t, "here", cl.Has(a.ID), false)
		stop()
	})
}

func TestAssignmentsThatAreNotRun(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		over, _ := allocation("aaaaaaaa", 20)
		over.ClientStatus = n.ClientComplete
		jobless, _ := allocation("bbbbbbbb", 21)
		jobless.JobVersion = 3
		s.down <- assignment(21, over, jobless)
		settle(0)
		equal(t, "ended", w.runner(over.ID), nil)
		equal(t, "without a job", w.runner(jobless.ID), nil)
		// The first is known from now on, the second is to come again.
		equal(t, "known", cl.allocs.known()[over.ID], 20)
		equal(t, "known", cl.allocs.known()[jobless.ID], 0)
		stop()
	})
}

func TestUpdatesAreBatched(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		var all []*n.Allocation
		for _, id := range []string{"aaaaaaaa", "bbbbbbbb", "cccccccc"} {
			a, _ := allocation(id, 20)
			all = append(all, a)
		}
		s.down <- assignment(20, all...)
		settle(time.Second)
		begin := time.Now()
		w.runner(all[0].ID).become(n.ClientRunning)
		settle(0)
		for range 20 { // many changes within 200 ms are one update
			for _, a := range all {
				w.runner(a.ID).become(n.ClientRunning)
			}
			time.Sleep(5 * time.Millisecond)
		}
		settle(time.Second)
		equal(t, "messages", len(s.updates), 2)
		equal(t, "first", s.times[0].Sub(begin), 0)
		equal(t, "second", s.times[1].Sub(begin), updateEvery)
		equal(t, "in the second", len(s.updates[1].Updates), 3)

		// What nobody waits for goes along with what somebody does, or waits.
		begin = time.Now()
		w.runner(all[0].ID).become(n.ClientRunning)
		time.Sleep(10 * time.Millisecond)
		w.runner(all[1].ID).become(n.ClientFailed)
		settle(time.Second)
		w.runner(all[2].ID).become(n.ClientRunning)
		settle(time.Second)
		equal(t, "messages", len(s.updates), 4)
		equal(t, "third", s.times[2].Sub(begin), 10*time.Millisecond)
		equal(t, "in the third", len(s.updates[2].Updates), 2)
		equal(t, "fourth", s.times[3].Sub(begin), 1210*time.Millisecond)
		stop()
	})
}

func TestUnacknowledgedUpdatesAreSentAgain(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		b, _ := allocation("bbbbbbbb", 20)
		s.down <- assignment(20, a, b)
		settle(time.Second)
		w.runner(a.ID).become(n.ClientRunning)
		settle(time.Second)
		s.set(func() {
			s.deaf = true
			s.first = &n.Assignments{Full: true, Known: []n.AllocID{a.ID, b.ID}, Index: 20}
		})
		w.runner(b.ID).become(n.ClientRunning)
		settle(time.Second)
		equal(t, "owed", cl.outbox.owes(b.ID), true)
		s.stop()
		settle(time.Second)
		s.set(func() { s.deaf = false })
		s.run(t, w.net, "server")
		settle(5 * time.Second)
		equals(t, "acknowledged", s.heard(a.ID), n.ClientRunning)
		equals(t, "not acknowledged", s.heard(b.ID), n.ClientRunning, n.ClientRunning)
		equal(t, "known to the client", s.hellos[1].Known[a.ID], 20)
		equal(t, "owed", cl.outbox.owes(b.ID), false)
		equal(t, "destroyed", w.runner(a.ID).isDestroyed(), false)
		stop()
	})
}

func TestFullAssignmentRemovesWhatIsGone(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		b, _ := allocation("bbbbbbbb", 21)
		s.down <- assignment(21, a, b)
		settle(time.Second)
		s.stop()
		s.set(func() { s.first = &n.Assignments{Full: true, Known: []n.AllocID{a.ID}, Index: 40} })
		s.run(t, w.net, "server")
		settle(5 * time.Second)
		equal(t, "kept", w.runner(a.ID).isDestroyed(), false)
		equal(t, "gone", w.runner(b.ID).isDestroyed(), true)
		stop()
	})
}

// A server that is behind does not know of the allocation yet. It must go on.
func TestServerThatIsBehind(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(time.Second)
		s.stop()
		s.set(func() { s.first = &n.Assignments{Full: true, Index: 15} })
		s.run(t, w.net, "server")
		settle(20 * time.Second)
		equal(t, "destroyed", w.runner(a.ID).isDestroyed(), false)
		if _, hellos, _ := s.count(); hellos < 3 {
			t.Error("the client stays with the server that is behind")
		}
		// Once it has caught up, what it says counts.
		s.set(func() { s.first = &n.Assignments{Full: true, Index: 21} })
		settle(longestWait)
		equal(t, "destroyed", w.runner(a.ID).isDestroyed(), true)
		stop()
	})
}

func TestRejectedRegistersAgain(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		s.down <- &n.SessionDown{Rejected: "the node is not registered"}
		settle(5 * time.Second)
		registers, hellos, _ := s.count()
		equal(t, "registrations", registers, 2)
		equal(t, "sessions", hellos, 2)
		stop()
	})
}

func TestFailover(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		one, two := serve(t, w.net, "one"), serve(t, w.net, "two")
		one.servers = []string{one.addr, two.addr}
		cl := w.open(dir, func(c *Config) { c.Servers = []string{one.addr} })
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		one.down <- assignment(20, a)
		two.set(func() { two.first = &n.Assignments{Full: true, Known: []n.AllocID{a.ID}, Index: 20} })
		settle(time.Second)
		one.stop()
		settle(time.Second)
		registers, hellos, _ := two.count()
		equal(t, "sessions with the other", hellos, 1)
		equal(t, "registrations with the other", registers, 0) // the cluster knows the node
		w.runner(a.ID).become(n.ClientFailed)
		settle(0)
		equals(t, "said", two.heard(a.ID), n.ClientFailed)

		// A network that is cut is noticed by its silence.
		one.run(t, w.net, "one")
		one.set(func() { one.first = two.first })
		w.net.Partition([]string{"client"}, []string{"two"})
		settle(40 * time.Second)
		if _, hellos, _ := one.count(); hellos < 2 {
			t.Error("the session over the cut network was kept")
		}
		stop()
		one.stop()
		two.stop()
	})
}
