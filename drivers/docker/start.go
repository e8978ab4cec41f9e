package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// handleVersion is that of the driver state in a task's handle.
const handleVersion = 1

// driverState is what a handle holds beside the task's id. The id would do; the
// container's saves the search.
type driverState struct {
	ContainerID string
}

// claim reserves an id, so that nothing else is done with it meanwhile.
func (d *Driver) claim(t *drivers.TaskConfig) (*task, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tasks[t.ID] != nil {
		return nil, fmt.Errorf("task with ID %q already started", t.ID)
	}
	n := &task{config: t}
	d.tasks[t.ID] = n
	return n, nil
}

func (d *Driver) drop(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tasks, id)
}

// take makes a claimed task one that others see, and watches it.
func (d *Driver) take(t *task, c *container.InspectResponse) {
	conf, agent, _ := d.current()
	t.container, t.image, t.tty = c.ID, c.Image, c.Config.Tty
	t.stopSignal = c.Config.StopSignal
	t.started = instant(c.State.StartedAt)
	if !conf.DisableLogs && !t.config.Logs.Disabled {
		t.logs = &follower{
			engine: d.client.Load, log: d.log, container: t.container, tty: t.tty, stateDir: agent.StateDir,
			event: func(m string) { d.events.send(t.config, m, nil) },
			logs:  t.config.Logs, task: t.config.Name, over: make(chan struct{}),
		}
	}
	d.watch(t, c.State)
	d.mu.Lock()
	defer d.mu.Unlock()
	t.ready = true
}

// task finds a task that has a container.
func (d *Driver) task(id string) (*task, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tasks[id]
	if t == nil || !t.ready {
		return nil, drivers.ErrTaskNotFound
	}
	return t, nil
}

// StartTask makes and starts a container. When there is one already that was
// made for the same id, by an agent that died over it, then it is that one.
func (d *Driver) StartTask(ctx context.Context, t *drivers.TaskConfig) (*drivers.TaskHandle, *drivers.NetworkOverride, error) {
	n, err := d.claim(t)
	if err != nil {
		return nil, nil, err
	}
	s, c, err := d.start(ctx, t)
	if err != nil {
		d.images.release(t.ID)
		d.drop(t.ID)
		return nil, nil, err
	}
	d.take(n, c)
	h := &drivers.TaskHandle{Version: handleVersion, Config: t}
	if err := fill(h, c); err != nil {
		return nil, nil, err
	}
	return h, s.override(c), nil
}

func fill(h *drivers.TaskHandle, c *container.InspectResponse) error {
	h.Version, h.State = handleVersion, drivers.TaskExited
	if c.State.Running {
		h.State = drivers.TaskRunning
	}
	var err error
	h.DriverState, err = json.Marshal(driverState{ContainerID: c.ID})
	return err
}

// start has the container of a task running.
func (d *Driver) start(ctx context.Context, t *drivers.TaskConfig) (*spec, *container.InspectResponse, error) {
	s, err := d.spec(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.container(""); err != nil {
		return nil, nil, err // before an image is pulled for nothing
	}
	image, err := d.image(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	opts, err := s.container(image)
	if err != nil {
		return nil, nil, err
	}
	if err := s.mounts(opts.HostConfig); err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	// From here on nothing is left half done because the caller has gone: what
	// the engine was asked for it does, and then it is to be known.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shortOperation)
	defer cancel()
	c, err := d.run(ctx, s, opts)
	if err != nil {
		return nil, nil, errors.Join(err, d.clean(t))
	}
	return s, c, nil
}

func (d *Driver) image(ctx context.Context, s *spec) (string, error) {
	timeout := s.task.ImagePullTimeout
	if timeout == "" {
		timeout = s.plugin.ImagePullTimeout
	}
	r := imageRequest{
		name: s.task.Image, force: s.task.ForcePull, user: s.run.ID, timeout: timeout.value(), stalled: s.plugin.PullActivityTimeout.value(),
		auth:  func(ctx context.Context, named reference.Named) (string, error) { return s.credentials(ctx, named) },
		event: func(message string, a map[string]string) { d.events.send(s.run, message, a) },
	}
	if s.task.Load != "" {
		var err error
		if r.load, err = s.local(s.task.Load); err != nil {
			return "", fmt.Errorf("load: %w", err)
		}
	}
	return d.images.ensure(ctx, r)
}

// run makes the container, unless it is there, and starts it, unless it runs.
func (d *Driver) run(ctx context.Context, s *spec, opts *client.ContainerCreateOptions) (*container.InspectResponse, error) {
	id, err := d.create(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	c, err := d.inspect(ctx, id)
	if err != nil {
		return nil, transient(fmt.Errorf("inspect container: %w", err))
	}
	if c.State.Status != container.StateCreated {
		return c, nil // started by an agent that died
	}
	if _, err := d.client.Load().ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return nil, startError(id, err)
	}
	if c, err = d.inspect(ctx, id); err != nil {
		return nil, transient(fmt.Errorf("inspect container: %w", err))
	}
	return c, nil
}

// startError tells errors of the task from those of the moment, such as a port
// that is still in use.
func startError(id string, err error) error {
	err = fmt.Errorf("Failed to start container %s: %w", id, err) //nolint:staticcheck // users know the words
	if cerrdefs.IsInvalidArgument(err) || cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) || cerrdefs.IsPermissionDenied(err) {
		return err
	}
	return drivers.Recoverable(err)
}

// create makes the container. A container of the same name is of the same
// allocation: the very one, or what is left of an earlier run.
func (d *Driver) create(ctx context.Context, s *spec, opts *client.ContainerCreateOptions) (string, error) {
	attempts := s.task.ContainerExistsTries
	if attempts == 0 {
		attempts = s.plugin.ContainerExistsTries
	}
	pause := backoff{least: 50 * time.Millisecond, most: time.Minute}
	for {
		made, err := d.client.Load().ContainerCreate(ctx, *opts)
		if err == nil {
			for _, w := range made.Warnings {
				d.log.Debug("the engine warns", "container", opts.Name, "warning", w)
			}
			return made.ID, nil
		}
		switch {
		case cerrdefs.IsNotFound(err): // the image, by somebody else's hand
			return "", drivers.Recoverable(fmt.Errorf("Failed to create container: %w", err)) //nolint:staticcheck // users know the words
		case !cerrdefs.IsConflict(err):
			return "", transient(fmt.Errorf("Failed to create container: %w", err)) //nolint:staticcheck // users know the words
		}
		id, err := d.yield(ctx, s.run, opts.Name)
		if id != "" || err != nil {
			return id, err
		}
		if pause.failures >= attempts || !pause.wait(ctx) {
			return "", drivers.Recoverable(fmt.Errorf("Failed to create container: the name %q is in use", opts.Name)) //nolint:staticcheck // users know the words
		}
	}
}

// yield finds the container that has a name. It returns the task's own, and
// removes another.
func (d *Driver) yield(ctx context.Context, t *drivers.TaskConfig, name string) (id string, err error) {
	c, err := d.inspect(ctx, name)
	switch {
	case cerrdefs.IsNotFound(err):
		return "", nil
	case err != nil:
		return "", transient(fmt.Errorf("inspect container %s: %w", name, err))
	case c.Config.Labels[labelTask] == t.ID && c.State.Status != container.StateRemoving && c.State.Status != container.StateDead:
		return c.ID, nil
	}
	d.log.Info("removing a container of an earlier run", "container", c.ID, "name", name)
	if err := d.remove(ctx, c.ID); err != nil {
		return "", transient(err)
	}
	return "", nil
}

// remove removes a container, killing it if it runs, and waits until it is gone.
func (d *Driver) remove(ctx context.Context, id string) error {
	pause := backoff{least: 50 * time.Millisecond, most: 2 * time.Second}
	for {
		_, err := d.client.Load().ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case cerrdefs.IsNotFound(err):
			return nil
		case err != nil && !cerrdefs.IsConflict(err): // a conflict is a removal under way
			return fmt.Errorf("remove container %s: %w", id, err)
		}
		if err == nil {
			continue
		}
		if !pause.wait(ctx) {
			return fmt.Errorf("remove container %s: %w", id, err)
		}
	}
}

