package rawexec

import (
	"os"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/drivertest"
)

func TestConformance(t *testing.T) {
	drivertest.Run(t, func(*testing.T) drivertest.Setup {
		s := drivertest.Setup{
			New:    func() drivers.Driver { return New() },
			Plugin: map[string]any{"enabled": true},
			Shell: func(script string) map[string]any {
				return map[string]any{"command": "/bin/sh", "args": []string{"-c", script}}
			},
			WorkDir: func(d drivers.TaskDir) string { return d.Dir },
			Invalid: []drivertest.Invalid{
				{Config: map[string]any{}, Field: "command"},
				{Config: map[string]any{"command": "sh", "args": "x"}, Field: "args"},
				{Config: map[string]any{"command": "sh", "work_dir": "relative"}, Field: "work_dir"},
				{Config: map[string]any{"command": "sh", "oom_score_adj": -1}, Field: "oom_score_adj"},
				{Config: map[string]any{"command": "sh", "cgroup_v2_override": "x", "cgroup_v1_override": []any{map[string]any{"pids": "x"}}}, Field: "cgroup_v1_override"},
			},
		}
		if os.Geteuid() == 0 {
			s.DefaultUser, s.User = "root", "nobody"
		}
		return s
	})
}
