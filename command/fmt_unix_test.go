//go:build unix

package command_test

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFmtOnFullDisk shows that a file stays as it was when there is no room for it,
// and that nothing is left beside it.
func TestFmtOnFullDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	long := strings.Repeat("b {\na=\""+strings.Repeat("x", 500)+"\"\n}\n", 2000)
	put(t, "x.hcl", long, 0o640)
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	small := unix.Rlimit{Cur: 512 << 10, Max: was.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	out := run(t, "", "fmt")
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "x.hcl could not be written and is as it was") || !strings.HasSuffix(out, "exit code 1\n") {
		t.Error(out)
	}
	if b, err := os.ReadFile("x.hcl"); err != nil || string(b) != long {
		t.Errorf("it holds %d bytes of %d (%v)", len(b), len(long), err)
	}
	if all, err := os.ReadDir("."); err != nil || len(all) != 1 {
		t.Errorf("the directory holds %v (%v)", all, err)
	}
}

// TestFmtKeepsTheFile shows that mode, owner and links stay.
func TestFmtKeepsTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "real/x.hcl", "a=1\n", 0o644)
	owner := os.Getuid()
	if owner == 0 {
		owner = 12345
		if err := os.Chown("real/x.hcl", owner, 23456); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod("real/x.hcl", 0o664); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real/x.hcl", "link.hcl"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nonesuch", "lost.hcl"); err != nil { // as editors leave them
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("pipe.hcl", 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "", "fmt"); out != "link.hcl\n" {
		t.Error(out)
	}
	info, err := os.Lstat("link.hcl")
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v (%v)", info.Mode(), err)
	}
	if info, err = os.Stat("real/x.hcl"); err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); info.Mode() != 0o664 || int(s.Uid) != owner {
		t.Errorf("it is %v and belongs to %d, want %d", info.Mode(), s.Uid, owner)
	}
	if b, err := os.ReadFile("real/x.hcl"); err != nil || string(b) != "a = 1\n" {
		t.Errorf("%q (%v)", b, err)
	}
	put(t, "real/x.hcl", "a=1\n", 0o644)
	if err := os.Symlink("real", "directory"); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "", "fmt", "directory"); out != "directory/x.hcl\n" {
		t.Error(out)
	}
	if out := run(t, "", "fmt", "pipe.hcl"); !strings.Contains(out, "not a file") {
		t.Error(out)
	}
	if os.Getuid() != 0 { // root may write everything
		put(t, "fixed.hcl", "a=1\n", 0o444)
		if out := run(t, "", "fmt", "fixed.hcl"); !strings.Contains(out, "permission denied") {
			t.Error(out)
		}
	}
}
