package command_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// code is what a comment leaves out of a job: it begins right after the #, or is
// indented. A comment in words has one space there.
var code = regexp.MustCompile(`(?m)^( *)#(\S.*|  +\S.*|)$`)

// TestExamples holds the files that job init writes to what is said of them.
func TestExamples(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, c := range map[string]struct {
		flags     []string
		groups    []string
		explained bool
		runs      bool
	}{
		"long":          {nil, []string{"greeter"}, true, true},
		"short":         {[]string{"-short"}, []string{"greeter"}, false, true},
		"connect":       {[]string{"-connect"}, []string{"api", "dashboard"}, true, false},
		"connect-short": {[]string{"-short", "-connect"}, []string{"api", "dashboard"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			file := name + ".nomad.hcl"
			if out := run(t, "", slices.Concat([]string{"job", "init"}, c.flags, []string{file})...); out != "Example job file written to "+file+"\n" {
				t.Fatal(out)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			src := string(b)
			job := admitted(t, file, src)
			var groups []string
			for _, g := range job.TaskGroups {
				groups = append(groups, g.Name)
			}
			if job.ID != "example" || !slices.Equal(groups, c.groups) {
				t.Errorf("it is job %q with groups %q", job.ID, groups)
			}
			if strings.Contains(src, "#") != c.explained {
				t.Errorf("explained: %v", !c.explained)
			}
			if missing := admission.Unavailable(job); c.runs && len(missing) > 0 {
				t.Errorf("it does not run: %q", missing)
			}
			if out := run(t, "", "fmt", "-check", file); out != "" {
				t.Error("not in the usual layout: " + out)
			}
		})
	}
	if files, err := filepath.Glob("*"); err != nil || len(files) != 4 {
		t.Errorf("%q (%v)", files, err)
	}
}

// TestCommentedOut shows that what the example has commented out works as well, and
// is laid out like the rest.
func TestCommentedOut(t *testing.T) {
	b, err := os.ReadFile("example/long.nomad.hcl")
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(b), "job \"example\"")
	src := head + "job \"example\"" + code.ReplaceAllString(body, "$1$2")
	src = regexp.MustCompile(`(?m) +$`).ReplaceAllString(src, "")
	src = strings.Replace(src, "type = \"service\"", "type = \"batch\"", 1) // periodic jobs are
	for _, block := range []string{"update", "migrate", "reschedule"} {     // which those have not, or otherwise
		src = regexp.MustCompile(`(?ms)^( *)`+block+` \{.*?^( *)\}\n`).ReplaceAllString(src, "")
	}
	job := admitted(t, "all.nomad.hcl", src)
	group, task := job.TaskGroups[0], job.TaskGroups[0].Tasks[0]
	for what, n := range map[string]int{
		"services": len(group.Services), "volumes": len(group.Volumes), "artifacts": len(task.Artifacts), "templates": len(task.Templates),
		"volume mounts": len(task.VolumeMounts), "other tasks": len(group.Tasks) - 1,
	} {
		if n != 1 {
			t.Errorf("%d %s", n, what)
		}
	}
	if job.Periodic == nil || task.Identity == nil || !task.Identity.File {
		t.Errorf("periodic %v, identity %v", job.Periodic, task.Identity)
	}
	if out := run(t, src, "fmt", "-check", "-"); out != "" {
		t.Error("not in the usual layout:\n" + run(t, src, "fmt", "-"))
	}
}

// admitted reads a job file and has the servers' rules look at it.
func admitted(t *testing.T, name, src string) *n.Job {
	t.Helper()
	file, err := jobspec.Parse(name, []byte(src), jobspec.Options{Strict: true})
	if err != nil || len(file.Warnings) > 0 {
		t.Fatalf("%v", err)
	}
	job := file.Job
	if warnings, err := admission.Admit(job, admission.Options{}); err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %q, error %v", warnings, err)
	}
	return job
}
