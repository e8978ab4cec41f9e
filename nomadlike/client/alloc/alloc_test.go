package alloc_test

import (
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func TestRunsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, batch(mainTask("web")), map[string][]plan{"web": {{lasts: time.Minute}}})
		a := w.start(nil)
		last := a.finish()
		equal(t, "status", last.ClientStatus, n.ClientComplete)
		equal(t, "description", last.ClientDescription, "All tasks have completed")
		equal(t, "events", a.events("web"), "Received, Task Setup, Started, Terminated")
		w.saw("web+ web-0")
	})
}
