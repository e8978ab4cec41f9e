package client

import (
	"context"
	"sync"
)

// work is what runs for allocations, and has to come to an end before the client
// does.
type work struct {
	ctx    context.Context // ends with stop
	cancel context.CancelFunc

	mu      sync.Mutex
	refused bool
	all     sync.WaitGroup
}

func newWork() *work {
	w := &work{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// do does something in the background; false means that it is too late for that.
func (w *work) do(fn func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.refused {
		w.all.Go(fn)
	}
	return !w.refused
}

// refuse lets nothing more begin.
func (w *work) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = true
}

// stop ends what is done and waits for it.
func (w *work) stop() {
	w.refuse()
	w.cancel()
	w.all.Wait()
}
