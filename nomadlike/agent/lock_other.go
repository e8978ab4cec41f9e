//go:build !unix

package agent

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockDir keeps the lock's file open, which on Windows keeps other agents from
// removing it; two agents are told apart by the client's own lock.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "agent.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return f, nil
}
