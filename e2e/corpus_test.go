package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/nomad/api"
)

// TestCorpus sends real job files through the API with its usual client, and
// compares what comes back with the JSON that they must become: pairs of x and
// x.json in the folder that NOMADLIKE_CORPUS names, which are other people's and
// not part of this repository. Both are decoded by the client, so that null, empty
// and absent are equal exactly where it decodes them to the same value.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NOMADLIKE_CORPUS")
	if dir == "" {
		t.Skip("NOMADLIKE_CORPUS names no folder of job files")
	}
	a := newAgent(t, serverOnly)
	a.start()
	a.ready(0)
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no job files in %s (%v)", dir, err)
	}
	equal, compared := 0, 0
	for _, path := range files {
		src, err := os.ReadFile(strings.TrimSuffix(path, ".json"))
		if err != nil {
			continue // an answer of the validation, or the like
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want struct{ Job *api.Job }
		if err := json.Unmarshal(text, &want); err != nil || want.Job == nil {
			continue
		}
		if strings.Contains(string(src), "file(") {
			continue // agents read no files
		}
		compared++
		have, err := a.client().Jobs().ParseHCL(string(src), true)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		if diff := cmp.Diff(want.Job, have); diff != "" {
			t.Errorf("%s: %s", filepath.Base(path), diff)
			continue
		}
		// Without defaults, the client fills in the same ones.
		bare, err := a.client().Jobs().ParseHCL(string(src), false)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		bare.Canonicalize()
		want.Job.Canonicalize()
		if diff := cmp.Diff(want.Job, bare); diff != "" {
			t.Errorf("%s without defaults: %s", filepath.Base(path), diff)
			continue
		}
		equal++
	}
	t.Logf("%d of %d job files become what they must", equal, compared)
}
