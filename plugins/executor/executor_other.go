//go:build !linux

package executor

import (
	"context"
	"syscall"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A Process can not be had here.
type Process struct{}

// A Sampler can not be had here.
type Sampler struct{}

func Start(context.Context, string, *Spec) (*Process, error)    { return nil, ErrUnsupported }
func Recover(context.Context, string, string) (*Process, error) { return nil, ErrUnsupported }
func List(string) ([]string, []string, error)                   { return nil, nil, nil }
func ParseSignal(string) (syscall.Signal, error)                { return 0, ErrUnsupported }
func CgroupVersion() int                                        { return 0 }
func (p *Process) ID() string                                   { return "" }
func (p *Process) Spec() *Spec                                  { return nil }
func (p *Process) Pid() int                                     { return 0 }
func (p *Process) Pids() []int                                  { return nil }
func (p *Process) Done() <-chan struct{}                        { return nil }
func (p *Process) State() State                                 { return State{} }
func (p *Process) Signal(syscall.Signal) error                  { return ErrUnsupported }
func (p *Process) Kill(context.Context) error                   { return ErrUnsupported }
func (p *Process) Destroy(context.Context) error                { return ErrUnsupported }
func (p *Process) Sampler(bool, int64) *Sampler                 { return nil }
func (s *Sampler) Usage() drivers.Usage                         { return drivers.Usage{} }
func (p *Process) Stop(context.Context, syscall.Signal, time.Duration) error {
	return ErrUnsupported
}
func (p *Process) Wait(context.Context) (drivers.ExitResult, error) {
	return drivers.ExitResult{}, ErrUnsupported
}
func (p *Process) Exec(context.Context, drivers.ExecOptions) (drivers.ExitResult, error) {
	return drivers.ExitResult{}, ErrUnsupported
}
func Sweep(context.Context, string, func(string) bool) ([]string, error) { return nil, nil }

// Available is empty here.
func Available([]int) []int { return nil }

// Inside is the path itself here.
func Inside(path string) string { return path }

// Symlink is nothing here.
func Symlink(to, at string) Mount { return Mount{Source: to, Target: at} }
