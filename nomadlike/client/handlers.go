package client

import (
	"context"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/client/logs"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// bind says which calls a node answers.
func (c *Client) bind() {
	c.handlers = api.NewHandlers()
	api.BindStream(c.handlers, api.AllocLogs, c.allocLogs)
	api.Bind(c.handlers, api.AllocRestart, c.allocRestart)
	api.Bind(c.handlers, api.AllocSignal, c.allocSignal)
	api.Bind(c.handlers, api.AllocStats, c.allocStats)
	api.Bind(c.handlers, api.ClientStats, c.clientStats)
}

// find returns an allocation on this node.
func (c *Client) find(id n.AllocID) (*entry, error) {
	if e := c.allocs.get(id); e != nil {
		return e, nil
	}
	return nil, errs.Newf(errs.NotFound, "Unknown allocation %q", id)
}

// hasTask refuses names of tasks that an allocation does not have.
func (e *entry) hasTask(name string) error {
	a, job := e.spec()
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		if g.Name == a.TaskGroup && slices.ContainsFunc(g.Tasks, func(t n.Task) bool { return t.Name == name }) {
			return nil
		}
	}
	return errs.Newf(errs.Invalid, "unknown task name %q", name)
}

func (c *Client) allocLogs(ctx context.Context, req *n.LogsRequest, send func(*n.StreamFrame) error) error {
	switch {
	case req.AllocID == "":
		return errs.New(errs.Invalid, "must provide a valid alloc id")
	case req.Task == "":
		return errs.New(errs.Invalid, "must provide task name")
	case req.Type != "stdout" && req.Type != "stderr":
		return errs.New(errs.Invalid, "must provide log type (stdout/stderr)")
	case req.Origin != "" && req.Origin != "start" && req.Origin != "end":
		return errs.New(errs.Invalid, "origin must be start or end")
	}
	e, err := c.find(req.AllocID)
	if err != nil {
		return err
	}
	if err := e.hasTask(req.Task); err != nil {
		return err
	}
	if s := e.runner.Observed().TaskStates[req.Task]; s == nil || s.StartedAt == nil && s.State == n.TaskPending {
		return errs.Newf(errs.NotFound, "task %q not started yet. No logs available", req.Task)
	}
	return logs.Read(ctx, e.runner.Dir(), logs.Query{
		Task: req.Task, Type: req.Type, Offset: req.Offset, FromEnd: req.Origin == "end", Follow: req.Follow,
	}, send)
}

func (c *Client) allocRestart(_ context.Context, req *n.AllocRestart) (*n.WriteMeta, error) {
	e, err := c.find(req.AllocID)
	if err != nil {
		return nil, err
	}
	if req.TaskName != "" {
		if err := e.hasTask(req.TaskName); err != nil {
			return nil, err
		}
	}
	return &n.WriteMeta{}, e.runner.Restart(req.TaskName, req.AllTasks)
}

func (c *Client) allocSignal(_ context.Context, req *n.AllocSignal) (*n.WriteMeta, error) {
	e, err := c.find(req.AllocID)
	if err != nil {
		return nil, err
	}
	if req.Task != "" {
		if err := e.hasTask(req.Task); err != nil {
			return nil, err
		}
	}
	return &n.WriteMeta{}, e.runner.Signal(req.Task, req.Signal)
}

func (c *Client) allocStats(_ context.Context, req *n.AllocStatsRequest) (*n.Reply[*n.AllocUsage], error) {
	e, err := c.find(req.AllocID)
	if err != nil {
		return nil, err
	}
	usage, err := e.runner.Stats()
	if err != nil {
		return nil, err
	}
	if req.Task != "" {
		one := usage.Tasks[req.Task]
		if one == nil {
			return nil, errs.Newf(errs.NotFound, "allocation %q has no task %q", req.AllocID, req.Task)
		}
		usage = &n.AllocUsage{ResourceUsage: one.ResourceUsage, Tasks: map[string]*n.TaskUsage{req.Task: one}, Timestamp: usage.Timestamp}
	}
	return &n.Reply[*n.AllocUsage]{Value: usage}, nil
}

func (c *Client) clientStats(ctx context.Context, _ *n.ClientStatsRequest) (*n.Reply[*n.HostStats], error) {
	stats, err := c.host.measure(ctx, c.config.AllocDir)
	if err != nil {
		return nil, err
	}
	return &n.Reply[*n.HostStats]{Value: stats}, nil
}
