package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Identity returns who the node is, from two files beside the journal, which it
// makes the first time. They survive when the journal is moved away.
func Identity(dir string) (id n.NodeID, secret string, err error) {
	a, err := keep(filepath.Join(dir, "client-id"))
	if err != nil {
		return "", "", err
	}
	b, err := keep(filepath.Join(dir, "secret-id"))
	return n.NodeID(a), b, err
}

// keep returns the id in a file, or puts a new one there.
func keep(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err == nil {
		id, err := uuid.Parse(strings.TrimSpace(string(b)))
		if err != nil {
			return "", fmt.Errorf("%s does not hold an id: %w. Restore it, or remove it to make this a new node", file, err)
		}
		return id.String(), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	id := uuid.NewString()
	return id, writeWhole(file, []byte(id))
}

// writeWhole makes a file that is there in whole or not at all.
func writeWhole(file string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}
