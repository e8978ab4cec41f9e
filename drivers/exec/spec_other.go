//go:build !linux

package exec

import (
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
)

func (d *Driver) spec(*drivers.TaskConfig) (*executor.Spec, error) {
	return nil, executor.ErrUnsupported
}
