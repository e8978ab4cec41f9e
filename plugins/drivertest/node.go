package drivertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// marker is the variable by which the processes of a task are found.
const marker = "DRIVERTEST_TASK"

// A node is where a driver under test runs: its directories, and what stands
// for the client.
type node struct {
	Setup
	driver drivers.Driver
	dir    string
	began  []*drivers.TaskConfig
}

func newNode(t *testing.T, s Setup) *node {
	t.Helper()
	// The tasks' users must come through, as they do through a client's
	// directories; t.TempDir is for the owner alone.
	dir, err := os.MkdirTemp("", "drivertest")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	n := &node{Setup: s, dir: dir}
	n.Agent.StateDir = filepath.Join(dir, "state")
	n.Agent.TotalCompute = max(n.Agent.TotalCompute, 4000)
	if err := os.Mkdir(n.Agent.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	n.driver = n.another(t)
	t.Cleanup(func() {
		n.shutdown()
		if mounts := mountsBelow(dir); len(mounts) > 0 {
			t.Errorf("mounts are left: %v", mounts)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the node's directory: %v", err)
		}
	})
	return n
}

// shutdown destroys what a failed test has left.
func (n *node) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, t := range n.began {
		if err := n.driver.DestroyTask(ctx, t.ID, true); errors.Is(err, drivers.ErrTaskNotFound) {
			h := &drivers.TaskHandle{Config: t}
			if n.driver.RecoverTask(ctx, h) == nil {
				_ = n.driver.DestroyTask(ctx, t.ID, true)
			}
		}
	}
	n.began = nil
}

// another makes one more instance of the driver: that of the agent's next
// process, after the end of the last.
func (n *node) another(t testing.TB) drivers.Driver {
	t.Helper()
	if c, ok := n.driver.(io.Closer); ok {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	d := n.New()
	var plugin []byte
	if schema := d.ConfigSchema(); schema != nil {
		plugin = encode(t, schema, n.Plugin)
	}
	agent := n.Agent
	for _, a := range []*base.AgentConfig{nil, &agent} {
		c := &base.Config{Plugin: plugin, Agent: a, APIVersion: base.APIVersion}
		if err := d.SetConfig(within(t), c); err != nil {
			t.Fatalf("SetConfig: %v", err)
		}
	}
	return d
}

func encode(t testing.TB, schema *hclspec.Spec, block map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(block)
	if err != nil {
		t.Fatal(err)
	}
	// What looks like an expression is text for the task's shell.
	raw = bytes.ReplaceAll(raw, []byte("${"), []byte("$${"))
	b, diags := hclspec.Decode(schema, raw, nil)
	if err := hclspec.Err(diags); err != nil {
		t.Fatalf("config %s: %v", raw, err)
	}
	return b
}

// requireHealthy ends the test where the driver can not be tested.
func (n *node) requireHealthy(t *testing.T) {
	t.Helper()
	if f := n.fingerprint(t); f.Health != drivers.HealthHealthy {
		Missing(t, fmt.Sprintf("driver %s: %s", n.driver.Info().Name, f.Description))
	}
}

func (n *node) fingerprint(t *testing.T) drivers.Fingerprint {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := n.driver.Fingerprint(ctx)
	if err != nil {
		t.Fatalf("Fingerprint: %v", err)
	}
	f, ok := <-c
	if !ok {
		t.Fatal("Fingerprint: closed before anything was sent")
	}
	return f
}

func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)[:n]
}

