package state

import (
	"maps"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// NodeDrain begins a drain, changes it or, without a strategy, ends it.
type NodeDrain struct {
	NodeID       n.NodeID
	Strategy     *n.DrainStrategy
	MarkEligible bool // when it ends
	AccessorID   string
	Meta         map[string]string
	Now          int64
	Seed         uint64
}

var DrainNode = raftlog.Command(&log, 34, "NodeDrain", func(tx *table.Tx, index uint64, c *NodeDrain) (any, error) {
	old := nodes.Get(tx, nil, table.K(c.NodeID))
	if old == nil {
		return nil, errs.New(errs.NotFound, "node not found")
	}
	node := walk.Clone(old)
	node.ModifyIndex = index
	eligible := false
	if c.Strategy != nil {
		c.begin(node, index)
	} else {
		c.cancel(node, index)
		eligible = c.MarkEligible && old.SchedulingEligibility != n.NodeEligible
	}
	if eligible {
		node.SchedulingEligibility = n.NodeEligible
	}
	if err := nodes.Put(tx, node); err != nil {
		return nil, err
	}
	if !eligible {
		return NodeOutcome{}, nil
	}
	return evaluateNode(tx, index, c.Now, c.Seed, node)
})

// begin begins or changes a drain.
func (c *NodeDrain) begin(node *n.Node, index uint64) {
	message := "Node drain strategy set"
	if node.DrainStrategy != nil {
		message = "Node drain strategy updated"
		c.Strategy.StartedAt = node.DrainStrategy.StartedAt
	}
	if node.DrainStrategy == nil || node.LastDrain == nil {
		node.LastDrain = &n.DrainMetadata{StartedAt: c.Strategy.StartedAt}
	}
	node.DrainStrategy, node.SchedulingEligibility = c.Strategy, n.NodeIneligible
	c.note(node, n.DrainDraining)
	addEventOf(node, index, c.Now, n.NodeEvent{Message: message, Subsystem: drainSubsystem})
}

// cancel ends a drain, if there is one.
func (c *NodeDrain) cancel(node *n.Node, index uint64) {
	if node.DrainStrategy == nil {
		return
	}
	node.DrainStrategy = nil
	c.note(node, n.DrainCanceled)
	addEventOf(node, index, c.Now, n.NodeEvent{Message: "Node drain disabled", Subsystem: drainSubsystem})
}

const drainSubsystem = "Drain"

// note brings what is remembered of the drain up to date. What was said of it
// before stays, unless it is said anew.
func (c *NodeDrain) note(node *n.Node, status string) {
	if node.LastDrain == nil { // of a node that an older server drained
		node.LastDrain = &n.DrainMetadata{}
	}
	d := node.LastDrain
	d.Status, d.UpdatedAt = status, ptr(time.Unix(0, c.Now).UTC())
	if c.AccessorID != "" {
		d.AccessorID = c.AccessorID
	}
	if len(c.Meta) > 0 {
		meta := maps.Clone(d.Meta)
		if meta == nil {
			meta = map[string]string{}
		}
		maps.Copy(meta, c.Meta)
		d.Meta = meta
	}
}

// NodeDrained ends a drain that has come to its end.
type NodeDrained struct {
	NodeID   n.NodeID
	Strategy *n.DrainStrategy // of which it is the end; another one goes on
	Forced   bool             // there was no more time
	Now      int64
}

var CompleteDrain = raftlog.Command(&log, 35, "NodeDrained", func(tx *table.Tx, index uint64, c *NodeDrained) (any, error) {
	old := nodes.Get(tx, nil, table.K(c.NodeID))
	if old == nil || old.DrainStrategy == nil || !walk.Equal(old.DrainStrategy, c.Strategy) {
		return nil, nil
	}
	node := walk.Clone(old)
	node.ModifyIndex, node.DrainStrategy = index, nil
	(&NodeDrain{Now: c.Now}).note(node, n.DrainComplete)
	e := n.NodeEvent{Message: "Node drain complete", Subsystem: drainSubsystem}
	if c.Forced {
		e.Details = map[string]string{"deadline_reached": "true"}
	}
	addEventOf(node, index, c.Now, e)
	return nil, nodes.Put(tx, node)
})
