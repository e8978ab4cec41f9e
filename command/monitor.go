package command

import (
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Exit codes of a monitor.
const (
	exitPlaced    = 0
	exitTrouble   = 1
	exitNotPlaced = 2
)

// deploymentWait is the longest time between two looks at a deployment.
const deploymentWait = 2 * time.Second

// A monitor follows an evaluation until all that it leads to is decided.
type monitor struct {
	*env
	verbose bool
	view    view
	unhappy bool // something could not be placed
}

// A view shows what a monitor sees: as lines, or redrawn on a terminal.
type view interface {
	begin(n.EvalID)
	eval(*n.Evaluation, []*n.AllocStub) // at every look
	evalEnd(*n.Evaluation)
	next(id n.EvalID, wait time.Duration)
	beginDeployment(n.DeploymentID)
	deployment(*n.Deployment, []*n.AllocStub) // when it changed
	end(code int)
}

// monitor follows an evaluation and returns the command's end.
func (e *env) monitor(eval n.EvalID, verbose bool) error {
	return e.watch(verbose, func(m *monitor) (int, error) { return m.evals(eval) })
}

// monitorDeployment follows a deployment alone.
func (e *env) monitorDeployment(d *n.Deployment, wait time.Duration, verbose bool) error {
	return e.watch(verbose, func(m *monitor) (int, error) {
		ok, err := m.follow(d.ID, d.Namespace, wait)
		if err != nil || !ok {
			return exitTrouble, err
		}
		return exitPlaced, nil
	})
}

// watch shows what follow sees, in the way that suits the output.
func (e *env) watch(verbose bool, follow func(*monitor) (int, error)) error {
	m := &monitor{env: e, verbose: verbose}
	if e.Terminal && bool(e.paint) {
		m.view = newLive(e, verbose)
	} else {
		m.view = &lines{env: e, verbose: verbose}
	}
	code, err := follow(m)
	m.view.end(code)
	if err != nil {
		return err
	}
	return exit(code)
}

// evals follows an evaluation, its successors and their deployment.
func (m *monitor) evals(id n.EvalID) (int, error) {
	for {
		m.view.begin(id)
		ev, err := m.untilDone(id)
		if err != nil {
			return exitTrouble, err
		}
		m.view.evalEnd(ev)
		m.unhappy = m.unhappy || len(ev.FailedTGAllocs) > 0
		if ev.NextEval != "" {
			m.view.next(ev.NextEval, ev.Wait)
			if err := m.sleep(ev.Wait); err != nil {
				return exitTrouble, err
			}
			id = ev.NextEval
			continue
		}
		if ev.DeploymentID != "" {
			ok, err := m.follow(ev.DeploymentID, ev.Namespace, deploymentWait)
			if err != nil || !ok {
				return exitTrouble, err
			}
			return exitPlaced, nil
		}
		if m.unhappy {
			return exitNotPlaced, nil
		}
		return exitPlaced, nil
	}
}

func (m *monitor) sleep(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-m.ctx.Done():
		return m.ctx.Err()
	}
}

// untilDone looks at an evaluation until it has ended.
func (m *monitor) untilDone(id n.EvalID) (*n.Evaluation, error) {
	for {
		req := &n.EvalQuery{EvalID: id, Related: true}
		ev, err := read(m.env, api.EvalGet, req)
		if errs.Is(err, errs.NotFound) {
			return nil, failf("No evaluation with id %q found", id)
		}
		if err != nil {
			return nil, m.trouble("Error reading evaluation", err)
		}
		allocs, err := read(m.env, api.EvalAllocs, &n.EvalQuery{EvalID: id})
		if err != nil {
			return nil, m.trouble("Error reading allocations", err)
		}
		m.view.eval(ev, allocs)
		if ev.Status.Terminal() {
			return ev, nil
		}
		if err := m.pause(); err != nil {
			return nil, err
		}
	}
}

// follow looks at a deployment until it has ended, and reports whether it
// succeeded. One that is reverted leads to the deployment of the older version.
func (m *monitor) follow(id n.DeploymentID, namespace string, wait time.Duration) (bool, error) {
	m.view.beginDeployment(id)
	req := &n.DeploymentQuery{DeploymentID: id}
	req.Namespace, req.AllowStale, req.MaxQueryTime = namespace, true, wait
	for tries := 0; ; {
		reply, err := call(m.env, api.DeploymentGet, req)
		if err != nil {
			if tries++; tries > 10 || errs.Is(err, errs.NotFound) || errs.Is(err, errs.Permission) {
				return false, m.trouble("Error fetching deployment", err)
			}
			if err := m.sleep(min(m.Poll<<tries, 12*m.Poll)); err != nil {
				return false, err
			}
			continue
		}
		tries = 0
		d := reply.Value
		if reply.Index > req.MinQueryIndex || req.MinQueryIndex == 0 {
			m.view.deployment(d, m.deploymentAllocs(d))
		}
		req.MinQueryIndex = reply.Index
		switch d.Status {
		case n.DeploymentSuccessful:
			return true, nil
		case n.DeploymentFailed:
			return false, m.reverted(d, wait)
		case n.DeploymentCancelled, n.DeploymentBlocked:
			return false, nil
		}
		if err := m.ctx.Err(); err != nil {
			return false, err
		}
	}
}

// deploymentAllocs are for a view that shows them; without them it shows less.
func (m *monitor) deploymentAllocs(d *n.Deployment) []*n.AllocStub {
	if _, plain := m.view.(*lines); plain && !m.verbose {
		return nil
	}
	allocs, err := read(m.env, api.DeploymentAllocs, &n.DeploymentQuery{DeploymentID: d.ID})
	if err != nil {
		return nil
	}
	return allocs
}

// reverted follows the deployment that brings the older version back.
func (m *monitor) reverted(d *n.Deployment, wait time.Duration) error {
	revert := false
	for _, g := range d.TaskGroups {
		revert = revert || g.AutoRevert
	}
	if !revert {
		return nil
	}
	if err := m.pause(); err != nil {
		return err
	}
	newer, err := read(m.env, api.JobDeployment, jobQuery(d.JobKey()))
	if err != nil {
		return m.trouble("Error fetching the deployment of the older version", err)
	}
	if newer == nil || newer.ID == d.ID {
		return nil
	}
	_, err = m.follow(newer.ID, d.Namespace, wait)
	return err
}
