package simulate

import (
	"cmp"
	"fmt"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// rounds bounds how long a cluster may take to come to rest. Rolling updates take one
// for each step.
const rounds = 10_000

// Settle lets evaluations be handled and clients follow until nothing changes any
// more. Time stands still meanwhile: what waits for a time is left alone.
func (c *Cluster) Settle() error {
	for range rounds {
		handled, err := c.handle()
		if err != nil {
			return err
		}
		followed, err := c.follow()
		if err != nil {
			return err
		}
		if handled+followed > 0 {
			continue
		}
		if !c.freed {
			return nil
		}
		c.freed = false
		if err := c.retry(); err != nil {
			return err
		}
	}
	return fmt.Errorf("the cluster does not come to rest in %d rounds", rounds)
}

// handle handles what is pending.
func (c *Cluster) handle() (handled int, err error) {
	for _, e := range c.waiting(n.EvalPending) {
		if e = c.View().Eval(nil, e.ID); e == nil || e.Status != n.EvalPending || e.WaitUntil != nil && e.WaitUntil.After(c.now) {
			continue
		}
		if _, err := c.Evaluate(e); err != nil {
			return handled, err
		}
		handled++
	}
	return handled, nil
}

// retry handles what waits for room: of each job, and of each node of a system job, the
// newest evaluation; older ones are of no use any more.
func (c *Cluster) retry() error {
	type key struct {
		job  n.JobKey
		node n.NodeID
	}
	newest := map[key]n.EvalID{}
	all := c.waiting(n.EvalBlocked)
	slices.SortStableFunc(all, func(a, b *n.Evaluation) int { return cmp.Compare(a.CreateIndex, b.CreateIndex) })
	for _, e := range all {
		newest[key{e.JobKey(), e.NodeID}] = e.ID
	}
	for _, e := range c.waiting(n.EvalBlocked) {
		if newest[key{e.JobKey(), e.NodeID}] != e.ID {
			old := *e
			old.Status = n.EvalCanceled
			old.StatusDescription = fmt.Sprintf("existing blocked evaluation exists for job %q", e.JobID)
			if err := commit(c, state.UpsertEvals, &state.EvalUpsert{Evals: []*n.Evaluation{&old}, Now: c.now.UnixNano()}); err != nil {
				return err
			}
			continue
		}
		if e = c.View().Eval(nil, e.ID); e.Status != n.EvalBlocked {
			continue // it was handled with another
		}
		if _, err := c.Evaluate(e); err != nil {
			return err
		}
	}
	return nil
}

// follow has the clients of nodes that are up do what they are told: what is to run
// runs and is healthy, what is to stop has stopped.
func (c *Cluster) follow() (followed int, err error) {
	v := c.View()
	updates, healthy := map[n.NodeID][]n.AllocUpdate{}, map[n.JobKey]bool{}
	var order []n.NodeID
	for a := range v.AllAllocs(nil, "") {
		u, ok := c.reaction(a)
		node := v.Node(a.NodeID)
		if !ok || node == nil || node.Status != n.NodeReady {
			continue
		}
		if updates[a.NodeID] == nil {
			order = append(order, a.NodeID)
		}
		updates[a.NodeID] = append(updates[a.NodeID], u)
		if u.DeploymentHealth != nil {
			healthy[a.JobKey()] = true
		}
		followed++
	}
	for _, id := range order {
		if err := c.Observe(id, updates[id]...); err != nil {
			return followed, err
		}
	}
	keys := make([]n.JobKey, 0, len(healthy))
	for k := range healthy {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b n.JobKey) int { return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID)) })
	var evals []*n.Evaluation
	for _, k := range keys {
		if job := v.Job(k); job != nil {
			evals = append(evals, c.Eval(job, n.TriggerDeployment))
		}
	}
	if len(evals) > 0 {
		err = commit(c, state.UpsertEvals, &state.EvalUpsert{Evals: evals, Now: c.now.UnixNano()})
	}
	return followed, err
}

// reaction is what the client of an allocation has to tell, if anything.
func (c *Cluster) reaction(a *n.Allocation) (u n.AllocUpdate, ok bool) {
	u = n.AllocUpdate{ID: a.ID, ClientStatus: n.ClientComplete, TaskStates: a.TaskStates, NetworkStatus: a.NetworkStatus, ModifyTime: c.now.UnixNano()}
	switch {
	case a.ClientStatus.Terminal():
		return u, false
	case a.ServerTerminal():
		return u, true
	}
	u.ClientStatus = n.ClientRunning
	if a.DeploymentID != "" && a.Healthy() == nil {
		yes, at := true, c.now
		u.DeploymentHealth, u.HealthTime = &yes, &at
		return u, true
	}
	return u, a.ClientStatus == n.ClientPending
}
