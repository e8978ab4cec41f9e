package e2e

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const rounds = 20

// TestKilledAgent kills the agent at random moments while tasks of three drivers
// run, start and stop. What ran goes on as the same processes and containers,
// nothing is lost, doubled or restarted, logs have every line once, and in the
// end nothing is left.
func TestKilledAgent(t *testing.T) {
	need(t, os.Geteuid() == 0, "root")
	need(t, exec.Command("docker", "version").Run() == nil, "a Docker engine")
	image := workerImage(t)
	before := rules(t)
	a := newAgent(t, serverAndClient+fmt.Sprintf(`
client {
  chroot_env {
    %q = "/worker"
  }
}
`, worker))
	a.start()
	a.ready(1)

	steady := map[string]string{}
	for driver, config := range configs(image) {
		job := "steady-" + driver
		a.must("job", "run", "-detach", a.file(job+".hcl", jobOf(job, driver, config, 10)))
		steady[driver] = job
	}
	want := map[string]identity{}
	for _, job := range steady {
		for _, x := range a.running(job, 10) {
			want[x.ID] = a.identify(x.ID)
		}
	}
	if len(want) != 30 {
		t.Fatalf("%d allocations run", len(want))
	}

	var churned []string
	stopping := ""
	for round := range rounds {
		driver := []string{"raw_exec", "exec", "docker"}[round%3]
		job := fmt.Sprintf("churn-%d", round)
		churned = append(churned, job)
		a.must("job", "run", "-detach", a.file(job+".hcl", jobOf(job, driver, configs(image)[driver], 3)))
		if stopping != "" {
			a.must("job", "stop", "-detach", stopping)
		}
		stopping = job
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		a.kill()
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		a.start()
		a.ready(1)
		for _, job := range steady {
			for _, x := range a.running(job, 10) {
				if have := a.identify(x.ID); have != want[x.ID] {
					t.Fatalf("round %d: allocation %s of %s was %v and is %v", round, x.ID, job, want[x.ID], have)
				}
			}
		}
	}
	a.running(stopping, 3)
	written := map[string]int{}
	for id := range want {
		written[id] = countsUp(t, filepath.Join(a.dir, "data/alloc", id))
	}
	eventually(t, 20*time.Second, "all logs go on", func() error {
		for id, n := range written {
			if now := countsUp(t, filepath.Join(a.dir, "data/alloc", id)); now <= n {
				return fmt.Errorf("the log of %s stays at %d lines", id, n)
			}
		}
		return nil
	})

	for _, job := range append(churned, steady["raw_exec"], steady["exec"], steady["docker"]) {
		for _, x := range a.allocs(job) {
			dir := filepath.Join(a.dir, "data/alloc", x.ID)
			if starts := lines(t, filepath.Join(dir, "alloc/starts")); len(starts) > 1 || len(starts) == 0 && x.ClientStatus == "running" {
				t.Errorf("%s: allocation %s (%s) was started %d times", job, x.ID, x.ClientStatus, len(starts))
			}
			countsUp(t, dir)
		}
	}

	var ids []string
	for _, job := range append(churned, steady["raw_exec"], steady["exec"], steady["docker"]) {
		for _, x := range a.allocs(job) {
			ids = append(ids, x.ID)
		}
		a.must("job", "stop", "-detach", "-purge", job)
	}
	eventually(t, 60*time.Second, "everything is removed", func() error { return a.leftovers(ids) })
	a.stop()
	if left := processes(a.dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if after := rules(t); after != before {
		t.Errorf("firewall rules changed from\n%s\nto\n%s", before, after)
	}
}

var worker = absolute("../bin/worker")

// configs of the worker task by driver.
func configs(image string) map[string]string {
	return map[string]string{
		"raw_exec": fmt.Sprintf("command = %q", worker),
		"exec":     `command = "/worker"`,
		"docker":   fmt.Sprintf("image = %q", image),
	}
}

func jobOf(name, driver, config string, count int) string {
	return fmt.Sprintf(`
job %q {
  group "g" {
    count = %d
    update {
      max_parallel = 0
    }
    task "t" {
      driver       = %q
      kill_timeout = "2s"
      config {
        %s
      }
      resources {
        cpu    = 10
        memory = 20
      }
    }
  }
}
`, name, count, driver, config)
}

// workerImage makes an image of the worker.
func workerImage(t testing.TB) string {
	t.Helper()
	const image = "nomadlike-e2e-worker:1"
	tar := exec.Command("tar", "-C", filepath.Dir(worker), "-c", "worker")
	archive, err := tar.Output()
	if err != nil {
		t.Fatal(err)
	}
	load := exec.Command("docker", "import", "-c", `ENTRYPOINT ["/worker"]`, "-", image)
	load.Stdin = strings.NewReader(string(archive))
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", image).Run() })
	return image
}

// An identity is that of a task's process: another start is another identity.
type identity struct {
	pid, started string
}

// identify finds an allocation's worker among all processes of the machine.
func (a *agent) identify(id string) identity {
	a.t.Helper()
	var found []identity
	eventually(a.t, 20*time.Second, "one process runs for allocation "+id, func() error {
		found = nil
		for _, p := range environs() {
			if strings.Contains(p.environ, "NOMAD_ALLOC_ID="+id) && p.name == "worker" {
				found = append(found, p.identity)
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("there are %d", len(found))
		}
		return nil
	})
	return found[0]
}

type process struct {
	identity
	name, environ, cmdline string
}

// environs lists all processes.
func environs() (out []process) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		stat, err := os.ReadFile(d + "/stat")
		if err != nil {
			continue
		}
		env, _ := os.ReadFile(d + "/environ")
		cmd, _ := os.ReadFile(d + "/cmdline")
		open, closing := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
		rest := strings.Fields(string(stat)[closing+1:])
		if len(rest) < 20 || rest[0] == "Z" {
			continue
		}
		out = append(out, process{identity{filepath.Base(d), rest[19]}, string(stat)[open+1 : closing], string(env), string(cmd)})
	}
	return out
}

