package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A task is a container that the driver watches.
type task struct {
	config *drivers.TaskConfig
	ready  bool // guarded by the driver

	// What follows is set once the task has a container.
	container  string
	image      string
	stopSignal string
	tty        bool
	started    time.Time
	logs       *follower // nil when nobody wants them

	cancel   context.CancelFunc
	watchers sync.WaitGroup
	exited   chan struct{} // closed once result and finished are there
	drained  chan struct{} // closed once all output is kept
	done     chan struct{} // closed once exited and, normally, all output is kept
	result   drivers.ExitResult
	finished time.Time
}

// logGrace is how long an ended task's output may take to be kept before the
// task is called ended all the same.
const logGrace = 5 * time.Second

// watch follows the task until it has ended or forget is called. What has ended
// already when it is taken up is known to have at once.
func (d *Driver) watch(t *task, now *container.State) {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	t.exited, t.drained, t.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
	t.watchers.Go(func() {
		defer close(t.drained)
		if t.logs != nil {
			t.logs.run(ctx)
		}
	})
	end := func(r drivers.ExitResult, at time.Time) {
		t.result, t.finished = r, at
		close(t.exited)
	}
	if hasEnded(now) {
		end(exitResult(now))
	}
	t.watchers.Go(func() {
		if !t.over() {
			r, at, err := d.await(ctx, t.container)
			if err != nil {
				return // forgotten
			}
			end(r, at)
		}
		if t.logs != nil {
			t.logs.ended()
		}
		grace := time.NewTimer(logGrace)
		defer grace.Stop()
		select {
		case <-t.drained:
		case <-grace.C:
			d.log.Warn("the output of an ended task is not complete yet", "task_id", t.config.ID)
		case <-ctx.Done():
		}
		close(t.done)
	})
}

// forget ends the watching.
func (t *task) forget() {
	t.cancel()
	t.watchers.Wait()
}

// over reports whether the task has ended.
func (t *task) over() bool {
	select {
	case <-t.exited:
		return true
	default:
		return false
	}
}

// errRemoved is the result of a container that is gone.
var errRemoved = errors.New("the container was removed by somebody else; its exit code is not known")

// await waits for the end of a container. The only error is that ctx has ended:
// an engine that is away is waited for.
func (d *Driver) await(ctx context.Context, id string) (drivers.ExitResult, time.Time, error) {
	pause := backoff{least: 100 * time.Millisecond, most: 5 * time.Second}
	for {
		began := time.Now()
		err := waitOnce(ctx, d.client.Load(), id)
		if ctx.Err() != nil {
			return drivers.ExitResult{}, time.Time{}, ctx.Err()
		}
		if err == nil || cerrdefs.IsNotFound(err) {
			c, err := d.inspect(ctx, id)
			switch {
			case cerrdefs.IsNotFound(err):
				return drivers.ExitResult{ExitCode: -1, Err: errRemoved}, time.Now(), nil
			case err == nil && hasEnded(c.State):
				res, at := exitResult(c.State)
				return res, at, nil
			}
		}
		if time.Since(began) > pause.most {
			pause.reset()
		}
		if !pause.wait(ctx) {
			return drivers.ExitResult{}, time.Time{}, ctx.Err()
		}
	}
}

func waitOnce(ctx context.Context, cli *client.Client, id string) error {
	w := cli.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select { // one of them comes when ctx ends
	case r := <-w.Result:
		if r.Error != nil {
			return errors.New(r.Error.Message)
		}
		return nil
	case err := <-w.Error:
		return err
	}
}

// inspect looks at a container. An answer always has a State and a Config.
func (d *Driver) inspect(ctx context.Context, id string) (*container.InspectResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, shortOperation)
	defer cancel()
	c, err := d.client.Load().ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	if c.Container.State == nil || c.Container.Config == nil {
		return nil, fmt.Errorf("the engine's answer about container %s is incomplete", id)
	}
	return &c.Container, nil
}

func hasEnded(s *container.State) bool { return !s.Running && s.Status != container.StateCreated }

// lastSignal is the highest signal of Linux.
const lastSignal = 64

func exitResult(s *container.State) (drivers.ExitResult, time.Time) {
	r := drivers.ExitResult{ExitCode: s.ExitCode, OOMKilled: s.OOMKilled}
	// The engine tells of a signal in the way of shells only.
	if s.ExitCode > 128 && s.ExitCode <= 128+lastSignal {
		r.Signal = s.ExitCode - 128
	}
	if s.Error != "" {
		r.Err = errors.New(s.Error)
	}
	return r, instant(s.FinishedAt)
}

// instant reads the engine's times, in which year 1 stands for never.
func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}
