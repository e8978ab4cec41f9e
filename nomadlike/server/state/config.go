package state

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

// SchedulerConfig replaces the scheduler configuration; with CAS only if that
// is its ModifyIndex. The outcome is whether it was replaced.
type SchedulerConfig struct {
	Config *n.SchedulerConfiguration
	CAS    *uint64
}

var SetSchedulerConfig = raftlog.Command(&log, 50, "SchedulerConfig", func(tx *table.Tx, index uint64, c *SchedulerConfig) (any, error) {
	old := scheduling.Get(tx, nil, table.K("config"))
	if c.CAS != nil && (old == nil || old.ModifyIndex != *c.CAS) {
		return false, nil
	}
	c.Config.CreateIndex, c.Config.ModifyIndex = index, index
	if old != nil && old.CreateIndex != 0 {
		c.Config.CreateIndex = old.CreateIndex
	}
	return true, scheduling.Put(tx, c.Config)
})
