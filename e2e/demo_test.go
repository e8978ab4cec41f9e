package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestDemo runs the README's first command to its end.
func TestDemo(t *testing.T) {
	// All that it starts can be told by this directory. Tasks run as other users,
	// who could not come through one of t.TempDir.
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("../scripts/demo")
	cmd.Env = append(os.Environ(), "DEMO_ONCE=1", "DEMO_PORT="+itoa(freePorts(t)[0]), "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "Hello from server, allocation"
	if n := strings.Count(string(out), want); n < 2 {
		t.Errorf("%q is there %d times:\n%s", want, n, out)
	}
	eventually(t, 10*time.Second, "nothing is left", func() error {
		if left := processes(dir); len(left) > 0 {
			return errors.New(strings.Join(left, ", "))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			return fmt.Errorf("files: %v, %w", left, err)
		}
		return nil
	})
}
