package jobspec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/nomadlike/nomadlike/jobspec"
)

// TestParse reads job files and shows what they become, without what is empty;
// or what is wrong with them. Commands:
//
//	parse [var=<name=value>...] [env=<NAME=value>...] [lenient]   a job file
//	group …                                                       the inside of a group, of job "j"
//	task …                                                        the inside of a task, of it
//	bare, full …                                                  a job file in the JSON of the API's parser, without what is null
//	json                                                          a job in the JSON of the API
func TestParse(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if dir := filepath.Base(filepath.Dir(path)); dir != "testdata" { // those of fuzz targets, and TestWrong
			return
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			o := jobspec.Options{Strict: !d.HasArg("lenient")}
			for _, a := range d.CmdArgs {
				for _, v := range a.Vals {
					switch a.Key {
					case "var":
						o.Vars = append(o.Vars, v)
					case "env":
						o.Env = append(o.Env, v)
					}
				}
			}
			src, show := d.Input, func(j map[string]any) any { return j }
			first := func(v any, key string) any { return v.(map[string]any)[key].([]any)[0] }
			switch d.Cmd {
			case "group":
				src = "job \"j\" {\ngroup \"g\" {\n" + src + "\n}\n}"
				show = func(j map[string]any) any { return first(j, "TaskGroups") }
			case "task":
				src = "job \"j\" {\ngroup \"g\" {\ntask \"t\" {\n" + src + "\n}\n}\n}"
				show = func(j map[string]any) any { return first(first(j, "TaskGroups"), "Tasks") }
			case "json":
				job, err := jobspec.DecodeJSON([]byte(src))
				if err != nil {
					return "error: " + err.Error() + "\n"
				}
				return indented(t, prune(generic(t, job)))
			case "parse", "bare", "full":
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			file, err := jobspec.Parse("x.hcl", []byte(src), o)
			if err != nil {
				return err.Error() + "\n"
			}
			if d.Cmd == "bare" || d.Cmd == "full" {
				raw, err := file.JSON(d.Cmd == "full")
				if err != nil {
					t.Fatal(err)
				}
				return indented(t, withoutNull(generic(t, raw)))
			}
			out := indented(t, show(prune(generic(t, file.Job)).(map[string]any)))
			for _, w := range file.Warnings {
				out += file.Sources.Render(w, jobspec.Plain) + "\n"
			}
			return out
		})
	})
}

func indented(t *testing.T, v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// seeds are the inputs of all other tests and the examples.
func seeds(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/*", "../examples/*.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			if b, err := os.ReadFile(path); err == nil {
				for part := range strings.SplitSeq(string(b), "\n\n") {
					f.Add(part)
				}
				f.Add(string(b))
			}
		}
	}
}

// FuzzParse reads what a stranger wrote: an answer or an error, in little time.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		began := time.Now()
		file, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{Env: []string{"NOMAD_VAR_a=1"}})
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v and error %v", file, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(src), took)
		}
	})
}

func FuzzDecodeJSON(f *testing.F) {
	seeds(f)
	f.Add(`{"ID":"x","Type":"batch","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t","Config":{"a":[1,{"b":null}]}}]}]}`)
	f.Fuzz(func(t *testing.T, src string) {
		job, err := jobspec.DecodeJSON([]byte(src))
		if (job == nil) == (err == nil) {
			t.Fatalf("job %v and error %v", job, err)
		}
	})
}

// prune removes what is empty, so that tables of tests show what matters.
func prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if e = prune(e); e == nil {
				delete(x, k)
			} else {
				x[k] = e
			}
		}
		if len(x) == 0 {
			return nil
		}
	case []any:
		for i := range x {
			x[i] = prune(x[i])
		}
		if len(x) == 0 {
			return nil
		}
	case string:
		if x == "" {
			return nil
		}
	case float64:
		if x == 0 {
			return nil
		}
	case bool:
		if !x {
			return nil
		}
	}
	return v
}
