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
//
// A key that is absent and one that is null are the same: clients of the API decode
// both to the zero value. So are they and "", false, 0 or [] where the field of
// those clients is no pointer, which the keys of plain list. All else must be equal.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NOMADLIKE_CORPUS")
	if dir == "" {
		t.Skip("NOMADLIKE_CORPUS names no folder of job files")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no job files in %s (%v)", dir, err)
	}
	compared, equal := 0, 0
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
		if t.Run(filepath.Base(want), func(t *testing.T) {
			file, err := jobspec.Parse("job", src, jobspec.Options{Files: true})
			if err != nil {
				t.Fatal(err)
			}
			job, err := file.JSON(true)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(withoutNull(expected.Job), withoutNull(generic(t, job))); diff != "" {
				t.Error(diff)
			}
		}) {
			equal++
		}
	}
	if compared == 0 {
		t.Errorf("nothing in %s could be compared", dir)
	}
	t.Logf("%d of %d job files become what they must", equal, compared)
}

// plain are fields of the API's clients that are no pointers and that we leave null
// where nothing is written: what stands there is decoded alike.
var plain = map[string]any{
	"Mode": "", "Device": "", "CIDR": "", "IP": "", "Hostname": "", "HostNetwork": "", "To": 0.0, "Value": 0.0, "IgnoreCollision": false,
}

// withoutNull removes keys that hold null, and plain ones that hold their zero.
func withoutNull(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if zero, ok := plain[k]; e == nil || ok && e == zero {
				delete(x, k)
			} else {
				x[k] = withoutNull(e)
			}
		}
	case []any:
		for i := range x {
			x[i] = withoutNull(x[i])
		}
	}
	return v
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
