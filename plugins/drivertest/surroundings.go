package drivertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

func testEnvironment(t *testing.T, n *node) {
	env := map[string]string{
		"PLAIN": "value", "EMPTY": "", "SPACES": "  a  b ", "QUOTES": `"'$PATH\`, "LINES": "one\ntwo", "UNICODE": "grün ☃", "EQUALS": "a=b=c",
	}
	var script strings.Builder
	var want strings.Builder
	for _, k := range []string{"PLAIN", "EMPTY", "SPACES", "QUOTES", "LINES", "UNICODE", "EQUALS"} {
		script.WriteString("printf '%s|' \"${" + k + "-unset}\"\n")
		want.WriteString(env[k] + "|")
	}
	script.WriteString("printf '%s' \"${DRIVERTEST_AGENT-unset}\"\n")
	want.WriteString("unset")
	// The agent's own environment is not the task's.
	t.Setenv("DRIVERTEST_AGENT", "secret")
	tc := n.task(t, n.Shell(script.String()))
	for k, v := range env {
		tc.Env[k] = v
	}
	if got := n.runTask(t, tc); got != want.String() {
		t.Errorf("environment %q; want %q", got, want.String())
	}
}

// testDirectories looks for the allocation's directories where the environment
// says that they are.
func testDirectories(t *testing.T, n *node) {
	tc := n.task(t, n.Shell(`
set -e
cat "$NOMAD_SECRETS_DIR/secret"
echo shared > "$NOMAD_ALLOC_DIR/data/from-task"
echo local > "$NOMAD_TASK_DIR/from-task"
if [ "$NOMAD_TASK_DIR" = /local ]; then
	if [ -e "$1" ] || cat /private/secret; then echo "sees too much"; fi
fi
`))
	dir := tc.TaskDir()
	for path, text := range map[string]string{
		filepath.Join(dir.Secrets, "secret"): "hush\n",
		filepath.Join(dir.Private, "secret"): "for the agent\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.runTask(t, tc); got != "hush\n" {
		t.Errorf("standard output %q", got)
	}
	for path, want := range map[string]string{
		filepath.Join(dir.Shared, "data", "from-task"): "shared\n",
		filepath.Join(dir.Local, "from-task"):          "local\n",
	} {
		if b, err := os.ReadFile(path); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
}

func testWorkDir(t *testing.T, n *node) {
	tc := n.task(t, n.Shell("pwd"))
	if got, want := strings.TrimSpace(n.runTask(t, tc)), n.WorkDir(tc.TaskDir()); got != want {
		t.Errorf("working directory %q; want %q", got, want)
	}
	if o := n.driver.TaskConfigSchema().Object; o == nil || o.Attributes["work_dir"] == nil {
		return
	}
	config := n.Shell("pwd")
	config["work_dir"] = "/usr/bin"
	if got := strings.TrimSpace(n.runTask(t, n.task(t, config))); got != "/usr/bin" {
		t.Errorf("working directory %q; want /usr/bin", got)
	}
}

func testDefaultUser(t *testing.T, n *node) {
	if got := strings.TrimSpace(n.runShell(t, "id -un")); got != n.DefaultUser {
		t.Errorf("user %q; want %q", got, n.DefaultUser)
	}
}

func testUser(t *testing.T, n *node) {
	tc := n.task(t, n.Shell("id -un"))
	tc.User = n.User
	if got := strings.TrimSpace(n.runTask(t, tc)); got != n.User {
		t.Errorf("user %q; want %q", got, n.User)
	}
	tc = n.task(t, n.Shell("id -un"))
	tc.User = "no-such-user"
	if _, err := n.tryStart(within(t), tc); err == nil || !strings.Contains(err.Error(), "no-such-user") {
		t.Errorf("an unknown user: %v", err)
	}
	n.mustBeGone(t, tc)
}

func testMounts(t *testing.T, n *node) {
	host := filepath.Join(n.dir, "volume")
	mkdir(t, host, 0o777)
	if err := os.WriteFile(filepath.Join(host, "file"), []byte("from the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tc := n.task(t, n.Shell(`
cat /data/rw/file /data/ro/file /data/file
echo new > /data/rw/new
if (echo new > /data/ro/new) 2>/dev/null; then echo "read-only is not"; fi
`))
	tc.Mounts = []drivers.Mount{
		{TaskPath: "/data/rw", HostPath: host},
		{TaskPath: "/data/ro", HostPath: host, ReadOnly: true},
		{TaskPath: "/data/file", HostPath: filepath.Join(host, "file"), ReadOnly: true},
	}
	if got := n.runTask(t, tc); got != strings.Repeat("from the host\n", 3) {
		t.Errorf("standard output %q", got)
	}
	if b, err := os.ReadFile(filepath.Join(host, "new")); err != nil || string(b) != "new\n" {
		t.Errorf("what the task wrote: %q, %v", b, err)
	}
}

func testOutOfMemory(t *testing.T, n *node) {
	// tail keeps the last line, and there is but one.
	tc := n.task(t, n.Shell("exec tail -n 1 /dev/zero"))
	tc.Resources.MemoryMB = 16
	n.start(t, tc)
	if r := wait(t, n.driver, tc); !r.OOMKilled || r.ExitCode != 137 || r.Successful() {
		t.Errorf("result %+v; want killed for its memory", r)
	}
	n.destroy(t, n.driver, tc)

	// With more on top of what is guaranteed it goes.
	tc = n.task(t, n.Shell("head -c 40m /dev/zero | tail -n 1 | wc -c"))
	tc.Resources.MemoryMB, tc.Resources.MemoryMaxMB = 16, 128
	n.start(t, tc)
	if r := wait(t, n.driver, tc); !r.Successful() {
		t.Errorf("result %+v with memory to spare", r)
	}
	n.destroy(t, n.driver, tc)
}
