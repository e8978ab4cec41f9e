package jobdiff_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/jobdiff"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// TestDiff shows what a plan says of two versions of a job, separated by a line
// "to". With contextual, unchanged fields are listed too. Commands:
//
//	diff     two job files, either of which may be empty
//	job      what stands in the job beside its group "g"
//	group    what stands in the group "g" beside its task "t"
//	task     what stands in the task "t"
func TestDiff(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			before, after, ok := strings.Cut("\n"+d.Input+"\n", "\nto\n")
			if !ok {
				t.Fatalf("%s: no line \"to\"", d.Pos)
			}
			diff := jobdiff.Diff(parse(t, around(d.Cmd, before)), parse(t, around(d.Cmd, after)), d.HasArg("contextual"))
			jobdiff.Annotate(diff, &n.PlanAnnotations{DesiredTGUpdates: map[string]*n.DesiredUpdates{"g": {Place: 1, DestructiveUpdate: 2}}})
			return show(diff)
		})
	})
}

// around makes a job file of a part of one.
func around(part, text string) string {
	task := `task "t" { driver = "raw_exec" }`
	switch part {
	case "job":
		return "job \"j\" {\n" + text + "\ngroup \"g\" {\n" + task + "\n}\n}"
	case "group":
		return "job \"j\" {\ngroup \"g\" {\n" + text + "\n" + task + "\n}\n}"
	case "task":
		return "job \"j\" {\ngroup \"g\" {\ntask \"t\" {\ndriver = \"raw_exec\"\n" + text + "\n}\n}\n}"
	}
	return text
}

func parse(t *testing.T, src string) *n.Job {
	t.Helper()
	if strings.TrimSpace(src) == "" {
		return nil
	}
	file, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return file.Job
}

// notCompared are the fields of which a diff shows nothing, and what is below them.
var notCompared = []string{
	"ID", "Status", "StatusDescription", "Version", "VersionTag", "Stable", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime",
	"NomadTokenID", "Update", "Migrate", "Reschedule", "Spreads", "Payload",
	"TaskGroups.Spreads", "TaskGroups.MaxRunDuration", "TaskGroups.Update.Stagger",
	"TaskGroups.StopAfterClientDisconnect", "TaskGroups.MaxClientDisconnect", "TaskGroups.PreventRescheduleOnLost",
	"TaskGroups.Scaling.ID", "TaskGroups.Scaling.Namespace", "TaskGroups.Scaling.Target", "TaskGroups.Scaling.CreateIndex", "TaskGroups.Scaling.ModifyIndex",
	"TaskGroups.Tasks.Lifecycle", "TaskGroups.Tasks.RestartPolicy", "TaskGroups.Tasks.CSIPluginConfig", "TaskGroups.Tasks.ScalingPolicies",
}

// TestEveryFieldIsCompared changes each field of a job, one at a time: a diff shows
// it, or it is on the list above.
func TestEveryFieldIsCompared(t *testing.T) {
	job := &n.Job{}
	walk.Fill(job, 0, walk.Make(func(i int) n.Raw { return n.Raw(fmt.Sprintf(`{"a":%d}`, i)) }))
	for path := range walk.Fields(reflect.TypeFor[n.Job]()) {
		job := only(job, path)
		changed := walk.Clone(job)
		if !walk.Alter(changed, path) {
			t.Errorf("%s can not be changed here", path)
		}
		name := strings.NewReplacer("[]", "", "[string]", "").Replace(path)
		listed := slices.ContainsFunc(notCompared, func(p string) bool { return name == p || strings.HasPrefix(name, p+".") })
		d := jobdiff.Diff(job, changed, true)
		if shown := d.Type == n.DiffEdited; shown == listed {
			t.Errorf("%s is shown: %v", path, shown)
		}
		if in := strings.HasPrefix(path, "TaskGroups[]."); in && path != "TaskGroups[].Name" && d.TaskGroups[0].Type != n.DiffEdited {
			t.Errorf("%s changed, and its group is %s", path, d.TaskGroups[0].Type)
		}
	}
}

// only is a job with nothing but one field, with all that is below it.
func only(full *n.Job, path string) *n.Job {
	job := &n.Job{TaskGroups: []n.Group{{Name: "g", Tasks: []n.Task{{Name: "t"}}}}}
	to, from := reflect.ValueOf(job), reflect.ValueOf(full)
	if in, ok := strings.CutPrefix(path, "TaskGroups[]."); ok {
		path, to, from = in, reflect.ValueOf(&job.TaskGroups[0]), reflect.ValueOf(&full.TaskGroups[0])
	}
	if in, ok := strings.CutPrefix(path, "Tasks[]."); ok {
		path, to, from = in, reflect.ValueOf(&job.TaskGroups[0].Tasks[0]), reflect.ValueOf(&full.TaskGroups[0].Tasks[0])
	}
	name := path[:strings.IndexAny(path+".", ".[")]
	to.Elem().FieldByName(name).Set(from.Elem().FieldByName(name))
	return job
}

func show(d *n.JobDiff) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s job %s\n", d.Type, d.ID)
	parts(&b, " ", d.Fields, d.Objects)
	for _, g := range d.TaskGroups {
		fmt.Fprintf(&b, " %s group %s %v\n", g.Type, g.Name, g.Updates)
		parts(&b, "  ", g.Fields, g.Objects)
		for _, x := range g.Tasks {
			fmt.Fprintf(&b, "  %s task %s %q\n", x.Type, x.Name, x.Annotations)
			parts(&b, "   ", x.Fields, x.Objects)
		}
	}
	return b.String()
}

func parts(b *strings.Builder, indent string, fields []*n.FieldDiff, objects []*n.ObjectDiff) {
	for _, f := range fields {
		fmt.Fprintf(b, "%s%s %s: %q -> %q", indent, f.Type, f.Name, f.Old, f.New)
		if len(f.Annotations) > 0 {
			fmt.Fprintf(b, " %q", f.Annotations)
		}
		b.WriteByte('\n')
	}
	for _, o := range objects {
		fmt.Fprintf(b, "%s%s %s\n", indent, o.Type, o.Name)
		parts(b, indent+" ", o.Fields, o.Objects)
	}
}
