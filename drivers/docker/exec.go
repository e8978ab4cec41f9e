package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// ExecTask runs a command in the task's container.
func (d *Driver) ExecTask(ctx context.Context, id string, o drivers.ExecOptions) (drivers.ExitResult, error) {
	t, err := d.task(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	if len(o.Command) == 0 {
		return drivers.ExitResult{}, errors.New("no command to execute")
	}
	cli := d.client.Load()
	made, err := cli.ExecCreate(ctx, t.container, client.ExecCreateOptions{
		Cmd: o.Command, TTY: o.TTY, AttachStdin: o.Stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return drivers.ExitResult{}, fmt.Errorf("create the command in container %s: %w", t.container, err)
	}
	// The engine kills nothing when we hang up.
	defer func() {
		if ctx.Err() != nil {
			killExec(cli, made.ID, t.container)
		}
	}()
	a, err := cli.ExecAttach(ctx, made.ID, client.ExecAttachOptions{TTY: o.TTY})
	if err != nil {
		return drivers.ExitResult{}, fmt.Errorf("start the command in container %s: %w", t.container, err)
	}
	defer a.Close()
	defer context.AfterFunc(ctx, a.Close)()
	resizing, stop := context.WithCancel(ctx)
	defer stop()
	if o.TTY && o.Resize != nil {
		go resize(resizing, cli, made.ID, o.Resize)
	}
	if o.Stdin != nil {
		go func() {
			// Ends when the input does, or at the first of it that comes after
			// the command has ended.
			_, _ = io.Copy(a.Conn, o.Stdin)
			_ = a.CloseWrite()
		}()
	}
	if err := receive(a, o); err != nil && ctx.Err() == nil {
		return drivers.ExitResult{}, fmt.Errorf("output of the command: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return drivers.ExitResult{}, err
	}
	return execResult(ctx, cli, made.ID)
}

func receive(a client.ExecAttachResult, o drivers.ExecOptions) error {
	out, errOut := o.Stdout, o.Stderr
	if out == nil {
		out = io.Discard
	}
	if errOut == nil {
		errOut = io.Discard
	}
	if o.TTY {
		_, err := io.Copy(out, a.Reader)
		return err
	}
	_, err := stdcopy.StdCopy(out, errOut, a.Reader)
	return err
}

// execResult asks for the exit code, which comes a moment after the output.
func execResult(ctx context.Context, cli *client.Client, exec string) (drivers.ExitResult, error) {
	pause := backoff{least: 10 * time.Millisecond, most: time.Second}
	for {
		r, err := cli.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		if err != nil {
			return drivers.ExitResult{}, fmt.Errorf("exit code of the command: %w", err)
		}
		if !r.Running {
			return drivers.ExitResult{ExitCode: r.ExitCode}, nil
		}
		if !pause.wait(ctx) {
			return drivers.ExitResult{}, ctx.Err()
		}
	}
}

func resize(ctx context.Context, cli *client.Client, exec string, sizes <-chan drivers.TerminalSize) {
	for {
		select {
		case <-ctx.Done():
			return
		case s, ok := <-sizes:
			if !ok {
				return
			}
			if s.Height > 0 && s.Width > 0 {
				_, _ = cli.ExecResize(ctx, exec, client.ExecResizeOptions{Height: uint(s.Height), Width: uint(s.Width)})
			}
		}
	}
}

// killTime bounds the killing of a command that nobody waits for any more.
const killTime = 10 * time.Second

// killExec kills a command and what it has started, as far as its processes are
// of this machine: the engine offers no other way.
func killExec(cli *client.Client, exec, container string) {
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	r, err := cli.ExecInspect(ctx, exec, client.ExecInspectOptions{})
	if err == nil && r.Running && r.PID > 0 {
		killProcess(r.PID, container)
	}
}
