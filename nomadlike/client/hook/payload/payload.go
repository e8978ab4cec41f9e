// Package payload owns the file by which a dispatched job's payload reaches a
// task.
package payload

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/snappy"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/interp"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A Hook writes payloads.
type Hook struct{}

// Name names the hook.
func (Hook) Name() string { return "dispatch_payload" }

// Once says that the file is written for the first start alone.
func (Hook) Once() bool { return true }

// Prestart writes the payload into the task's local directory.
func (Hook) Prestart(_ context.Context, job *n.Job, t *n.Task, tc *drivers.TaskConfig, _ *interp.Env) error {
	if t.DispatchPayload == nil || t.DispatchPayload.File == "" || len(job.Payload) == 0 {
		return nil
	}
	if !filepath.IsLocal(t.DispatchPayload.File) {
		return fmt.Errorf("file %q leads out of the task's directory", t.DispatchPayload.File)
	}
	payload, err := snappy.Decode(nil, job.Payload)
	if err != nil {
		return fmt.Errorf("the payload can not be decompressed: %w", err)
	}
	root, err := os.OpenRoot(tc.TaskDir().Local)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(t.DispatchPayload.File), 0o777); err != nil {
		return err
	}
	if err := root.WriteFile(t.DispatchPayload.File, payload, 0o777); err != nil {
		return err
	}
	return root.Chmod(t.DispatchPayload.File, 0o777)
}
