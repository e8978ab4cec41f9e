package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkRunToProcess measures the time from the command line "job run" to
// the first instruction of the task's process: the median of 20 jobs, the same
// for a process started by hand, and the difference between the two.
func BenchmarkRunToProcess(b *testing.B) {
	a := newAgent(b, serverAndClient)
	a.start()
	a.ready(1)
	for range b.N {
		var whole, own []time.Duration
		for i := range 20 {
			job := fmt.Sprintf("run-%d", i)
			path := a.file(job+".hcl", jobOf(job, "raw_exec", configs("")["raw_exec"], 1))
			began := time.Now()
			a.must("job", "run", "-detach", path)
			x := a.running(job, 1)[0]
			whole = append(whole, startOf(b, filepath.Join(a.dir, "data/alloc", x.ID, "alloc")).Sub(began))

			dir := b.TempDir()
			cmd := exec.Command(worker)
			cmd.Env = []string{"NOMAD_ALLOC_DIR=" + dir}
			began = time.Now()
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			eventually(b, 5*time.Second, "the process starts", func() error {
				_, err := os.Stat(filepath.Join(dir, "starts"))
				return err
			})
			time.Sleep(10 * time.Millisecond)
			own = append(own, startOf(b, dir).Sub(began))
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		for i := range 20 {
			a.must("job", "stop", "-detach", "-purge", fmt.Sprintf("run-%d", i))
		}
		b.ReportMetric(median(whole), "ms/job")
		b.ReportMetric(median(own), "ms/process")
		b.ReportMetric(median(whole)-median(own), "ms/way")
	}
}

// startOf is when the worker whose directory this is began.
func startOf(b *testing.B, dir string) time.Time {
	b.Helper()
	all := lines(b, filepath.Join(dir, "starts"))
	if len(all) == 0 {
		b.Fatal("the worker did not note its start")
	}
	nano, err := strconv.ParseInt(all[0], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Unix(0, nano)
}

func median(list []time.Duration) float64 {
	slices.Sort(list)
	return float64(list[len(list)/2].Microseconds()) / 1000
}

// BenchmarkIdleAgent measures what a dev agent with nothing to do uses: resident
// memory, and processor time within a minute.
func BenchmarkIdleAgent(b *testing.B) {
	for range b.N {
		a := newAgent(b, "")
		a.write(a.config, fmt.Sprintf("ports {\n http = %d\n rpc = %d\n serf = %d\n}\n", a.ports[0], a.ports[1], a.ports[2]))
		a.start("-dev")
		a.ready(1)
		time.Sleep(10 * time.Second)
		pid := a.cmd.Process.Pid
		before := cpuTime(b, pid)
		time.Sleep(time.Minute)
		b.ReportMetric(cpuTime(b, pid)-before, "cpu-s/min")
		b.ReportMetric(resident(b, pid), "MB")
		a.stop()
	}
}

// BenchmarkTaskOverhead measures what stays beside a task: the memory of the
// process that supervises it and keeps its output, as the kernel's proportional
// set size (PSS), with ten tasks of a driver running.
func BenchmarkTaskOverhead(b *testing.B) {
	for range b.N {
		a := newAgent(b, serverAndClient)
		a.start()
		a.ready(1)
		a.must("job", "run", "-detach", a.file("ten.hcl", jobOf("ten", "raw_exec", configs("")["raw_exec"], 10)))
		a.running("ten", 10)
		time.Sleep(time.Second)
		shims, kb := 0, 0.0
		for _, p := range environs() {
			if !strings.HasPrefix(p.cmdline, "nomadlike-shim") {
				continue
			}
			shims++
			for _, line := range lines(b, "/proc/"+p.pid+"/smaps_rollup") {
				if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
					n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
					kb += n
				}
			}
		}
		if shims == 0 {
			b.Fatal("no process supervises the tasks")
		}
		b.ReportMetric(float64(shims)/10, "helpers/task")
		b.ReportMetric(kb/1024/10, "MB/task")
		a.must("job", "stop", "-detach", "-purge", "ten")
		a.stop()
	}
}

// cpuTime is what a process has used of processors, in seconds.
func cpuTime(b *testing.B, pid int) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // clock ticks, of which Linux shows 100 a second
}

// resident is a process's memory in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	for _, line := range lines(b, fmt.Sprintf("/proc/%d/status", pid)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	b.Fatal("the process has no memory")
	return 0
}
