package allocdir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/hook/allocdir"
)

const id = n.AllocID("11111111-2222-4333-8444-555555555555")

// TestDirectories makes the tree that drivers rely on, keeps what is in it when an
// agent makes it again, and removes it with what is mounted.
func TestDirectories(t *testing.T) {
	root := t.TempDir()
	h := allocdir.Hook{Root: root, Logger: hclog.NewNullLogger()}
	a, g := &n.Allocation{ID: id}, &n.Group{Tasks: []n.Task{{Name: "web"}}}
	dir := filepath.Join(root, string(id))
	t.Cleanup(func() { _ = allocdir.Remove(dir) })
	for i := range 2 {
		if err := h.Prerun(t.Context(), nil, g, a); err != nil {
			t.Fatal(err)
		}
		for name, mode := range map[string]fs.FileMode{
			"": 0o755, "alloc": 0o777, "alloc/data": 0o777, "alloc/logs": 0o777, "alloc/tmp": 0o777,
			"web": 0o777, "web/local": 0o777, "web/tmp": 0o777 | fs.ModeSticky, "web/secrets": 0o777, "web/private": 0o777,
		} {
			st, err := os.Stat(filepath.Join(dir, name))
			if err != nil || st.Mode()&^fs.ModeDir != mode {
				t.Errorf("%q: %v, want %v (%v)", name, st.Mode(), mode, err)
			}
		}
		secret := filepath.Join(dir, "web/secrets/token")
		if i == 0 {
			if err := os.WriteFile(secret, []byte("s"), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if b, err := os.ReadFile(secret); string(b) != "s" {
			t.Errorf("the secret has gone: %v", err)
		}
	}
	for range 2 { // the second time there is nothing
		if err := h.Destroy(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Errorf("it is left: %v", err)
		}
	}
}

// TestRemoveFollowsNoLinks leaves what links point to.
func TestRemoveFollowsNoLinks(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	keep := filepath.Join(other, "keep")
	dir := filepath.Join(root, string(id))
	for _, err := range []error{os.WriteFile(keep, nil, 0o600), os.Mkdir(dir, 0o700), os.Symlink(other, filepath.Join(dir, "link"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := allocdir.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}

// TestLeftovers names directories of allocations that nobody knows, and no others.
func TestLeftovers(t *testing.T) {
	root := t.TempDir()
	const unknown = "aaaaaaaa-2222-4333-8444-555555555555"
	for _, name := range []string{string(id), unknown, "lost+found", "mine", "AAAAAAAA-2222-4333-8444-555555555555"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	have, err := allocdir.Leftovers(root, func(a n.AllocID) bool { return a == id })
	if err != nil || len(have) != 1 || have[0] != filepath.Join(root, unknown) {
		t.Error(have, err)
	}
}
