package heartbeat

import (
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestSilence notices a node that is not heard of, once, and none that is.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := make(chan n.NodeID, 8)
		timers := New(Options{}, func(id n.NodeID) { silent <- id })
		timers.Begin(nil)
		start := time.Now()
		ttl := timers.Heard("quiet")
		if ttl < 10*time.Second || ttl >= 20*time.Second {
			t.Errorf("ttl %s", ttl)
		}
		for range 10 {
			time.Sleep(timers.Heard("loud") / 2)
		}
		if got := <-silent; got != "quiet" {
			t.Errorf("%s is silent", got)
		}
		if len(silent) != 0 {
			t.Errorf("%d more are silent", len(silent))
		}
		_ = start
		timers.End()
		time.Sleep(time.Hour)
		if len(silent) != 0 || timers.Len() != 0 {
			t.Error("timers go on after the end")
		}
	})
}

// TestFailover gives nodes time to find the new leader.
func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := make(chan n.NodeID, 8)
		timers := New(Options{}, func(id n.NodeID) { silent <- id })
		start := time.Now()
		timers.Begin([]n.NodeID{"a"})
		<-silent
		if got := time.Since(start); got != 5*time.Minute {
			t.Errorf("silent after %s", got)
		}
		timers.End()
	})
}

// TestRate spreads the heartbeats of many nodes.
func TestRate(t *testing.T) {
	timers := New(Options{}, func(n.NodeID) {})
	ids := make([]n.NodeID, 10000)
	for i := range ids {
		ids[i] = n.NodeID(time.Duration(i).String())
	}
	timers.Begin(ids)
	defer timers.End()
	if ttl := timers.Heard("a"); ttl < 200*time.Second {
		t.Errorf("10,000 nodes are heard of every %s", ttl)
	}
}
