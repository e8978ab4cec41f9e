// Package drivertest owns the conformance suite of task drivers: what package
// drivers promises to a client, as tests that every driver passes, whoever wrote
// it. It knows no driver; what it must know of one is in a Setup.
//
// A part of the suite is left out only for what the driver declares: its
// Capabilities, the optional interfaces that it implements, and the fields of
// the Setup that say so.
package drivertest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A Setup is a driver under test.
type Setup struct {
	// New makes a driver that has not been configured. Every call stands for one
	// more process of the agent, on the same node and with the same state.
	New func() drivers.Driver
	// Plugin is the driver's configuration block; nil is an empty one.
	Plugin map[string]any
	// Agent is what the driver is told of its agent. The suite sets StateDir.
	Agent base.AgentConfig

	// Shell returns the config block of a task that runs a script with a POSIX
	// shell, which finds sleep, setsid, head, tr, id and the like. A driver that
	// starts no processes has none; what needs processes is left out then.
	Shell func(script string) map[string]any
	// Work returns the config block of a task that does something simple. When it
	// is nil, Shell is asked for a script that does it.
	Work func(Work) map[string]any

	// WorkDir is the working directory of tasks as they see it; nil when the
	// driver promises none.
	WorkDir func(drivers.TaskDir) string
	// DefaultUser runs tasks that name none; empty when that is not the driver's
	// to say.
	DefaultUser string
	// User is another one that tasks may run as; empty when there is none.
	User string

	// Invalid are config blocks that must be refused.
	Invalid []Invalid
	// Leftovers lists what is still there of a destroyed task, beyond processes,
	// mounts, cgroups and state, which the suite looks for itself; nil when there
	// is nothing beyond.
	Leftovers func(*drivers.TaskConfig) []string
}

// Work is what a task is to do: write, stay, end.
type Work struct {
	Stdout, Stderr string
	RunFor         time.Duration // Forever: until it is stopped
	ExitCode       int
	Deaf           bool // it ends for no signal but SIGKILL
}

// Forever as Work.RunFor is longer than any test.
const Forever = time.Hour

// An Invalid config block is one that must be refused with an error that names
// the field, either when it is decoded or when the task starts.
type Invalid struct {
	Config map[string]any
	Field  string
}

// Run tests a driver. setup is called for every part of the suite, so that none
// sees what another has left.
func Run(t *testing.T, setup func(*testing.T) Setup) {
	first := newNode(t, setup(t))
	first.requireHealthy(t)
	caps := first.driver.Capabilities()
	_, stats := first.driver.(drivers.Stats)
	first.shutdown()

	shell := first.Shell != nil
	for _, part := range []struct {
		name string
		run  func(*testing.T, *node)
		when bool
	}{
		{"Identity", testIdentity, true},
		{"Fingerprint", testFingerprint, true},
		{"UnknownConfigKey", testUnknownKey, true},
		{"InvalidConfig", testInvalid, len(first.Invalid) > 0},

		{"RunToEnd", testRunToEnd, true},
		{"WaitForContext", testWaitForContext, true},
		{"UnknownTask", testUnknownTask, true},
		{"SameIDTwice", testSameIDTwice, true},
		{"SameIDAtOnce", testSameIDAtOnce, true},
		{"StartIsCancelled", testStartCancelled, true},
		{"StartFails", testStartFails, shell},
		{"ManyAtOnce", testManyAtOnce, true},

		{"Stop", testStop, true},
		{"StopThoseThatIgnoreIt", testStopDeaf, true},
		{"StopWithSignal", testStopWithSignal, shell && caps.SendSignals},
		{"StopTwice", testStopTwice, true},
		{"Signal", testSignal, shell && caps.SendSignals},
		{"SignalDeath", testSignalDeath, shell && caps.SendSignals},
		{"StopWholeTree", testStopTree, shell},
		{"DestroyWholeTree", testDestroyTree, shell},
		{"DestroyRunning", testDestroyRunning, true},

		{"RecoverRunning", testRecoverRunning, true},
		{"RecoverEnded", testRecoverEnded, true},
		{"RecoverUndecided", testRecoverUndecided, true},
		{"RecoverNeverStarted", testRecoverNeverStarted, true},
		{"RecoverThenStop", testRecoverThenStop, true},

		{"Output", testOutput, !caps.DisableLogCollection},
		{"OutputDisabled", testOutputDisabled, caps.WritesLogs},
		{"OutputIsComplete", testOutputComplete, shell && !caps.DisableLogCollection},
		{"OutputIsRotated", testOutputRotated, shell && caps.WritesLogs},
		{"OutputGoesOn", testOutputGoesOn, caps.WritesLogs},
		{"OutputAfterRecovery", testOutputAfterRecovery, shell && !caps.DisableLogCollection},

		{"Environment", testEnvironment, shell},
		{"Directories", testDirectories, shell},
		{"WorkingDirectory", testWorkDir, shell && first.WorkDir != nil},
		{"DefaultUser", testDefaultUser, shell && first.DefaultUser != ""},
		{"User", testUser, shell && first.User != ""},
		{"Mounts", testMounts, shell && !caps.NoMounts},
		{"OutOfMemory", testOutOfMemory, shell},

		{"Stats", testStats, stats},
		{"Exec", testExec, shell && caps.Exec},
		{"ExecTerminal", testExecTerminal, shell && caps.Exec},
		{"ExecEnds", testExecEnds, shell && caps.Exec},
	} {
		if !part.when {
			continue
		}
		t.Run(part.name, func(t *testing.T) {
			part.run(t, newNode(t, setup(t)))
		})
	}
}

// Missing ends a test for what this machine lacks: as skipped, and on a machine
// that is there for testing (CI=true in the environment) as failed.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing for this test: %s", what)
	}
	t.Skipf("missing for this test: %s", what)
}

// patience is how long anything may take that is not timed by the test.
const patience = 60 * time.Second

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
