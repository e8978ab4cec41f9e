package jobspec_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
)

// TestWrong shows what users are told of job files as they get them wrong: for each
// testdata/wrong/NAME.nomad.hcl what stands in NAME.txt. Each sentence is to say what
// is wrong, where, and what to write instead. With -rewrite, a flag of package
// datadriven, they are made anew.
func TestWrong(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.nomad.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files (%v)", err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".nomad.hcl")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			said := toldOf(name+".nomad.hcl", src) + "\n"
			golden := filepath.Join("testdata/wrong", name+".txt")
			if flag.Lookup("rewrite").Value.String() == "true" {
				if err := os.WriteFile(golden, []byte(said), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), said); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// toldOf is all that commands say of a file.
func toldOf(name string, src []byte) string {
	file, err := jobspec.Parse(name, src, jobspec.Options{Strict: true})
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, w := range file.Warnings {
		out = append(out, file.Sources.Render(w, jobspec.Plain))
	}
	show := func(list []admission.Problem, severity hcl.DiagnosticSeverity) {
		for _, p := range list {
			d := &hcl.Diagnostic{Severity: severity, Summary: p.Text}
			if at, ok := file.Places.Of(p.Path); ok {
				d.Subject = &at
			}
			out = append(out, file.Sources.Render(d, jobspec.Plain))
		}
	}
	warnings, err := admission.Admit(file.Job, admission.Options{})
	show(admission.Problems(err), hcl.DiagError)
	show(warnings, hcl.DiagWarning)
	return strings.Join(out, "\n\n")
}