// task makes a task of an allocation of its own, with its directories, as a
// client does.
func (n *node) task(t testing.TB, config map[string]any) *drivers.TaskConfig {
	t.Helper()
	alloc := fmt.Sprintf("%s-%s-%s-%s-%s", randomHex(8), randomHex(4), randomHex(4), randomHex(4), randomHex(12))
	tc := &drivers.TaskConfig{
		ID: alloc + "/web/" + randomHex(8), Name: "web", AllocID: alloc,
		JobID: "drivertest", JobName: "drivertest", TaskGroupName: "g", Namespace: "default",
		NodeID: "drivertest", NodeName: "drivertest",
		DriverConfig: encode(t, n.driver.TaskConfigSchema(), config),
		AllocDir:     filepath.Join(n.dir, alloc),
		Resources:    drivers.Resources{CPUShares: 500, CPUFraction: 0.1, MemoryMB: 256},
	}
	dir := tc.TaskDir()
	mkdir(t, tc.AllocDir, 0o755)
	for _, d := range []string{dir.Shared, dir.Logs, filepath.Join(dir.Shared, "data"), filepath.Join(dir.Shared, "tmp"),
		dir.Dir, dir.Local, dir.Secrets, dir.Private} {
		mkdir(t, d, 0o777)
	}
	mkdir(t, filepath.Join(dir.Dir, "tmp"), 0o777|os.ModeSticky)
	tc.Logs = drivers.LogConfig{Dir: dir.Logs, MaxFiles: 10, MaxSize: 10 << 20}
	if !n.driver.Capabilities().WritesLogs {
		tc.StdoutPath, tc.StderrPath = logFile(tc, "stdout", 0), logFile(tc, "stderr", 0)
		for _, path := range []string{tc.StdoutPath, tc.StderrPath} {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tc.Env = map[string]string{
		marker:              tc.ID,
		"PATH":              "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"NOMAD_ALLOC_DIR":   "/alloc",
		"NOMAD_TASK_DIR":    "/local",
		"NOMAD_SECRETS_DIR": "/secrets",
	}
	if fs := n.driver.Capabilities().FSIsolation; fs == drivers.FSNone || fs == drivers.FSUnveil {
		tc.Env["NOMAD_ALLOC_DIR"], tc.Env["NOMAD_TASK_DIR"], tc.Env["NOMAD_SECRETS_DIR"] = dir.Shared, dir.Local, dir.Secrets
	}
	return tc
}

func mkdir(t testing.TB, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(dir, mode.Perm()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

// again is a later start of the same task of the same allocation.
func again(tc *drivers.TaskConfig) *drivers.TaskConfig {
	next := *tc
	next.ID = tc.AllocID + "/web/" + randomHex(8)
	next.Env = map[string]string{}
	for k, v := range tc.Env {
		next.Env[k] = v
	}
	next.Env[marker] = next.ID
	return &next
}

// work is the config block of something simple.
func (n *node) work(w Work) map[string]any {
	if n.Work != nil {
		return n.Work(w)
	}
	return n.Shell(w.script())
}

// script does the work. That it has a trap matters to a task that is the first
// process of a namespace: the kernel keeps from it what it does not handle.
func (w Work) script() string {
	var b strings.Builder
	if w.Deaf {
		b.WriteString("trap '' TERM INT HUP QUIT USR1\n")
	} else {
		b.WriteString("trap 'exit 143' TERM INT HUP QUIT\n")
	}
	if w.RunFor == Forever {
		b.WriteString(": > \"$NOMAD_TASK_DIR/ready\"\n")
	}
	if w.Stdout != "" {
		fmt.Fprintf(&b, "printf %%s %s\n", quote(w.Stdout))
	}
	if w.Stderr != "" {
		fmt.Fprintf(&b, "printf %%s %s >&2\n", quote(w.Stderr))
	}
	if w.RunFor > 0 {
		fmt.Fprintf(&b, "sleep %g &\nwait\n", w.RunFor.Seconds())
	}
	fmt.Fprintf(&b, "exit %d\n", w.ExitCode)
	return b.String()
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// start starts a task that must start.
func (n *node) start(t testing.TB, tc *drivers.TaskConfig) *drivers.TaskHandle {
	t.Helper()
	h, err := n.tryStart(within(t), tc)
	if err != nil {
		t.Fatalf("StartTask: %v", err)
	}
	if h == nil || h.Config == nil || h.Config.ID != tc.ID || h.State != drivers.TaskRunning && h.State != drivers.TaskExited || h.Version < 1 {
		t.Fatalf("StartTask: handle %+v", h)
	}
	return h
}

func (n *node) tryStart(ctx context.Context, tc *drivers.TaskConfig) (*drivers.TaskHandle, error) {
	n.began = append(n.began, tc)
	h, _, err := n.driver.StartTask(ctx, tc)
	return h, err
}

// startWork starts a task that does something simple.
func (n *node) startWork(t testing.TB, w Work) (*drivers.TaskConfig, *drivers.TaskHandle) {
	t.Helper()
	tc := n.task(t, n.work(w))
	h := n.start(t, tc)
	if n.Work == nil && w.RunFor == Forever {
		if err := awaitTraps(within(t), tc); err != nil {
			t.Fatal(err)
		}
	}
	return tc, h
}

// awaitTraps returns when the script of a Work that stays handles signals.
func awaitTraps(ctx context.Context, tc *drivers.TaskConfig) error {
	for {
		if _, err := os.Stat(filepath.Join(tc.TaskDir().Local, "ready")); err == nil {
			return nil
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the script has not begun: %w", ctx.Err())
		}
	}
}

// startShell starts a task that runs a script.
func (n *node) startShell(t testing.TB, script string) (*drivers.TaskConfig, *drivers.TaskHandle) {
	t.Helper()
	tc := n.task(t, n.Shell(script))
	return tc, n.start(t, tc)
}

// wait returns the result of a task that ends.
func wait(t testing.TB, d drivers.Driver, tc *drivers.TaskConfig) drivers.ExitResult {
	t.Helper()
	r, err := d.WaitTask(within(t), tc.ID)
	if err != nil {
		t.Fatalf("WaitTask: %v", err)
	}
	return r
}

// runShell runs a script to its end, which must be a good one, and returns its
// standard output.
func (n *node) runShell(t testing.TB, script string) string {
	t.Helper()
	return n.runTask(t, n.task(t, n.Shell(script)))
}

func (n *node) runTask(t testing.TB, tc *drivers.TaskConfig) string {
	t.Helper()
	n.start(t, tc)
	if r := wait(t, n.driver, tc); !r.Successful() {
		t.Fatalf("result %+v; standard error: %q", r, output(t, tc, "stderr"))
	}
	out := output(t, tc, "stdout")
	n.destroy(t, n.driver, tc)
	return out
}

// stored is a handle as a later process of the agent finds it.
func stored(t testing.TB, h *drivers.TaskHandle) *drivers.TaskHandle {
	t.Helper()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var out drivers.TaskHandle
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// destroy destroys an ended task, of which nothing may be left then.
func (n *node) destroy(t testing.TB, d drivers.Driver, tc *drivers.TaskConfig) {
	t.Helper()
	if err := d.DestroyTask(within(t), tc.ID, false); err != nil {
		t.Fatalf("DestroyTask: %v", err)
	}
	n.mustBeGone(t, tc)
}

// eventually waits for something that no call of the driver tells of.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
