package docker

import (
	"context"
	"sync"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// events hands what there is to say of tasks to all who listen.
type events struct {
	mu        sync.Mutex
	listeners map[chan drivers.TaskEvent]bool
}

// backlog is how many events a listener may be behind; it misses the others.
const backlog = 64

// TaskEvents tells of the progress of image pulls.
func (d *Driver) TaskEvents(ctx context.Context) (<-chan drivers.TaskEvent, error) {
	e := &d.events
	c := make(chan drivers.TaskEvent, backlog)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listeners == nil {
		e.listeners = map[chan drivers.TaskEvent]bool{}
	}
	e.listeners[c] = true
	context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.listeners, c)
		close(c)
	})
	return c, nil
}

func (e *events) send(t *drivers.TaskConfig, message string, annotations map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.listeners {
		select {
		case c <- drivers.TaskEvent{
			TaskID: t.ID, AllocID: t.AllocID, TaskName: t.Name, Time: time.Now(), Message: message, Annotations: annotations,
		}:
		default:
		}
	}
}
