// Package allocdir owns the directories of an allocation: their names, modes and
// owners, the memory file systems for secrets, and their removal. What is in them
// belongs to tasks and drivers.
package allocdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Hook makes and removes the directories below Root.
type Hook struct {
	Root   string
	Logger hclog.Logger
}

// Name names the hook.
func (Hook) Name() string { return "alloc_dir" }

// Prerun makes the directories of an allocation; those that are there stay.
func (h Hook) Prerun(_ context.Context, _ *n.Job, g *n.Group, a *n.Allocation) error {
	dir := filepath.Join(h.Root, string(a.ID))
	if err := mkdir(dir, 0o755, false); err != nil {
		return err
	}
	for _, d := range []string{"alloc", "alloc/data", "alloc/logs", "alloc/tmp"} {
		if err := mkdir(filepath.Join(dir, d), 0o777, true); err != nil {
			return err
		}
	}
	for i := range g.Tasks {
		if err := h.task(dir, &g.Tasks[i]); err != nil {
			return err
		}
	}
	return nil
}

func (h Hook) task(dir string, t *n.Task) error {
	dir = filepath.Join(dir, t.Name)
	for _, d := range []struct {
		name string
		mode fs.FileMode
	}{{"", 0o777}, {"local", 0o777}, {"tmp", 0o777 | fs.ModeSticky}, {"secrets", 0o777}, {"private", 0o777}} {
		if err := mkdir(filepath.Join(dir, d.name), d.mode, true); err != nil {
			return err
		}
	}
	size := 1
	if t.Resources != nil && t.Resources.SecretsMB != nil && *t.Resources.SecretsMB > 0 {
		size = *t.Resources.SecretsMB
	}
	for name, mb := range map[string]int{"secrets": size, "private": 1} {
		if err := inMemory(filepath.Join(dir, name), mb); err != nil {
			h.Logger.Warn("secrets of a task are kept on disk, not in memory", "directory", filepath.Join(dir, name), "error", err)
		}
	}
	return nil
}

// mkdir makes a directory of the mode, owned by nobody if it is to be shared.
func mkdir(dir string, mode fs.FileMode, shared bool) error {
	err := os.Mkdir(dir, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, mode); err != nil { // the umask had its say
		return err
	}
	if shared && os.Geteuid() == 0 {
		return os.Chown(dir, nobody, nobody)
	}
	return nil
}

const nobody = 65534

// Destroy removes the directories of an allocation.
func (h Hook) Destroy(_ context.Context, a *n.Allocation) error {
	return Remove(filepath.Join(h.Root, string(a.ID)))
}

// Remove removes a tree with what is mounted in it. While something stays
// mounted nothing is removed, since it may be a directory of the host.
func Remove(dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := unmountAll(dir); err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return os.RemoveAll(dir)
}

// Leftovers returns the directories of allocations that nobody knows.
func Leftovers(root string, known func(n.AllocID) bool) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if isID(e.Name()) && !known(n.AllocID(e.Name())) {
			out = append(out, filepath.Join(root, e.Name()))
		}
	}
	return out, nil
}

// isID reports whether a name is that of an allocation. Nothing else is touched.
func isID(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && strings.Trim(s, "0123456789abcdef-") == ""
}
