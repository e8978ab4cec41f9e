package admission_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestAdmission shows what is said of jobs: problems, warnings, and what this
// version can not do. The commands are "job" with a whole file, "group" with the
// inside of a group that has a task, and "task" with the inside of a task.
func TestAdmission(t *testing.T) {
	datadriven.Walk(t, "testdata/jobs", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			src := d.Input
			const driver = "driver = \"raw_exec\"\n"
			switch d.Cmd {
			case "job":
			case "group":
				src = "job \"j\" {\ngroup \"g\" {\n" + src + "\ntask \"t\" {\n" + driver + "}\n}\n}"
			case "task":
				src = "job \"j\" {\ngroup \"g\" {\ntask \"t\" {\n" + src + "\n" + driver + "}\n}\n}"
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			file, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{})
			if err != nil {
				t.Fatalf("%s: %v", d.Pos, err)
			}
			job := file.Job
			warnings, err := admission.Admit(job, admission.Options{Schedulers: map[string][]string{"cheap": {n.JobTypeService}}})
			var out []string
			for _, p := range admission.Problems(err) {
				out = append(out, "problem: "+p.Text)
			}
			for _, w := range warnings {
				out = append(out, "warning: "+w.Text)
			}
			for _, u := range admission.Unavailable(job) {
				out = append(out, "not yet: "+u)
			}
			if len(out) == 0 {
				out = []string{"good"}
			}
			return strings.Join(out, "\n") + "\n"
		})
	})
}

// TestLongTag checks what no job file can say.
func TestLongTag(t *testing.T) {
	for length, good := range map[int]bool{1000: true, 1001: false} {
		file, err := jobspec.Parse("x.hcl", []byte("job \"j\" {\ngroup \"g\" {\ntask \"t\" {\ndriver = \"raw_exec\"\n}\n}\n}"), jobspec.Options{})
		if err != nil {
			t.Fatal(err)
		}
		job := file.Job
		job.VersionTag = &n.VersionTag{Name: "x", Description: strings.Repeat("x", length)}
		if _, err := admission.Admit(job, admission.Options{}); (err == nil) != good {
			t.Errorf("a description of %d bytes: %v", length, err)
		}
	}
}