// clean removes the container of a task that failed to start.
func (d *Driver) clean(t *drivers.TaskConfig) error {
	ctx, cancel := context.WithTimeout(context.Background(), shortOperation)
	defer cancel()
	c, err := d.inspect(ctx, containerName(t))
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		d.log.Warn("a container that failed to start may be left behind; it is removed later", "task_id", t.ID, "error", err)
		return nil
	}
	if c.Config.Labels[labelTask] != t.ID {
		return nil
	}
	return d.remove(ctx, c.ID)
}

// settleTime is how long a request of a dead agent may be on its way within the
// engine.
const settleTime = time.Second

// RecoverTask takes up the container of a task.
func (d *Driver) RecoverTask(ctx context.Context, h *drivers.TaskHandle) error {
	if h == nil || h.Config == nil {
		return errors.New("handle has no task")
	}
	if h.Version > handleVersion {
		return fmt.Errorf("handle has version %d; this driver knows up to %d", h.Version, handleVersion)
	}
	if t, err := d.task(h.Config.ID); err == nil {
		c, err := d.inspect(ctx, t.container)
		if err != nil {
			return err
		}
		return fill(h, c)
	}
	if _, _, err := d.current(); err != nil {
		return err
	}
	n, err := d.claim(h.Config)
	if err != nil {
		return err
	}
	c, err := d.find(ctx, h)
	if err == nil {
		_, err = d.images.acquire(ctx, c.Image, h.Config.ID)
	}
	if err != nil {
		d.drop(h.Config.ID)
		return err
	}
	d.take(n, c)
	return fill(h, c)
}

// find looks for the container of a handle and waits until its start is decided.
func (d *Driver) find(ctx context.Context, h *drivers.TaskHandle) (*container.InspectResponse, error) {
	name := containerName(h.Config)
	if len(h.DriverState) > 0 {
		var st driverState
		if err := json.Unmarshal(h.DriverState, &st); err != nil {
			return nil, fmt.Errorf("driver state of task %q: %w", h.Config.ID, err)
		}
		name = st.ContainerID
	}
	for deadline := time.Now().Add(settleTime); ; {
		c, err := d.inspect(ctx, name)
		switch {
		case cerrdefs.IsNotFound(err):
			// One that comes into being yet is never started: who would have
			// asked for it is dead.
			return nil, drivers.ErrTaskNotFound
		case err != nil:
			return nil, fmt.Errorf("find the container of task %q: %w", h.Config.ID, err)
		case len(h.DriverState) == 0 && c.Config.Labels[labelTask] != h.Config.ID:
			return nil, drivers.ErrTaskNotFound
		case c.State.Status != container.StateCreated:
			return c, nil
		case time.Now().After(deadline):
			// Without a container nothing can start it.
			if err := d.remove(ctx, c.ID); err != nil {
				return nil, err
			}
			return nil, drivers.ErrTaskNotFound
		}
		pause := backoff{least: settleTime / 10, most: settleTime / 10}
		if !pause.wait(ctx) {
			return nil, ctx.Err()
		}
	}
}
