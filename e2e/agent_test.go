package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
)

var (
	binary = absolute("../bin/nomadlike") // made by make e2e
	hello  = absolute("../bin/hello")
)

func absolute(path string) string {
	p, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return p
}

func TestMain(m *testing.M) {
	for _, p := range []string{binary, hello} {
		if _, err := os.Stat(p); err != nil {
			fmt.Fprintf(os.Stderr, "%v: run the tests with make e2e, which builds it\n", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// need fails in CI for want of something, and skips elsewhere.
func need(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("CI") != "":
		t.Fatalf("this test needs %s", what)
	default:
		t.Skipf("this test needs %s", what)
	}
}

// An agent is a process of the real binary, with its data in a directory that
// outlives it.
type agent struct {
	t      testing.TB
	dir    string
	config string
	ports  [3]int
	cmd    *exec.Cmd
	exited chan struct{}
}

// newAgent prepares an agent; more is added to its configuration.
func newAgent(t testing.TB, more string) *agent {
	t.Helper()
	a := &agent{t: t, dir: t.TempDir(), ports: freePorts(t)}
	// Tasks of other users reach their own directories through these.
	for dir := a.dir; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	a.config = filepath.Join(a.dir, "agent.hcl")
	a.write(a.config, fmt.Sprintf(`
data_dir  = %q
bind_addr = "127.0.0.1"
log_level = "DEBUG"
ports {
  http = %d
  rpc  = %d
  serf = %d
}
advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}
plugin "raw_exec" {
  config {
    enabled = true
  }
}
%s`, a.dir+"/data", a.ports[0], a.ports[1], a.ports[2], more))
	t.Cleanup(func() {
		a.stop()
		a.clear()
		if t.Failed() {
			log, _ := os.ReadFile(a.log())
			lines := strings.Split(string(log), "\n")
			t.Logf("the end of the agent's log:\n%s", strings.Join(lines[max(len(lines)-40, 0):], "\n"))
		}
	})
	return a
}

const (
	serverAndClient = serverOnly + clientOnly
	serverOnly      = "server {\n enabled = true\n bootstrap_expect = 1\n}\n"
	clientOnly      = "client {\n enabled = true\n network_interface = \"lo\"\n gc_max_allocs = 1000\n}\n"
)

func (a *agent) log() string { return filepath.Join(a.dir, "agent.log") }

func (a *agent) write(path, text string) {
	a.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

// freePorts finds ports that nobody uses. Others may take them until they are
// used, which did not happen yet.
func freePorts(t testing.TB) (ports [3]int) {
	t.Helper()
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// start starts the agent's process and returns at once.
func (a *agent) start(args ...string) {
	a.t.Helper()
	log, err := os.OpenFile(a.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		a.t.Fatal(err)
	}
	defer log.Close()
	a.cmd = exec.Command(binary, append([]string{"agent", "-config", a.config}, args...)...)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(a.cmd, a.exited)
}

// clear ends and unmounts what an agent that was stopped leaves to the next one.
func (a *agent) clear() {
	for _, p := range environs() {
		if pid, err := strconv.Atoi(p.pid); err == nil && (strings.Contains(p.environ, a.dir) || strings.Contains(p.cmdline, a.dir)) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], a.dir) {
			_ = syscall.Unmount(f[4], syscall.MNT_DETACH)
		}
	}
}

// kill ends the agent's process as a crash would.
func (a *agent) kill() { a.end(syscall.SIGKILL) }

// stop ends the agent's process as an operator would.
func (a *agent) stop() { a.end(syscall.SIGINT) }

func (a *agent) end(s syscall.Signal) {
	a.t.Helper()
	if a.cmd == nil {
		return
	}
	_ = a.cmd.Process.Signal(s)
	select {
	case <-a.exited:
	case <-time.After(30 * time.Second):
		_ = a.cmd.Process.Kill()
		a.t.Errorf("the agent did not end within 30 s of %v", s)
	}
	a.cmd = nil
}

func (a *agent) addr() string { return fmt.Sprintf("http://127.0.0.1:%d", a.ports[0]) }

// client is the client library that users know.
func (a *agent) client() *api.Client {
	a.t.Helper()
	c, err := api.NewClient(&api.Config{Address: a.addr()})
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// cli runs a command line against the agent.
func (a *agent) cli(args ...string) (out string, code int) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "NOMAD_ADDR="+a.addr(), "NO_COLOR=1")
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return buf.String(), cmd.ProcessState.ExitCode()
}

// must is cli for what has to work.
func (a *agent) must(args ...string) string {
	a.t.Helper()
	out, code := a.cli(args...)
	if code != 0 {
		a.t.Fatalf("nomadlike %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// eventually waits for something to become true. problem says what is not.
func eventually(t testing.TB, within time.Duration, what string, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not within %s: %v", what, within, err)
}

// ready waits until the cluster has nodes that are ready.
func (a *agent) ready(nodes int) {
	a.t.Helper()
	c := a.client()
	eventually(a.t, 20*time.Second, "nodes become ready", func() error {
		list, _, err := c.Nodes().List(nil)
		if err != nil {
			return err
		}
		ready := 0
		for _, n := range list {
			if n.Status == "ready" {
				ready++
			}
		}
		if ready != nodes {
			return fmt.Errorf("%d are ready", ready)
		}
		return nil
	})
}

// file writes a job file and returns its path.
func (a *agent) file(name, text string) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	a.write(path, text)
	return path
}

// allocs lists a job's allocations.
func (a *agent) allocs(job string) []*api.AllocationListStub {
	a.t.Helper()
	list, _, err := a.client().Jobs().Allocations(job, true, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

// running waits until a job has a number of allocations that run.
func (a *agent) running(job string, want int) []*api.AllocationListStub {
	a.t.Helper()
	var out []*api.AllocationListStub
	eventually(a.t, 60*time.Second, fmt.Sprintf("%d allocations of %s run", want, job), func() error {
		list, _, err := a.client().Jobs().Allocations(job, true, nil)
		if err != nil {
			return err
		}
		out = nil
		have := map[string]int{}
		for _, x := range list {
			have[x.DesiredStatus+"/"+x.ClientStatus]++
			if x.ClientStatus == "running" && x.DesiredStatus == "run" {
				out = append(out, x)
			}
		}
		if len(out) != want {
			return fmt.Errorf("there are %v", have)
		}
		return nil
	})
	return out
}

func itoa(i int) string { return strconv.Itoa(i) }
