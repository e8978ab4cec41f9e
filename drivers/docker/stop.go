package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
)

// defaultSignal stops tasks whose image names none.
const defaultSignal = "SIGTERM"

// WaitTask is that of drivers.Driver.
func (d *Driver) WaitTask(ctx context.Context, id string) (drivers.ExitResult, error) {
	t, err := d.task(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	select {
	case <-t.done:
		return t.result, nil
	case <-ctx.Done():
		return drivers.ExitResult{}, ctx.Err()
	}
}

// StopTask sends the signal, or that of the image, and kills the container when
// the time is up. A signal that does not exist is taken for the default.
func (d *Driver) StopTask(ctx context.Context, id string, timeout time.Duration, signal string) error {
	t, err := d.task(id)
	if err != nil {
		return err
	}
	if _, err := signalName(signal); err != nil {
		signal = ""
	}
	for _, s := range []string{signal, t.stopSignal, defaultSignal} {
		if s != "" {
			signal = s
			break
		}
	}
	if err := d.signal(ctx, t, signal); err != nil {
		return err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-t.exited:
		return nil
	case <-timer.C:
		return d.kill(ctx, t)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Driver) kill(ctx context.Context, t *task) error {
	if err := d.signal(ctx, t, "SIGKILL"); err != nil {
		return err
	}
	select {
	case <-t.exited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// SignalTask is that of drivers.Driver.
func (d *Driver) SignalTask(ctx context.Context, id, signal string) error {
	t, err := d.task(id)
	if err != nil {
		return err
	}
	name, err := signalName(signal)
	if err != nil {
		return err
	}
	if t.over() {
		return errors.New("the task has ended")
	}
	return d.signal(ctx, t, name)
}

// signalName checks a signal, which is known by its name or its number.
func signalName(s string) (string, error) {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= lastSignal {
		return s, nil
	}
	name := strings.ToUpper(s)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if _, err := executor.ParseSignal(name); err != nil {
		return "", err
	}
	return name, nil
}

// signal sends a signal. A container that has ended needs none.
func (d *Driver) signal(ctx context.Context, t *task, signal string) error {
	if t.over() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shortOperation)
	defer cancel()
	_, err := d.client.Load().ContainerKill(ctx, t.container, client.ContainerKillOptions{Signal: signal})
	if err == nil || cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) {
		return nil // a conflict is a container that does not run
	}
	return fmt.Errorf("send %s to container %s: %w", signal, t.container, err)
}

// drainTime is how long an ended task's output may keep it from being removed.
const drainTime = 30 * time.Second

// DestroyTask removes the container, once its output is kept, and everything
// else that the driver has of the task.
func (d *Driver) DestroyTask(ctx context.Context, id string, force bool) error {
	t, err := d.task(id)
	if err != nil {
		return err
	}
	if !t.over() {
		if !force {
			return errors.New("cannot destroy running task")
		}
		if err := d.kill(ctx, t); err != nil {
			return err
		}
	}
	drain, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	select {
	case <-t.drained:
	case <-drain.Done():
		d.log.Warn("an ended task is removed before all of its output was kept", "task_id", id)
	}
	conf, agent, err := d.current()
	if err != nil {
		return err
	}
	if conf.GC.Container {
		ctx, cancel := context.WithTimeout(ctx, shortOperation)
		defer cancel()
		if err := d.remove(ctx, t.container); err != nil {
			return err
		}
	}
	t.forget()
	d.images.release(id)
	d.drop(id)
	return removeCursors(agent.StateDir, t.container)
}

// InspectTask is that of drivers.Driver.
func (d *Driver) InspectTask(_ context.Context, id string) (*drivers.TaskStatus, error) {
	t, err := d.task(id)
	if err != nil {
		return nil, err
	}
	s := &drivers.TaskStatus{
		ID: id, Name: t.config.Name, State: drivers.TaskRunning, StartedAt: t.started,
		Attributes: map[string]string{"container_id": t.container, "image_id": t.image},
	}
	if t.over() {
		result := t.result
		s.State, s.CompletedAt, s.Exit = drivers.TaskExited, t.finished, &result
	}
	return s, nil
}
