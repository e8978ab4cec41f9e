package jobdiff

import (
	"slices"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// What a change makes happen, as tools expect to read it.
const (
	forcesCreate      = "forces create"
	forcesDestroy     = "forces destroy"
	forcesInPlace     = "forces in-place update"
	forcesDestructive = "forces create/destroy update"
)

// Annotate adds what the plan would do, and what the changes make happen.
func Annotate(d *n.JobDiff, a *n.PlanAnnotations) {
	if d == nil {
		return
	}
	for _, g := range d.TaskGroups {
		if a != nil {
			g.Updates = updates(a.DesiredTGUpdates[g.Name])
		}
		for _, f := range g.Fields {
			if f.Name == "Count" {
				f.Annotations = append(f.Annotations, countChange(f))
			}
		}
		for _, t := range g.Tasks {
			annotateTask(g, t)
		}
	}
}

func updates(u *n.DesiredUpdates) map[string]uint64 {
	if u == nil {
		return nil
	}
	out := map[string]uint64{}
	for name, count := range map[string]uint64{
		"ignore": u.Ignore, "create": u.Place, "destroy": u.Stop, "migrate": u.Migrate, "canary": u.Canary,
		"in-place update": u.InPlaceUpdate, "create/destroy update": u.DestructiveUpdate,
	} {
		if count > 0 {
			out[name] = count
		}
	}
	return out
}

// countChange reads the counts as numbers; that of a group which is new or gone
// is "" on one side.
func countChange(f *n.FieldDiff) string {
	old, _ := strconv.Atoi(f.Old)
	new, _ := strconv.Atoi(f.New)
	if f.Type == n.DiffAdded || new > old {
		return forcesCreate
	}
	return forcesDestroy
}

func annotateTask(g *n.GroupDiff, t *n.TaskDiff) {
	switch {
	case t.Type == n.DiffNone:
		return
	case g.Type == n.DiffAdded:
		t.Annotations = []string{forcesCreate}
	case g.Type == n.DiffDeleted:
		t.Annotations = []string{forcesDestroy}
	case t.Type == n.DiffEdited && mild(t):
		t.Annotations = []string{forcesInPlace}
	default:
		t.Annotations = []string{forcesDestructive}
	}
}

// mild reports changes that tools take for such that the task does not notice. It
// guesses from what is shown, as tools expect it: that of logs shows whether they
// are disabled whenever unchanged fields are listed.
func mild(t *n.TaskDiff) bool {
	if slices.ContainsFunc(t.Fields, func(f *n.FieldDiff) bool { return f.Name != "KillTimeout" }) {
		return false
	}
	return !slices.ContainsFunc(t.Objects, func(o *n.ObjectDiff) bool {
		switch o.Name {
		case "Service", "Constraint", "Affinity":
			return false
		case "LogConfig":
			return slices.ContainsFunc(o.Fields, func(f *n.FieldDiff) bool { return f.Name == "Disabled" })
		}
		return true
	})
}
