package jobspec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nomadlike/nomadlike/jobspec"
)

// TestCorpus compares real job files with the JSON that they must become: pairs of
// x and x.json in the folder that NOMADLIKE_CORPUS names. They are other people's
// and not part of this repository; TestParse has files of our own.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NOMADLIKE_CORPUS")
	if dir == "" {
		t.Skip("NOMADLIKE_CORPUS names no folder of job files")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no job files in %s (%v)", dir, err)
	}
	compared := 0
	for _, want := range files {
		src, err := os.ReadFile(strings.TrimSuffix(want, ".json"))
		if err != nil {
			continue // an answer of the validation, or the like
		}
		text, err := os.ReadFile(want)
		if err != nil {
			t.Fatal(err)
		}
		var expected struct{ Job any }
		if json.Unmarshal(text, &expected) != nil || expected.Job == nil {
			continue
		}
		compared++
		t.Run(filepath.Base(want), func(t *testing.T) {
			job, _, err := jobspec.Parse("job", src, jobspec.Options{Files: true})
			if err != nil {
				t.Fatal(err)
			}
			// The parser's JSON shows the job's migrate before its defaults and
			// ours after them; admission drops it, and the groups hold the whole.
			have, want := generic(t, job), expected.Job
			delete(have.(map[string]any), "Migrate")
			delete(want.(map[string]any), "Migrate")
			if diff := cmp.Diff(prune(want), prune(have)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if compared == 0 {
		t.Errorf("nothing in %s could be compared", dir)
	}
}

// generic is a value as JSON has it.
func generic(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// prune removes what is not written in either form: the parser's JSON writes
// null, "" or 0 where ours leaves out, and the other way round.
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
