// Package jobdiff compares two versions of a job for people to read. The shape
// and the names are those of the plan API; see the job specification reference,
// 9.3. What a change does to allocations is decided elsewhere.
package jobdiff

import (
	"cmp"
	"reflect"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// unseen are fields that are not compared, or not at this place.
var unseen = map[reflect.Type][]string{
	reflect.TypeFor[n.Job](): {
		"ID", "Status", "StatusDescription", "Version", "VersionTag", "Stable", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime",
		"NomadTokenID", "Update", "Migrate", "Reschedule", "Spreads", "TaskGroups", "Payload",
	},
	reflect.TypeFor[n.Group](): {
		"Name", "Spreads", "MaxRunDuration", "Tasks",
		"StopAfterClientDisconnect", "MaxClientDisconnect", "PreventRescheduleOnLost",
	},
	reflect.TypeFor[n.Task]():          {"Name", "Lifecycle", "RestartPolicy", "CSIPluginConfig", "ScalingPolicies"},
	reflect.TypeFor[n.Update]():        {"Stagger"},
	reflect.TypeFor[n.ScalingPolicy](): {"ID", "Namespace", "Target", "CreateIndex", "ModifyIndex"},
}

// Diff compares two versions of a job, either of which may be nil. With
// contextual, changed objects list their unchanged fields too.
func Diff(old, new *n.Job, contextual bool) *n.JobDiff {
	d := &n.JobDiff{Type: kind(old == nil, new == nil)}
	switch {
	case old == nil && new == nil:
		d.Type = n.DiffNone
		return d
	case new != nil:
		d.ID = new.ID
	default:
		d.ID = old.ID
	}
	d.Fields, d.Objects = top(old, new, contextual)
	pairs(groups(old), groups(new), func(g *n.Group) string { return g.Name }, func(a, b *n.Group) {
		d.TaskGroups = append(d.TaskGroups, group(a, b, contextual))
	})
	if d.Type == n.DiffEdited && len(d.Fields)+len(d.Objects) == 0 && !slices.ContainsFunc(d.TaskGroups, shows) {
		d.Type = n.DiffNone
	}
	return d
}

// shows reports a group with a difference to look at. One in what is unseen makes
// the group edited, but not the job.
func shows(g *n.GroupDiff) bool {
	return g.Type == n.DiffAdded || g.Type == n.DiffDeleted || len(g.Fields)+len(g.Objects) > 0 ||
		slices.ContainsFunc(g.Tasks, func(t *n.TaskDiff) bool {
			return t.Type == n.DiffAdded || t.Type == n.DiffDeleted || len(t.Fields)+len(t.Objects) > 0
		})
}

// top compares jobs, groups or tasks, whose own fields list changes only.
func top[T any](a, b *T, contextual bool) (edits []*n.FieldDiff, objects []*n.ObjectDiff) {
	fields, objects := compare(treeOf(reflect.ValueOf(a)), treeOf(reflect.ValueOf(b)), contextual)
	for _, f := range fields {
		if changed(f) {
			edits = append(edits, f)
		}
	}
	return edits, objects
}

// kind names a change of a thing that exists on both sides unless told otherwise.
func kind(noOld, noNew bool) string {
	switch {
	case noOld:
		return n.DiffAdded
	case noNew:
		return n.DiffDeleted
	}
	return n.DiffEdited
}

func groups(j *n.Job) []n.Group {
	if j == nil {
		return nil
	}
	return j.TaskGroups
}

func tasks(g *n.Group) []n.Task {
	if g == nil {
		return nil
	}
	return g.Tasks
}

// pairs matches two lists by name, in the order of the names.
func pairs[T any](old, new []T, name func(*T) string, do func(a, b *T)) {
	type pair struct{ a, b *T }
	found := map[string]pair{}
	for i := range old {
		found[name(&old[i])] = pair{a: &old[i]}
	}
	for i := range new {
		p := found[name(&new[i])]
		p.b = &new[i]
		found[name(&new[i])] = p
	}
	for _, k := range sortedKeys(found) {
		do(found[k].a, found[k].b)
	}
}

func group(a, b *n.Group, contextual bool) *n.GroupDiff {
	d := &n.GroupDiff{Type: kind(a == nil, b == nil)}
	if d.Name = nameOf(b, func(g *n.Group) string { return g.Name }); b == nil {
		d.Name = a.Name
	}
	if a != nil && b != nil && walk.Equal(a, b) {
		d.Type = n.DiffNone
	} else {
		d.Fields, d.Objects = top(a, b, contextual)
	}
	pairs(tasks(a), tasks(b), func(t *n.Task) string { return t.Name }, func(x, y *n.Task) {
		d.Tasks = append(d.Tasks, task(x, y, contextual))
	})
	return d
}

func task(a, b *n.Task, contextual bool) *n.TaskDiff {
	d := &n.TaskDiff{Type: kind(a == nil, b == nil)}
	if d.Name = nameOf(b, func(t *n.Task) string { return t.Name }); b == nil {
		d.Name = a.Name
	}
	if a != nil && b != nil && walk.Equal(a, b) {
		d.Type = n.DiffNone
	} else {
		d.Fields, d.Objects = top(a, b, contextual)
	}
	return d
}

func nameOf[T any](v *T, name func(*T) string) string {
	if v == nil {
		return ""
	}
	return name(v)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
