package reconcile

import (
	"maps"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// Replaces reports whether the difference between two versions of a group needs
// a new allocation. What may be changed in place is said where the fields are
// declared; whatever is not replaces.
func Replaces(oldJob, newJob *n.Job, group string) bool {
	a, b := oldJob.Group(group), newJob.Group(group)
	if a == nil || b == nil || len(a.Tasks) != len(b.Tasks) {
		return true
	}
	if walk.Destructive(walk.Diff(comparable(a), comparable(b))) {
		return true
	}
	for i := range a.Tasks {
		t := b.Task(a.Tasks[i].Name)
		if t == nil || !maps.Equal(meta(oldJob, a, &a.Tasks[i]), meta(newJob, b, t)) {
			return true
		}
	}
	return false
}

// comparable is a group without what is compared in another way: metadata,
// which is merged.
func comparable(g *n.Group) n.Group {
	c := *g
	c.Meta = nil
	c.Tasks = append([]n.Task(nil), g.Tasks...)
	for i := range c.Tasks {
		c.Tasks[i].Meta = nil
	}
	return c
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
