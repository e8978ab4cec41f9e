package rank

import (
	"errors"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
)

// A deviceKey is one device of a node.
type deviceKey struct{ vendor, kind, name, id string }

// takenDevices are those that allocations have. twice reports one that two have.
func takenDevices(allocs []*n.Allocation) (taken map[deviceKey]bool, twice bool) {
	taken = map[deviceKey]bool{}
	for _, a := range allocs {
		if a.AllocatedResources == nil {
			continue
		}
		for _, t := range a.AllocatedResources.Tasks {
			for _, d := range t.Devices {
				for _, id := range d.DeviceIDs {
					k := deviceKey{d.Vendor, d.Type, d.Name, id}
					twice = twice || taken[k]
					taken[k] = true
				}
			}
		}
	}
	return taken, twice
}

// wantsDevices reports a group with a device block. prefers says that one of them
// has an affinity.
func wantsDevices(g *n.Group) (wants, prefers bool) {
	for i := range g.Tasks {
		if r := g.Tasks[i].Resources; r != nil {
			for _, d := range r.Devices {
				wants, prefers = true, prefers || len(d.Affinities) > 0
			}
		}
	}
	return wants, prefers
}

var errDevices = errors.New(NoDevices)

// giveDevices gives tasks devices that are free: of the kinds that do, the one that
// is preferred most. met is the sum of the weights of the affinities that these
// meet, all that of all weights.
func giveDevices(node *n.Node, allocs []*n.Allocation, g *n.Group, to *n.AllocatedResources) (met, all float64, err error) {
	taken, _ := takenDevices(allocs)
	for i := range g.Tasks {
		r := g.Tasks[i].Resources
		if r == nil {
			continue
		}
		for k := range r.Devices {
			given, m, a := bestDevices(node, &r.Devices[k], taken)
			if given == nil {
				return 0, 0, errDevices
			}
			for _, id := range given.DeviceIDs {
				taken[deviceKey{given.Vendor, given.Type, given.Name, id}] = true
			}
			met, all = met+m, all+a
			if to != nil {
				t := to.Tasks[g.Tasks[i].Name]
				t.Devices = append(t.Devices, *given)
			}
		}
	}
	return met, all, nil
}

// bestDevices are those of one request, nil if there are none.
func bestDevices(node *n.Node, r *n.DeviceRequest, taken map[deviceKey]bool) (best *n.AllocatedDevice, met, all float64) {
	for i := range node.NodeResources.Devices {
		d := &node.NodeResources.Devices[i]
		if !feasible.Device(r, d) {
			continue
		}
		given := &n.AllocatedDevice{Vendor: d.Vendor, Type: d.Type, Name: d.Name}
		for _, x := range d.Instances {
			if x.Healthy && !taken[deviceKey{d.Vendor, d.Type, d.Name, x.ID}] && uint64(len(given.DeviceIDs)) < r.Count {
				given.DeviceIDs = append(given.DeviceIDs, x.ID)
			}
		}
		if uint64(len(given.DeviceIDs)) < r.Count {
			continue
		}
		if m, a := feasible.DevicePreference(r, d); best == nil || m >= met {
			best, met, all = given, m, a
		}
	}
	return best, met, all
}

// deviceAffinity is the matched part of the weights of the devices that a group
// would get.
func deviceAffinity(r *Request) Score {
	if _, prefers := wantsDevices(r.Group); !prefers {
		return nil
	}
	return func(c *Candidate) (float64, bool) {
		met, all, err := giveDevices(c.Node, c.On(c.Node.ID), r.Group, nil)
		if err != nil || all == 0 {
			return 0, false
		}
		return met / all, true
	}
}
