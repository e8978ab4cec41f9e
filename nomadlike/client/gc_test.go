package client

import (
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestCollect removes what has ended when there is too much, the oldest first:
// never what runs, nor that of whose end no server knows.
func TestCollect(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		cl := w.open(dir, func(c *Config) { c.Servers, c.GC.MaxAllocs = []string{s.addr}, 3 })
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		b, _ := allocation("bbbbbbbb", 20)
		c, _ := allocation("cccccccc", 20)
		d, _ := allocation("dddddddd", 20)
		e, _ := allocation("eeeeeeee", 21)
		there := func(when, want string) {
			t.Helper()
			settle(2 * time.Second)
			have := ""
			for _, x := range []*n.Allocation{a, b, c, d, e} {
				if r := w.runner(x.ID); r != nil && !r.isDestroyed() {
					have += string(x.ID)[:1]
				}
			}
			equal(t, when, have, want)
		}
		s.down <- assignment(20, a, b, c, d)
		there("all run", "abcd")
		s.set(func() { s.deaf = true })
		w.runner(c.ID).become(n.ClientComplete)
		there("the servers have not heard of the end", "abcd")
		settle(10 * time.Minute)
		there("however long that takes", "abcd")
		s.set(func() { s.deaf = false })
		w.runner(b.ID).become(n.ClientFailed)
		there("the one that ended first", "abd")
		s.down <- assignment(21, e)
		there("one more came", "ade")
		w.runner(a.ID).become(n.ClientComplete)
		there("there is room for what has ended", "ade")
		s.stop()
		stop()
	})
}
