package mock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/drivertest"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

func TestConformance(t *testing.T) {
	drivertest.Run(t, func(*testing.T) drivertest.Setup {
		return drivertest.Setup{
			New:    func() drivers.Driver { return New() },
			Plugin: map[string]any{"enabled": true},
			Work: func(w drivertest.Work) map[string]any {
				c := map[string]any{
					"run_for": w.RunFor.String(), "exit_code": w.ExitCode, "stdout_string": w.Stdout, "stderr_string": w.Stderr,
				}
				if w.Deaf {
					c["kill_after"] = "1h"
				}
				return c
			},
			Invalid: []drivertest.Invalid{
				{Config: map[string]any{"run_for": "long"}, Field: "run_for"},
				{Config: map[string]any{"exit_code": 256}, Field: "exit_code"},
				{Config: map[string]any{"exit_code": "x"}, Field: "exit_code"},
				{Config: map[string]any{"driver_port_map": "http"}, Field: "driver_port_map"},
				{Config: map[string]any{"exec_command": map[string]any{"run_for": "-1s"}}, Field: "run_for"},
			},
		}
	})
}

// start starts a task with an HCL-like config in a bubble.
func start(t *testing.T, d *Driver, config string) (*drivers.TaskConfig, *drivers.TaskHandle, *drivers.NetworkOverride, error) {
	t.Helper()
	raw, diags := hclspec.Decode(taskSchema, []byte(config), nil)
	if err := hclspec.Err(diags); err != nil {
		t.Fatal(err)
	}
	c := &drivers.TaskConfig{ID: "a/t/1", Name: "t", DriverConfig: raw}
	h, n, err := d.StartTask(t.Context(), c)
	return c, h, n, err
}

func driver(t *testing.T, dir string) *Driver {
	t.Helper()
	d := New()
	if err := d.SetConfig(t.Context(), &base.Config{Agent: &base.AgentConfig{StateDir: dir}}); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestResults(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want         drivers.ExitResult
		after        time.Duration
	}{
		{"at once", `{}`, drivers.ExitResult{}, 0},
		{"later", `{"run_for":"90s"}`, drivers.ExitResult{}, 90 * time.Second},
		{"code", `{"exit_code":3}`, drivers.ExitResult{ExitCode: 3}, 0},
		{"signal", `{"exit_signal":9}`, drivers.ExitResult{ExitCode: 137, Signal: 9}, 0},
		{"output takes its time", `{"stdout_string":"x","stdout_repeat":2,"stdout_repeat_duration":"5s"}`, drivers.ExitResult{}, 10 * time.Second},
		{"a slow start", `{"start_block_for":"7s"}`, drivers.ExitResult{}, 7 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				d := driver(t, t.TempDir())
				task, _, _, err := start(t, d, c.config)
				if err != nil {
					t.Fatal(err)
				}
				got, err := d.WaitTask(t.Context(), task.ID)
				if err != nil || got != c.want || time.Since(began) != c.after {
					t.Errorf("%+v, %v after %v", got, err, time.Since(began))
				}
			})
		})
	}
}

func TestErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := driver(t, t.TempDir())
		if _, _, _, err := start(t, d, `{"start_error":"no"}`); err == nil || err.Error() != "no" || drivers.IsRecoverable(err) {
			t.Errorf("start_error: %v", err)
		}
		if _, _, _, err := start(t, d, `{"start_error":"no","start_error_recoverable":true}`); !drivers.IsRecoverable(err) {
			t.Errorf("start_error_recoverable: %v", err)
		}
		c, _, n, err := start(t, d, `{"run_for":"1s","signal_error":"deaf","exit_err_msg":"odd","driver_ip":"10.0.0.9","driver_advertise":true,"driver_port_map":"http:80,db:5432"}`)
		if err != nil {
			t.Fatal(err)
		}
		if n.Addr != "10.0.0.9" || !n.AutoAdvertise || n.PortMap["http"] != 80 || n.PortMap["db"] != 5432 {
			t.Errorf("network: %+v", n)
		}
		if err := d.SignalTask(t.Context(), c.ID, "SIGHUP"); err == nil || err.Error() != "deaf" {
			t.Errorf("signal_error: %v", err)
		}
		if r, _ := d.WaitTask(t.Context(), c.ID); r.Err == nil || r.Err.Error() != "odd" {
			t.Errorf("exit_err_msg: %+v", r)
		}
	})
}

func TestExec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := driver(t, t.TempDir())
		c, _, _, err := start(t, d, `{"run_for":"1h","exec_command":{"run_for":"3s","exit_code":4}}`)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		r, err := d.ExecTask(t.Context(), c.ID, drivers.ExecOptions{Command: []string{"x"}})
		if err != nil || r.ExitCode != 4 || time.Since(began) != 3*time.Second {
			t.Errorf("%+v, %v after %v", r, err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.ExecTask(ctx, c.ID, drivers.ExecOptions{Command: []string{"x"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an end before its time: %v", err)
		}
		_ = d.DestroyTask(t.Context(), c.ID, true)
	})
}

// TestEndsWithoutAgent is a task whose time is over before the next agent comes.
func TestEndsWithoutAgent(t *testing.T) {
	dir := t.TempDir()
	began := time.Now().Add(-time.Hour)
	if err := (&record{StartedAt: began}).create(recordPath(dir, "a/t/1")); err != nil {
		t.Fatal(err)
	}
	raw, _ := hclspec.Decode(taskSchema, []byte(`{"run_for":"10m","exit_code":2}`), nil)
	h := &drivers.TaskHandle{Config: &drivers.TaskConfig{ID: "a/t/1", DriverConfig: raw}}
	d := driver(t, dir)
	if err := d.RecoverTask(t.Context(), h); err != nil || h.State != drivers.TaskExited {
		t.Fatalf("%+v, %v", h, err)
	}
	s, err := d.InspectTask(t.Context(), "a/t/1")
	if err != nil || s.Exit.ExitCode != 2 || !s.CompletedAt.Equal(began.Add(10*time.Minute)) {
		t.Errorf("%+v, %v", s, err)
	}
	if err := d.DestroyTask(t.Context(), "a/t/1", false); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
