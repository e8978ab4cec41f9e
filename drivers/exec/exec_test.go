package exec

import (
	"os"
	"runtime"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/drivertest"
)

func TestConformance(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		drivertest.Missing(t, "root on Linux")
	}
	drivertest.Run(t, func(*testing.T) drivertest.Setup {
		shell := func(script string) map[string]any {
			return map[string]any{"command": "/bin/sh", "args": []string{"-c", script}}
		}
		with := func(key string, value any) map[string]any {
			c := shell("exit 0")
			c[key] = value
			return c
		}
		return drivertest.Setup{
			New:         func() drivers.Driver { return New() },
			Shell:       shell,
			WorkDir:     func(drivers.TaskDir) string { return "/" },
			DefaultUser: "nobody",
			User:        "daemon",
			Invalid: []drivertest.Invalid{
				{Config: map[string]any{}, Field: "command"},
				{Config: with("args", "x"), Field: "args"},
				{Config: with("work_dir", "relative"), Field: "work_dir"},
				{Config: with("pid_mode", "container"), Field: "pid_mode"},
				{Config: with("ipc_mode", "other"), Field: "ipc_mode"},
				{Config: with("oom_score_adj", -1), Field: "oom_score_adj"},
				{Config: with("cap_add", []string{"nonesuch"}), Field: "cap"},
			},
		}
	})
}
