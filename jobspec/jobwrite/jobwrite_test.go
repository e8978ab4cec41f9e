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
			src, depth := source(d)
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
			if d.Cmd == "admit" {
				admittedAgain(t, job, out)
			} else {
				comesBack(t, job, out)
			}
			return within(string(out), depth)
		})
	})
}

// source is the job of a case, and how deep what is shown of it stands.
func source(d *datadriven.TestData) (src string, depth int) {
	switch d.Cmd {
	case "task":
		return `{"ID":"j","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t",` + strings.TrimPrefix(d.Input, "{") + "]}]}", 3
	case "group":
		return `{"ID":"j","TaskGroups":[{"Name":"g",` + strings.TrimPrefix(d.Input, "{") + "]}", 2
	}
	return d.Input, 0
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
	read, err := jobspec.Parse("x.hcl", src, jobspec.Options{Strict: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	back := read.Job
	if u := job.Update; u != nil && *u == admission.Settled(*u) {
		left := admission.Settled(*back.Update)
		back.Update = &left
	}
	if want, have := plain(job), plain(back); !walk.Equal(want, have) {
		t.Fatalf("%s\n%s", diff.Diff(want, have), src)
	}
}

// admittedAgain registers the file of an admitted job, which must change nothing.
func admittedAgain(t *testing.T, job *n.Job, src []byte) {
	t.Helper()
	read, err := jobspec.Parse("x.hcl", src, jobspec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	back := read.Job
	if _, err := admission.Admit(back, admission.Options{}); err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(job, back); d != "" {
		t.Fatal(d)
	}
}

// TestHalfJobs writes what was not made by a decoder.
func TestHalfJobs(t *testing.T) {
	whole := func() *n.Job {
		job, err := jobspec.DecodeJSON([]byte(`{"ID":"j","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t"}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	for name, c := range map[string]struct {
		change func(*n.Job)
		want   string
	}{
		"nothing is missing": {func(*n.Job) {}, ""},
		"an empty block":     {func(j *n.Job) { j.TaskGroups[0].Tasks[0].Config = n.Raw{} }, ""},
		"no resources":       {func(j *n.Job) { j.TaskGroups[0].Tasks[0].Resources = nil }, "Job.TaskGroups[0].Tasks[0].Resources: a job file has no way to leave it out"},
		"no update":          {func(j *n.Job) { j.Update = nil }, "Job.Update: a job file has no way to leave it out"},
		"a null volume":      {func(j *n.Job) { j.TaskGroups[0].Volumes = map[string]*n.VolumeRequest{"a": nil} }, `Job.TaskGroups[0].Volumes["a"]: it is null`},
		"no object":          {func(j *n.Job) { j.TaskGroups[0].Tasks[0].Config = n.Raw("[") }, "Job.TaskGroups[0].Tasks[0].Config: "},
		"no type of scaling": {func(j *n.Job) {
			one := int64(1)
			j.TaskGroups[0].Scaling = &n.ScalingPolicy{Enabled: true, Min: &one, Max: &one}
		}, `Job.TaskGroups[0].Scaling.Type: a job file has no way to write "" here`},
	} {
		t.Run(name, func(t *testing.T) {
			job := whole()
			c.change(job)
			out, err := jobwrite.HCL(job)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%v\n%s", err, out)
			}
			if (out == nil) != (err != nil) {
				t.Errorf("both a file and an error, or neither: %v\n%s", err, out)
			}
		})
	}
	if _, err := jobwrite.HCL(nil); err == nil {
		t.Error("no job is written without an error")
	}
}

// TestDepthAndLength shows that what a stranger sends takes little time.
func TestDepthAndLength(t *testing.T) {
	for name, config := range map[string]string{
		"lists in lists":         strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		"objects in objects":     strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
		"blocks in blocks":       strings.Repeat(`[{"a":`, 500) + "1" + strings.Repeat("}]", 500),
		"beginnings":             `"` + strings.Repeat("${", 10_000) + `"`,
		"references":             `"` + strings.Repeat("${a.b}", 5_000) + `"`,
		"lines":                  `"` + strings.Repeat("EOT\\n", 100_000) + `"`,
		"a number of many zeros": "1e100000000",
	} {
		t.Run(name, func(t *testing.T) {
			job, err := jobspec.DecodeJSON([]byte(`{"ID":"j","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t","Config":{"x":` + config + `}}]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			errorOrBack(t, job)
		})
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
		read, err := jobspec.Parse(path, src, jobspec.Options{Files: true})
		if err != nil {
			continue // TestCorpus of jobspec tells
		}
		compared++
		t.Run(filepath.Base(path), func(t *testing.T) {
			out, err := jobwrite.HCL(read.Job)
			if err != nil {
				t.Fatal(err)
			}
			comesBack(t, read.Job, out)
		})
	}
	if compared == 0 {
		t.Errorf("nothing in %s could be read", dir)
	}
}

// FuzzHCL writes what a stranger sent: an error that names what is wrong, or a file
// that comes back.
func FuzzHCL(f *testing.F) {
	files, err := filepath.Glob("testdata/[a-z]*s") // the cases, not what was found before
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		datadriven.RunTestAny(f, path, func(_ testing.TB, d *datadriven.TestData) string {
			src, _ := source(d)
			f.Add([]byte(src))
			return d.Expected
		})
	}
	for i := range uint64(20) {
		f.Add(random{rand.New(rand.NewPCG(1, i))}.job())
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if job, err := jobspec.DecodeJSON(src); err == nil {
			errorOrBack(t, job)
		}
	})
}

// FuzzText puts a text wherever one can stand.
func FuzzText(f *testing.F) {
	for _, s := range fragments {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config, err := n.NewRaw(map[string]any{
			"a": text, "b": []string{text, text}, "c": map[string]string{text: text}, "d": []any{map[string]string{text: text}}, "e": []any{map[string]string{"f": text}},
		})
		if err != nil {
			t.Fatal(err)
		}
		src, err := json.Marshal(map[string]any{"ID": text, "Name": text + "x", "TaskGroups": []any{map[string]any{
			"Name": text, "Meta": map[string]string{text: text}, "Services": []any{map[string]any{"Tags": []string{text, text}, "Meta": map[string]string{"a": text}}},
			"Tasks": []any{map[string]any{"Name": text, "Config": config, "Templates": []any{map[string]string{"EmbeddedTmpl": text + "\n"}}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		job, err := jobspec.DecodeJSON(src)
		if err != nil {
			t.Fatal(err)
		}
		errorOrBack(t, job)
	})
}

// errorOrBack writes a job: it comes back, or the error names a field of it.
func errorOrBack(t *testing.T, job *n.Job) {
	t.Helper()
	began := time.Now()
	out, err := jobwrite.HCL(job)
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("it took %v", took)
	}
	if err == nil {
		comesBack(t, job, out)
	} else if !strings.HasPrefix(err.Error(), "Job.") && !strings.Contains(err.Error(), "nested too deeply") {
		t.Fatalf("the error names no field: %v", err)
	}
}
