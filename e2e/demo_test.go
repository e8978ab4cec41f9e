package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestDemo runs the README's first command to its end.
func TestDemo(t *testing.T) {
	cmd := exec.Command("../scripts/demo")
	cmd.Env = append(os.Environ(), "DEMO_ONCE=1", "DEMO_PORT="+itoa(freePorts(t)[0]))
	before := len(environs())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "Hello from server, allocation"
	if n := strings.Count(string(out), want); n < 2 {
		t.Errorf("%q is there %d times:\n%s", want, n, out)
	}
	if after := len(environs()); after > before+1 {
		t.Errorf("%d processes became %d", before, after)
	}
}
