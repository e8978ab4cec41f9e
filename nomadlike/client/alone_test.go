package client

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
)

// alone makes an assignment of allocations that may run on without servers for so
// long.
func alone(index uint64, after time.Duration, allocs ...*n.Allocation) *n.SessionDown {
	m := assignment(index, allocs...)
	m.Assignments.Jobs[0].TaskGroups[0].Disconnect = &n.Disconnect{StopOnClientAfter: &after}
	return m
}

func (r *fakeRunner) now() n.ClientStatus { return r.Observed().ClientStatus }

// What must not run without servers ends once they are silent for as long as it
// says, and nothing else does.
func TestEndAlone(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		short, _ := allocation("aaaaaaaa", 20)
		long, _ := allocation("bbbbbbbb", 21)
		long.JobVersion = 1
		free, _ := allocation("cccccccc", 22)
		free.JobVersion = 2
		s.down <- alone(20, 30*time.Second, short)
		later := alone(21, time.Hour, long)
		later.Assignments.Jobs[0].Version = 1
		s.down <- later
		never := assignment(22, free)
		never.Assignments.Jobs[0].Version = 2
		s.down <- never
		settle(time.Second)
		for _, a := range []*n.Allocation{short, long, free} {
			w.runner(a.ID).become(n.ClientRunning)
		}
		settle(10 * time.Minute)
		equal(t, "with servers", w.runner(short.ID).now(), n.ClientRunning)

		heard := time.Unix(0, cl.vital.heard.Load())
		s.stop()
		settle(time.Until(heard.Add(30*time.Second)) - time.Millisecond)
		equal(t, "shortly before", w.runner(short.ID).now(), n.ClientRunning)
		settle(2 * time.Millisecond)
		equal(t, "after its time", w.runner(short.ID).now(), n.ClientFailed)
		settle(time.Minute)
		equal(t, "one that may run for longer", w.runner(long.ID).now(), n.ClientRunning)

		// It is there to be told of when they are back.
		s.set(func() {
			s.first = &n.Assignments{Full: true, Known: []n.AllocID{short.ID, long.ID, free.ID}, Index: 22}
		})
		s.run(t, w.net, "server")
		settle(2 * longestWait)
		all := s.heard(short.ID)
		equal(t, "said", all[len(all)-1], n.ClientFailed)
		settle(2 * time.Hour)
		equal(t, "while servers are there", w.runner(long.ID).now(), n.ClientRunning)
		equal(t, "one that may run for ever", w.runner(free.ID).now(), n.ClientRunning)
		stop()
	})
}

// A client that starts counts from when an earlier one heard of a server.
func TestEndAloneAfterRestart(t *testing.T) {
	for name, c := range map[string]struct {
		ago  time.Duration // that an earlier client heard of a server; 0: never
		want time.Duration // from the start to the end
	}{
		"never":     {0, 10 * time.Minute},
		"recently":  {4 * time.Minute, 6 * time.Minute},
		"long past": {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				after := 10 * time.Minute
				a, job := allocation("aaaaaaaa", 20)
				job.TaskGroups[0].Disconnect = &n.Disconnect{StopOnClientAfter: &after}
				j, _, err := journal.Open(dir + "/client")
				if err != nil {
					t.Fatal(err)
				}
				if c.ago > 0 {
					err = j.PutHeard(time.Now().Add(-c.ago))
				}
				if err := errors.Join(err, j.PutAlloc(&journal.Alloc{Alloc: a}, job), j.Close()); err != nil {
					t.Fatal(err)
				}
				w := newWorld(t)
				cl := w.open(dir, func(c *Config) { c.Servers = []string{"server:4647"} })
				stop := w.running(cl)
				settle(firstFingerprints)
				begun := w.runner(a.ID)
				settle(max(c.want-2*firstFingerprints, 0))
				equal(t, "ended early", begun.now() == n.ClientFailed, c.want == 0)
				settle(2 * firstFingerprints)
				equal(t, "in the end", begun.now(), n.ClientFailed)
				stop()
			})
		})
	}
}

// Servers that had given the node up are told of everything again, and at once
// that it lives.
func TestGivenUp(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(time.Second)
		w.runner(a.ID).become(n.ClientRunning)
		settle(time.Second)
		beats := len(s.beats)
		s.down <- &n.SessionDown{HeartbeatTTL: s.ttl, GivenUp: true}
		settle(time.Second)
		equals(t, "said", s.heard(a.ID), n.ClientRunning, n.ClientRunning)
		equal(t, "heartbeats", len(s.beats), beats+1)
		stop()
	})
}
