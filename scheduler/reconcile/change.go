package reconcile

import (
	"maps"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// Replaces reports whether the difference between two versions of a group needs
// a new allocation. What may be changed in place is said where the fields are
// declared; whatever is not replaces. See the job specification reference, 9.2.
func Replaces(oldJob, newJob *n.Job, group string) bool {
	a, b := oldJob.Group(group), newJob.Group(group)
	if a == nil || b == nil || len(a.Tasks) != len(b.Tasks) {
		return true
	}
	if walk.Destructive(walk.Diff(plain(a), plain(b))) || reordered(a.Networks, b.Networks) ||
		movesConsul(a.Consul, b.Consul) || rewires(a.Services, b.Services) {
		return true
	}
	for i := range a.Tasks {
		x := &a.Tasks[i]
		y := b.Task(x.Name)
		if y == nil || movesConsul(x.Consul, y.Consul) || shuffles(x, y) || !maps.Equal(meta(oldJob, a, x), meta(newJob, b, y)) {
			return true
		}
	}
	return false
}

// plain is a group without what is compared in another way, and with the blocks
// that mean the same when they are missing.
func plain(g *n.Group) n.Group {
	c := *g
	c.Meta, c.Consul = nil, nil
	if c.RestartPolicy == nil {
		c.RestartPolicy = &n.Restart{}
	}
	c.Tasks = slices.Clone(g.Tasks)
	for i := range c.Tasks {
		t := &c.Tasks[i]
		t.Meta, t.Consul = nil, nil
		if t.RestartPolicy == nil {
			t.RestartPolicy = &n.Restart{}
		}
		if t.LogConfig == nil {
			t.LogConfig = &n.LogConfig{}
		}
	}
	return c
}

// reordered reports networks whose ports stand in another order. Of what is new or
// gone among them plain versions tell.
func reordered(a, b []n.Network) bool {
	label := func(p n.Port) string { return p.Label }
	return !slices.EqualFunc(a, b, func(x, y n.Network) bool {
		return sameOrder(x.ReservedPorts, y.ReservedPorts, label) && sameOrder(x.DynamicPorts, y.DynamicPorts, label)
	})
}

// shuffles reports a task whose secrets, devices or ports stand in another order.
func shuffles(a, b *n.Task) bool {
	if !sameOrder(a.Secrets, b.Secrets, func(s n.Secret) string { return s.Name }) {
		return true
	}
	x, y := a.Resources, b.Resources
	return x != nil && y != nil &&
		(!sameOrder(x.Devices, y.Devices, func(d n.DeviceRequest) string { return d.Name }) || reordered(x.Networks, y.Networks))
}

func sameOrder[T any](a, b []T, name func(T) string) bool {
	return slices.EqualFunc(a, b, func(x, y T) bool { return name(x) == name(y) })
}

// movesConsul reports a change to another Consul. The default one may be written or
// not.
func movesConsul(a, b *n.Consul) bool {
	if a != nil && b != nil {
		return *a != *b
	}
	of := func(c *n.Consul) string {
		if c == nil {
			return ""
		}
		return c.Namespace
	}
	return of(a) != of(b)
}

// rewires reports services whose proxies can not be told what changed.
func rewires(old, new []n.Service) bool {
	return slices.ContainsFunc(new, func(s n.Service) bool {
		i := slices.IndexFunc(old, func(o n.Service) bool { return o.Name == s.Name })
		if s.Connect == nil || i < 0 {
			return false
		}
		was := old[i]
		return was.PortLabel != s.PortLabel || was.Cluster != s.Cluster || !walk.Equal(wiring(was.Connect), wiring(s.Connect))
	})
}

// wiring is what a proxy is started with. The rest Consul tells it while it runs.
func wiring(c *n.Connect) n.Connect {
	if c == nil {
		return n.Connect{}
	}
	out := n.Connect{Native: c.Native, Gateway: c.Gateway, SidecarTask: c.SidecarTask}
	if c.SidecarService != nil {
		out.SidecarService = &n.SidecarService{Port: c.SidecarService.Port}
	}
	return out
}

// meta is what the task sees.
func meta(j *n.Job, g *n.Group, t *n.Task) map[string]string {
	out := map[string]string{}
	maps.Copy(out, j.Meta)
	maps.Copy(out, g.Meta)
	maps.Copy(out, t.Meta)
	return out
}

// compare says how an allocation's version differs from the job's.
func compare(in *Input, a *n.Allocation) change {
	if a.JobVersion == in.Job.Version {
		return same
	}
	old := in.Version(a.JobVersion)
	if old == nil || Replaces(old, in.Job, a.TaskGroup) {
		return destructive
	}
	return inPlace
}
