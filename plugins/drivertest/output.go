package drivertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

func itoa(n int) string { return strconv.Itoa(n) }

func logFile(tc *drivers.TaskConfig, stream string, i int) string {
	return filepath.Join(tc.Logs.Dir, fmt.Sprintf("%s.%s.%d", tc.Name, stream, i))
}

// logFiles lists the indexes of the files of a stream, in order.
func logFiles(t testing.TB, tc *drivers.TaskConfig, stream string) (first, last int) {
	t.Helper()
	first, last = -1, -1
	entries, err := os.ReadDir(tc.Logs.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		i, err := strconv.Atoi(strings.TrimPrefix(e.Name(), tc.Name+"."+stream+"."))
		if err != nil {
			continue
		}
		if first < 0 || i < first {
			first = i
		}
		last = max(last, i)
	}
	return first, last
}

// output is all that is kept of a stream.
func output(t testing.TB, tc *drivers.TaskConfig, stream string) string {
	t.Helper()
	first, last := logFiles(t, tc, stream)
	var out strings.Builder
	for i := first; i >= 0 && i <= last; i++ {
		b, err := os.ReadFile(logFile(tc, stream, i))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	return out.String()
}

func awaitOutput(t testing.TB, tc *drivers.TaskConfig, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%q in the task's output", text), func() bool {
		return strings.Contains(output(t, tc, "stdout"), text)
	})
}

func testOutput(t *testing.T, n *node) {
	tc, _ := n.startWork(t, Work{Stdout: "to out\n", Stderr: "to err\n"})
	wait(t, n.driver, tc)
	// It is there as soon as the task has ended.
	if got := output(t, tc, "stdout"); got != "to out\n" {
		t.Errorf("standard output %q", got)
	}
	if got := output(t, tc, "stderr"); got != "to err\n" {
		t.Errorf("standard error %q", got)
	}
	n.destroy(t, n.driver, tc)
	if got := output(t, tc, "stdout"); got != "to out\n" {
		t.Errorf("standard output after DestroyTask %q", got)
	}
}

func testOutputDisabled(t *testing.T, n *node) {
	tc := n.task(t, n.work(Work{Stdout: "to out\n"}))
	tc.Logs.Disabled = true
	n.start(t, tc)
	if r := wait(t, n.driver, tc); !r.Successful() {
		t.Errorf("result %+v", r)
	}
	if entries, err := os.ReadDir(tc.Logs.Dir); err != nil || len(entries) > 0 {
		t.Errorf("log files although logs are disabled: %v, %v", entries, err)
	}
	n.destroy(t, n.driver, tc)
}

// count is a script that writes lines, each with its number, and at last one
// without a newline.
const count = `i=1; while [ $i -le %d ]; do echo "$i ----------------------------------------------------------------"; i=$((i+1)); done; printf end`

func counted(lines int) string {
	var b strings.Builder
	for i := 1; i <= lines; i++ {
		fmt.Fprintf(&b, "%d ----------------------------------------------------------------\n", i)
	}
	b.WriteString("end")
	return b.String()
}

func testOutputComplete(t *testing.T, n *node) {
	const lines = 30000
	script := fmt.Sprintf(count, lines)
	tc, _ := n.startShell(t, "{ "+script+"; }; { "+script+"; } >&2")
	if r := wait(t, n.driver, tc); !r.Successful() {
		t.Errorf("result %+v", r)
	}
	want := counted(lines)
	for _, stream := range []string{"stdout", "stderr"} {
		if got := output(t, tc, stream); got != want {
			t.Errorf("%s: %d bytes, and not the right ones; want %d", stream, len(got), len(want))
		}
	}
	n.destroy(t, n.driver, tc)
}

func testOutputRotated(t *testing.T, n *node) {
	const lines, maxFiles, maxSize = 30000, 3, 256 << 10
	tc := n.task(t, n.Shell(fmt.Sprintf(count, lines)))
	tc.Logs.MaxFiles, tc.Logs.MaxSize = maxFiles, maxSize
	n.start(t, tc)
	wait(t, n.driver, tc)
	want := counted(lines)
	first, last := logFiles(t, tc, "stdout")
	if got := last - first + 1; got != maxFiles {
		t.Errorf("files %d to %d are kept; want %d", first, last, maxFiles)
	}
	if least := len(want) / maxSize; last < least {
		t.Errorf("the last file is %d; want at least %d", last, least)
	}
	if got := output(t, tc, "stdout"); !strings.HasSuffix(want, got) || len(got) < (maxFiles-1)*maxSize*3/4 {
		t.Errorf("what is kept, %d bytes, is not the end of what was written", len(got))
	}
	for i := first; i <= last; i++ {
		b, err := os.ReadFile(logFile(tc, "stdout", i))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > maxSize {
			t.Errorf("file %d has %d bytes; want at most %d", i, len(b), maxSize)
		}
		if i < last && b[len(b)-1] != '\n' {
			t.Errorf("file %d ends within a line", i)
		}
	}
	n.destroy(t, n.driver, tc)
}

// testOutputGoesOn starts a task again: what it writes comes behind what is
// there.
func testOutputGoesOn(t *testing.T, n *node) {
	tc := n.task(t, n.work(Work{Stdout: "again\n"}))
	for range 3 {
		n.start(t, tc)
		wait(t, n.driver, tc)
		n.destroy(t, n.driver, tc)
		tc = again(tc)
	}
	if got := output(t, tc, "stdout"); got != "again\nagain\nagain\n" {
		t.Errorf("standard output of three starts %q", got)
	}
}

// testOutputAfterRecovery loses nothing and repeats nothing when the agent
// changes while a task writes.
func testOutputAfterRecovery(t *testing.T, n *node) {
	const lines = 20
	tc, h := n.startShell(t, fmt.Sprintf(`i=1; while [ $i -le %d ]; do echo $i; sleep 0.05; i=$((i+1)); done`, lines))
	awaitOutput(t, tc, "3\n")
	n.recoverTask(t, stored(t, h))
	wait(t, n.driver, tc)
	var want strings.Builder
	for i := 1; i <= lines; i++ {
		fmt.Fprintln(&want, i)
	}
	if got := output(t, tc, "stdout"); got != want.String() {
		t.Errorf("standard output %q", got)
	}
	n.destroy(t, n.driver, tc)
}
