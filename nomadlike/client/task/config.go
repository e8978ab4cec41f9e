package task

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/interp"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// errInvalid marks a configuration that can never work.
var errInvalid = errors.New("invalid")

// configure makes the task's configuration for a new run, hooks included.
func (r *Runner) configure(ctx context.Context, s Spec, d drivers.Driver) (*drivers.TaskConfig, error) {
	caps := d.Capabilities()
	tc := base(r.host, s)
	if !caps.WritesLogs && !tc.Logs.Disabled {
		tc.StdoutPath = filepath.Join(tc.Logs.Dir, tc.Name+".stdout.0")
		tc.StderrPath = filepath.Join(tc.Logs.Dir, tc.Name+".stderr.0")
	}
	env := interp.Build(r.input(s, tc, caps))
	if err := r.prestart(ctx, s, tc, env); err != nil {
		return nil, err
	}
	tc.Env = env.Vars()
	config, diags := hclspec.Decode(d.TaskConfigSchema(), s.Task.Config, hclspec.EvalContext(tc.Env, env.Node()))
	if err := hclspec.Err(diags); err != nil {
		return nil, fmt.Errorf("%w config of driver %q: %w", errInvalid, s.Task.Driver, err)
	}
	tc.DriverConfig = config
	return tc, nil
}

func (r *Runner) input(s Spec, tc *drivers.TaskConfig, caps drivers.Capabilities) interp.Input {
	in := interp.Input{
		Node: r.host.Node(), Region: r.host.Region,
		Job: s.Job, Group: s.Group, Task: s.Task, Alloc: s.Alloc,
		Dirs: interp.ContainerDirs, HostEnv: r.host.Environ,
	}
	switch caps.FSIsolation {
	case drivers.FSImage:
		in.HostEnv = nil
	case drivers.FSNone, drivers.FSUnveil:
		dir := tc.TaskDir()
		in.Dirs = interp.Dirs{Alloc: dir.Shared, Task: dir.Local, Secrets: dir.Secrets}
	}
	return in
}

// base is what a configuration holds whatever the driver.
func base(h *Host, s Spec) *drivers.TaskConfig {
	node := h.Node()
	tc := &drivers.TaskConfig{
		ID:   fmt.Sprintf("%s/%s/%s", s.Alloc.ID, s.Task.Name, attempt()),
		Name: s.Task.Name,

		AllocID: string(s.Alloc.ID), JobID: string(s.Job.ID), JobName: s.Job.Name, ParentJobID: string(s.Job.ParentID),
		TaskGroupName: s.Group.Name, Namespace: s.Alloc.Namespace,
		NodeID: string(node.ID), NodeName: node.Name,

		User:      s.Task.User,
		AllocDir:  filepath.Join(h.AllocDir, string(s.Alloc.ID)),
		Resources: resources(node, s),
		DNS:       dns(s.Group),
	}
	tc.Logs = logs(s.Task.LogConfig, tc.TaskDir().Logs)
	tc.StdoutPath, tc.StderrPath = "/dev/null", "/dev/null"
	return tc
}

// attempt tells runs of a task apart.
func attempt() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func logs(c *n.LogConfig, dir string) drivers.LogConfig {
	out := drivers.LogConfig{Dir: dir, MaxFiles: 10, MaxSize: 10 << 20}
	if c != nil {
		out.Disabled = c.Disabled
		if c.MaxFiles > 0 {
			out.MaxFiles = c.MaxFiles
		}
		if c.MaxFileSizeMB > 0 {
			out.MaxSize = int64(c.MaxFileSizeMB) << 20
		}
	}
	return out
}

func resources(node *n.Node, s Spec) drivers.Resources {
	var out drivers.Resources
	if s.Alloc.AllocatedResources != nil {
		if a := s.Alloc.AllocatedResources.Tasks[s.Task.Name]; a != nil {
			out.CPUShares, out.Cores = a.Cpu.CpuShares, a.Cpu.ReservedCores
			out.MemoryMB, out.MemoryMaxMB = a.Memory.MemoryMB, a.Memory.MemoryMaxMB
			for i := range a.Networks { // as older job files have them
				for _, p := range a.Networks[i].AllPorts() {
					out.Ports = append(out.Ports, drivers.Port{Label: p.Label, Value: p.Value, To: max(p.To, 0), HostIP: a.Networks[i].IP})
				}
			}
		}
	}
	if total := node.NodeResources.Cpu.CpuShares; total > 0 {
		out.CPUFraction = float64(out.CPUShares) / float64(total)
	}
	for _, p := range interp.Ports(s.Alloc) {
		to := p.To
		if to < 0 {
			to = p.Value
		}
		out.Ports = append(out.Ports, drivers.Port{Label: p.Label, Value: p.Value, To: to, HostIP: p.HostIP})
	}
	return out
}

func dns(g *n.Group) *drivers.DNS {
	for i := range g.Networks {
		if d := g.Networks[i].DNS; d != nil {
			return &drivers.DNS{Servers: d.Servers, Searches: d.Searches, Options: d.Options}
		}
	}
	return nil
}
