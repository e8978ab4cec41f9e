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

// corpus holds real job files with the JSON that they must become.
const corpus = "../../shared/corpus/jobspec"

func TestCorpus(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus, "*.json"))
	if len(files) == 0 {
		t.Skip("the corpus of job files is not here")
	}
	good := 0
	for _, want := range files {
		path := strings.TrimSuffix(want, ".json")
		if strings.HasSuffix(want, ".validate.json") {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var expected struct{ Job any }
		text, _ := os.ReadFile(want)
		if json.Unmarshal(text, &expected) != nil {
			continue
		}
		name := filepath.Base(path)
		job, _, err := jobspec.Parse(name, src, jobspec.Options{Files: true})
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		text, err = json.Marshal(job)
		if err != nil {
			t.Fatal(err)
		}
		var have any
		_ = json.Unmarshal(text, &have)
		if diff := cmp.Diff(prune(expected.Job), prune(have)); diff != "" {
			t.Logf("%s: %s", name, diff)
			continue
		}
		good++
	}
	t.Logf("GOOD %d of %d", good, len(files))
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
