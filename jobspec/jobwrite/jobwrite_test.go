package jobwrite_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	diff "github.com/google/go-cmp/cmp"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	"github.com/nomadlike/nomadlike/jobspec/jobwrite"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// TestHCL shows the job file of jobs in the JSON of the API. Commands:
//
//	job     a job
//	group   the inside of a group, of job "j"
//	task    the inside of a task, of group "g" of it; only that is shown
//	admit   a job, as servers keep it
func TestHCL(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(filepath.ToSlash(path), "testdata/fuzz/") { // inputs that a fuzz target has failed on
			return
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			src, depth := d.Input, 0
			switch d.Cmd {
			case "task":
				src, depth = `{"ID":"j","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t",`+strings.TrimPrefix(src, "{")+"]}]}", 3
			case "group":
				src, depth = `{"ID":"j","TaskGroups":[{"Name":"g",`+strings.TrimPrefix(src, "{")+"]}", 2
			case "job", "admit":
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			job, err := jobspec.DecodeJSON([]byte(src))
			if err != nil {
				t.Fatalf("%s: %v", d.Pos, err)
			}
			if d.Cmd == "admit" {
				if _, err := admission.Admit(job, admission.Options{}); err != nil {
					t.Fatalf("%s: %v", d.Pos, err)
				}
			}
			out, err := jobwrite.HCL(job)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			comesBack(t, job, out)
			return within(string(out), depth)
		})
	})
}

// within is the inside of so many blocks around it.
func within(src string, depth int) string {
	lines := strings.Split(strings.TrimSuffix(src, "\n"), "\n")
	if len(lines) <= 2*depth {
		return ""
	}
	lines = lines[depth : len(lines)-depth]
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], strings.Repeat("  ", depth))
	}
	return strings.Join(lines, "\n") + "\n"
}

// plain is a job without what only servers set, with one spelling of what is the
// same: none and empty, and the numbers of opaque blocks.
func plain(job *n.Job) *n.Job {
	job = walk.Clone(job)
	if job.Update != nil && *job.Update == admission.Settled(*job.Update) {
		job.Update = &n.Update{MaxParallel: job.Update.MaxParallel, Stagger: job.Update.Stagger}
	}
	if job.Periodic != nil && job.Periodic.SpecType == "" {
		job.Periodic.SpecType = "cron"
	}
	reduce(reflect.ValueOf(job))
	return job
}

// kept has no place of its own in a file and is not the servers'.
var kept = []string{"Task.Identity", "Task.ScalingPolicies", "Network.ReservedPorts", "Network.DynamicPorts", "Periodic.SpecType"}

// reduce takes out of a value what does not count.
func reduce(v reflect.Value) {
	if raw, ok := v.Interface().(n.Raw); ok {
		if m, err := raw.Map(); err == nil && m != nil {
			v.SetBytes([]byte(fmt.Sprintf("%#v", ratios(m))))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			reduce(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Tag.Get("hcl") == "-" && !slices.Contains(kept, v.Type().Name()+"."+f.Name) {
				v.Field(i).SetZero()
			} else {
				reduce(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			if v.Kind() == reflect.Slice {
				reduce(v.Index(i))
			}
		}
		if v.Kind() == reflect.Map {
			for it := v.MapRange(); it.Next(); {
				switch e := it.Value(); {
				case e.Kind() == reflect.Pointer:
					if name := e.Elem().FieldByName("Name"); name.String() == "" {
						name.Set(it.Key()) // as it is in a file
					}
					reduce(e)
				case e.Kind() == reflect.Slice && e.Len() == 0:
					v.SetMapIndex(it.Key(), reflect.Zero(e.Type()))
				}
			}
		}
	}
}

// ratios are JSON values with their numbers as fractions.
func ratios(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = ratios(x[k])
		}
	case []any:
		for i := range x {
			x[i] = ratios(x[i])
		}
	case json.Number:
		if r, ok := new(big.Rat).SetString(x.String()); ok {
			return json.Number(r.String())
		}
	}
	return v
}

// comesBack reads a file and compares it with the job that it was written for.
func comesBack(t *testing.T, job *n.Job, src []byte) {
	t.Helper()
	back, _, err := jobspec.Parse("x.hcl", src, jobspec.Options{Strict: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	if u := job.Update; u != nil && *u == admission.Settled(*u) {
		left := admission.Settled(*back.Update)
		back.Update = &left
	}
	if want, have := plain(job), plain(back); !walk.Equal(want, have) {
		t.Fatalf("%s\n%s", diff.Diff(want, have), src)
	}
}

// TestRandomJobs writes random jobs of all fields and reads them back.
func TestRandomJobs(t *testing.T) {
	count, seed := 2000, uint64(time.Now().UnixNano())
	if testing.Short() {
		count = 200
	}
	for i := range uint64(count) {
		r := random{rand.New(rand.NewPCG(seed, i))}
		src := r.job()
		job, err := jobspec.DecodeJSON(src)
		if err != nil {
			t.Fatalf("seed %d, %d: %v\n%s", seed, i, err, src)
		}
		if job.Update != nil && r.chance(30) {
			left := admission.Settled(*job.Update)
			job.Update = &left
		}
		before := walk.Clone(job)
		out, err := jobwrite.HCL(job)
		if err != nil {
			t.Fatalf("seed %d, %d: %v\n%s", seed, i, err, src)
		}
		if !walk.Equal(before, job) {
			t.Fatalf("seed %d, %d: writing changes the job: %s", seed, i, diff.Diff(before, job))
		}
		comesBack(t, job, out)
	}
}

// TestCorpus writes and reads back the job files x of pairs x and x.json in the
// folder that NOMADLIKE_CORPUS names.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NOMADLIKE_CORPUS")
	if dir == "" {
		t.Skip("NOMADLIKE_CORPUS names no folder of job files")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, path := range files {
		path = strings.TrimSuffix(path, ".json")
		src, err := os.ReadFile(path)
		if err != nil {
			continue // an answer of the validation, or the like
		}
		job, _, err := jobspec.Parse(path, src, jobspec.Options{Files: true})
		if err != nil {
			continue // TestCorpus of jobspec tells
		}
		compared++
		t.Run(filepath.Base(path), func(t *testing.T) {
			out, err := jobwrite.HCL(job)
			if err != nil {
				t.Fatal(err)
			}
			comesBack(t, job, out)
		})
	}
	if compared == 0 {
		t.Errorf("nothing in %s could be read", dir)
	}
}

// FuzzHCL writes what a stranger sent: an error, or a file that comes back.
func FuzzHCL(f *testing.F) {
	for i := range uint64(50) {
		f.Add(random{rand.New(rand.NewPCG(1, i))}.job())
	}
	f.Add([]byte(`{"ID":"e\u0301","TaskGroups":[{"Name":"g","Volumes":{"a":{"Name":"b"}},"Tasks":[{"Name":"t","Config":{"a b":[1,{"b":null}],"c":null}}]}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		job, err := jobspec.DecodeJSON(src)
		if err != nil {
			return
		}
		began := time.Now()
		out, err := jobwrite.HCL(job)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(src), took)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Job.") && !strings.HasPrefix(err.Error(), "the number of Job.") {
				t.Fatalf("the error names no field: %v", err)
			}
			return
		}
		comesBack(t, job, out)
	})
}
