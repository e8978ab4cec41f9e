package admission_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
)

// FuzzAdmit admits what a stranger wrote, in HCL or in the JSON of the API: in little
// time, and what was admitted stays as it is when it is admitted again.
func FuzzAdmit(f *testing.F) {
	for _, src := range ruleSources(f) {
		f.Add(src)
	}
	o := admission.Options{Vault: true}
	f.Fuzz(func(t *testing.T, src string) {
		job, err := jobspec.DecodeJSON([]byte(src))
		if err != nil {
			file, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{})
			if err != nil {
				return
			}
			job = file.Job
		}
		began := time.Now()
		_, err = admission.Admit(job, o)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(src), took)
		}
		if err == nil {
			again(t, job, o)
		}
	})
}

// ruleSources are the jobs of TestRules.
func ruleSources(f *testing.F) (out []string) {
	f.Helper()
	files, err := filepath.Glob("testdata/rules/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			r, err := parseRule(strings.TrimSpace(line))
			switch {
			case err != nil: // a comment, or more of what is said
			case r.scope == "json":
				out = append(out, r.snippet)
			default:
				out = append(out, r.source())
			}
		}
	}
	return out
}
