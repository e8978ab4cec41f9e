package state

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// EvalUpsert stores evaluations.
type EvalUpsert struct {
	Evals []*n.Evaluation
	Now   int64
}

var UpsertEvals = raftlog.Command(&log, 10, "EvalUpsert", func(tx *table.Tx, index uint64, c *EvalUpsert) (any, error) {
	b := newBatch(tx, index, c.Now)
	if err := b.putEvals(c.Evals); err != nil {
		return nil, err
	}
	return nil, b.flush()
})

func (b *batch) putEvals(es []*n.Evaluation) error {
	for _, e := range es {
		if err := b.putEval(e); err != nil {
			return err
		}
		if e.Status == n.EvalComplete && len(e.FailedTGAllocs) == 0 {
			if err := b.cancelBlocked(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// cancelBlocked ends the blocked evaluations of a job that was placed whole.
func (b *batch) cancelBlocked(done *n.Evaluation) error {
	var blocked []*n.Evaluation
	for e := range evals.By(b.tx, nil, evalsByJob, jobKey(done.JobKey())) {
		if e.Status == n.EvalBlocked && e.ID != done.ID {
			blocked = append(blocked, e)
		}
	}
	for _, e := range blocked {
		e = walk.Clone(e)
		e.Status = n.EvalCanceled
		e.StatusDescription = "evaluation \"" + string(done.ID) + "\" successful"
		if err := b.putEval(e); err != nil {
			return err
		}
	}
	return nil
}

// Reap forgets what nobody needs any more.
type Reap struct {
	Evals       []n.EvalID
	Allocs      []n.AllocID
	Deployments []n.DeploymentID
	Jobs        []n.JobKey
	Nodes       []n.NodeID
	Now         int64
}

var ReapGarbage = raftlog.Command(&log, 11, "Reap", func(tx *table.Tx, index uint64, c *Reap) (any, error) {
	b := newBatch(tx, index, c.Now)
	var freed []n.JobKey
	seen := map[n.JobKey]bool{}
	for _, id := range c.Allocs {
		a := allocs.Delete(tx, table.K(id))
		if a == nil {
			continue
		}
		if k := a.JobKey(); !seen[k] {
			freed, seen[k] = append(freed, k), true
		}
		if !a.Terminal() {
			b.job(a.JobKey()).activity.LiveAllocs--
		}
	}
	for _, k := range freed {
		b.dropRetired(k)
	}
	for _, id := range c.Evals {
		e := evals.Delete(tx, table.K(id))
		if e == nil {
			continue
		}
		j := b.job(e.JobKey())
		j.deleted = true
		j.activity.LiveEvals -= one(!e.Status.Terminal())
	}
	for _, id := range c.Deployments {
		deployments.Delete(tx, table.K(id))
	}
	for _, id := range c.Nodes {
		nodes.Delete(tx, table.K(id))
		secrets.Delete(tx, table.K(id))
	}
	if err := b.flush(); err != nil {
		return nil, err
	}
	for _, k := range c.Jobs {
		if job := jobs.Get(tx, nil, jobKey(k)); job == nil || job.Status != n.JobDead {
			continue // somebody wants it after all
		}
		if err := newBatch(tx, index, c.Now).purge(k, nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
})
