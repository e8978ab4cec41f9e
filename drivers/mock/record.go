package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A record is what is kept of a task in the driver's state directory: all that
// stands for a process that outlives the agent.
type record struct {
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
	ExitCode  int
	Signal    int
	Err       string `json:",omitempty"`
}

func (r *record) end(e drivers.ExitResult, at time.Time) {
	r.EndedAt, r.ExitCode, r.Signal = at, e.ExitCode, e.Signal
	if e.Err != nil {
		r.Err = e.Err.Error()
	}
}

func (r *record) result() drivers.ExitResult {
	e := drivers.ExitResult{ExitCode: r.ExitCode, Signal: r.Signal}
	if r.Err != "" {
		e.Err = errors.New(r.Err)
	}
	return e
}

func recordPath(dir, id string) string {
	return filepath.Join(dir, url.PathEscape(id)+".json")
}

// create writes the record of a task that must have none yet.
func (r *record) create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("note the task: %w", err)
	}
	b, err := json.Marshal(r)
	if err == nil {
		_, err = f.Write(b)
	}
	return errors.Join(err, f.Close())
}

// save writes the record anew, unless the task was destroyed meanwhile.
func (r *record) save(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("note the task: %w", err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return fmt.Errorf("note the task: %w", err)
	}
	return os.Rename(path+".new", path)
}

func readRecord(path string) (record, error) {
	var r record
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}