// processes lists what runs and mentions a directory.
func processes(dir string) (out []string) {
	for _, p := range environs() {
		if strings.Contains(p.environ, dir) || strings.Contains(p.cmdline, dir) {
			out = append(out, p.pid+" "+strings.ReplaceAll(p.cmdline, "\x00", " "))
		}
	}
	return out
}

// leftovers says what is still there of allocations that were purged.
func (a *agent) leftovers(ids []string) error {
	if dirs, _ := os.ReadDir(filepath.Join(a.dir, "data/alloc")); len(dirs) > 0 {
		return fmt.Errorf("%d allocation directories, such as %s", len(dirs), dirs[0].Name())
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	if strings.Contains(string(mounts), a.dir) {
		return fmt.Errorf("mounts below %s", a.dir)
	}
	containers, err := exec.Command("docker", "ps", "-a", "--format", `{{.Names}}`).Output()
	if err != nil {
		return err
	}
	groups, _ := exec.Command("find", "/sys/fs/cgroup", "-type", "d", "-path", "*nomad*").Output()
	procs := environs()
	for _, id := range ids {
		if strings.Contains(string(containers), id) {
			return fmt.Errorf("container of %s", id)
		}
		if strings.Contains(string(groups), id) {
			return fmt.Errorf("cgroup of %s", id)
		}
		for _, p := range procs {
			if strings.Contains(p.environ, id) || strings.Contains(p.cmdline, id) {
				return fmt.Errorf("process %s of %s: %q", p.pid, id, p.cmdline)
			}
		}
	}
	return nil
}

// rules are the firewall's, without counters.
func rules(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("iptables-save").Output()
	if err != nil {
		return ""
	}
	var keep []string
	for line := range strings.SplitSeq(string(out), "\n") {
		if strings.HasPrefix(line, "-A") {
			keep = append(keep, line)
		}
	}
	slices.Sort(keep)
	return strings.Join(keep, "\n")
}

func lines(t testing.TB, path string) (out []string) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

// countsUp fails unless the worker's log has every line once, and returns how
// many there are.
func countsUp(t testing.TB, dir string) int {
	t.Helper()
	var all []string
	for i := 0; ; i++ {
		part := lines(t, filepath.Join(dir, "alloc/logs", "t.stdout."+strconv.Itoa(i)))
		if part == nil {
			break
		}
		all = append(all, part...)
	}
	for i, line := range all {
		if line != strconv.Itoa(i+1) {
			t.Errorf("%s: line %d of the log is %q", dir, i+1, line)
			break
		}
	}
	return len(all)
}
