package reconcile

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// classes of a group's allocations; see the scheduling reference, 5.3.
type classes struct {
	untainted, migrate, lost                       []*n.Allocation
	disconnecting, reconnecting, expiring, ignored []*n.Allocation
}

func classify(in *Input, allocs []*n.Allocation) (c classes) {
	for _, a := range allocs {
		list := c.of(in, a)
		*list = append(*list, a)
	}
	return c
}

// of returns the class of an allocation. Of a node that has come back it is told
// once its client has said how it is.
func (c *classes) of(in *Input, a *n.Allocation) *[]*n.Allocation {
	failed := a.ClientStatus == n.ClientFailed
	away := a.ClientStatus == n.ClientUnknown
	returning := a.Returning() && (away || failed || a.ClientStatus == n.ClientRunning)
	node := in.Node(a.NodeID)
	heard := node != nil && node.Status == n.NodeReady && !away
	switch {
	case returning && failed && a.DesiredStatus == n.DesiredRun:
		return &c.reconnecting
	case a.ServerTerminal(), !returning && a.Terminal():
		return c.ofEnded(a)
	case expired(in, a):
		return &c.expiring
	case silent(node):
		return c.ofSilent(in, a)
	case n.Asked(a.DesiredTransition.Migrate):
		return &c.migrate
	case returning && heard:
		return &c.reconnecting
	case !down(node):
		return &c.untainted
	case node == nil || groupOf(in, a).ReplacesUnknown():
		return &c.lost
	case away:
		return &c.untainted
	case a.ClientStatus == n.ClientRunning:
		return &c.disconnecting
	}
	return &c.lost
}

// ofEnded is the class of an allocation that has ended, or is to.
func (c *classes) ofEnded(a *n.Allocation) *[]*n.Allocation {
	switch {
	case a.ServerTerminal() && n.Asked(a.DesiredTransition.MigrateDisablePlacement):
		return &c.untainted
	case a.ServerTerminal():
		return &c.ignored
	case a.IsCanary() && n.Asked(a.DesiredTransition.Migrate):
		return &c.migrate
	}
	return &c.untainted
}

// ofSilent is the class of an allocation whose node is not heard of.
func (c *classes) ofSilent(in *Input, a *n.Allocation) *[]*n.Allocation {
	switch {
	case a.ClientStatus == n.ClientUnknown:
		return &c.untainted
	case a.ClientStatus == n.ClientPending, groupOf(in, a).DisconnectTimeout() == 0:
		return &c.lost
	}
	return &c.disconnecting
}

// without returns those of list that are not in gone.
func without(list, gone []*n.Allocation) []*n.Allocation {
	out := set(gone)
	var left []*n.Allocation
	for _, a := range list {
		if !out[a.ID] {
			left = append(left, a)
		}
	}
	return left
}

func set(list []*n.Allocation) map[n.AllocID]bool {
	m := make(map[n.AllocID]bool, len(list))
	for _, a := range list {
		m[a.ID] = true
	}
	return m
}

func filter(list []*n.Allocation, keep func(*n.Allocation) bool) (in, out []*n.Allocation) {
	for _, a := range list {
		if keep(a) {
			in = append(in, a)
		} else {
			out = append(out, a)
		}
	}
	return in, out
}
