//go:build linux

package executor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func BenchmarkStart(b *testing.B) {
	root := b.TempDir()
	for i := range b.N {
		s := shell(b, fmt.Sprintf("a/bench/%d", i), "")
		s.Command, s.Args = "/bin/sleep", []string{"1000"}
		p, err := Start(context.Background(), root, s)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.Destroy(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkShimMemory measures what a task costs beside itself: the memory of
// its shim, as the kernel's proportional set size (PSS) in MB, the mean of ten
// tasks that run together and have written to both of their streams. The shim is
// the program that is released, not the test's.
func BenchmarkShimMemory(b *testing.B) {
	const tasks, most = 10, 6.0 // MB
	program := filepath.Join(b.TempDir(), "nomadlike")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "github.com/nomadlike/nomadlike")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	before := self
	self = program
	b.Cleanup(func() { self = before })
	root := b.TempDir()
	for b.Loop() {
		var all []*Process
		for i := range tasks {
			s := shell(b, fmt.Sprintf("a/memory/%d", i), "head -c 200000 /dev/zero | tee /dev/stderr; touch $0; exec sleep 1000")
			written := filepath.Join(s.Logs.Dir, "written")
			s.Args = append(s.Args, written)
			all = append(all, start(b, root, s))
			for began := time.Now(); !exists(written); time.Sleep(time.Millisecond) {
				if time.Since(began) > 10*time.Second {
					b.Fatal("the task does not write")
				}
			}
		}
		shims, mb := 0, 0.0
		for _, p := range all {
			for _, pid := range append(descendants(p.shimPid), p.shimPid) {
				if pid != p.Pid() {
					shims++
					mb += pss(b, pid)
				}
			}
		}
		for _, p := range all {
			if err := p.Destroy(testCtx(b)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(shims)/tasks, "helpers/task")
		b.ReportMetric(mb/tasks, "MB/task")
		if shims > tasks || mb/tasks > most {
			b.Errorf("%d processes for %d tasks, %.2f MB for each; want at most one and %.0f MB", shims, tasks, mb/tasks, most)
		}
	}
}

// pss is a process's proportional set size in MB.
func pss(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("smaps_rollup has no Pss")
	return 0
}
