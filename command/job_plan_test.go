package command_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/nomadlike/nomadlike/command"
	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/jobdiff"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestPlan shows, to the letter, what "job plan" prints of a change from one job
// file to another, separated by a line "to"; the first may be empty. A server that
// says what the arguments tell it stands in for a real one. Arguments:
//
//	flags=(-verbose,…)           of the command line
//	ignore= create= destroy= …   what would happen to allocations of the group "g"
//	failed=                      allocations of "g" that find no place
//	preempt= jobs=               allocations that have to make room, and of how many jobs
//	warnings= next=              of the job; when it would be launched
//	error=                       the server refuses, with a text
//	last=                        only so many lines are shown, the last ones
func TestPlan(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(t.TempDir())
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			before, after, ok := strings.Cut("\n"+d.Input+"\n", "\nto\n")
			if !ok {
				t.Fatalf("%s: no line \"to\"", d.Pos)
			}
			put(t, "j.hcl", after, 0o644)
			server := httptest.NewServer(answer(t, d, before))
			defer server.Close()
			var flags []string
			for _, a := range d.CmdArgs {
				if a.Key == "flags" {
					flags = a.Vals
				}
			}
			out := plan(t, append([]string{"job", "plan", "-no-color", "-address=" + server.URL}, append(flags, "j.hcl")...))
			if lines, last := slices.Collect(strings.Lines(out)), 0; d.MaybeScanArgs(t, "last", &last) {
				out = strings.Join(lines[len(lines)-last:], "")
			}
			return out
		})
	})
}

var planNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func plan(t *testing.T, args []string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := command.Run(t.Context(), args, command.IO{
		Out: &out, Err: &errs, Env: func(string) string { return "" }, Now: func() time.Time { return planNow }, Width: 80,
	})
	text := out.String()
	for line := range strings.Lines(errs.String()) {
		text += "! " + line
	}
	return text + fmt.Sprintf("exit code %d\n", code)
}

// answer plans like a server, whose decisions are those of the arguments.
func answer(t *testing.T, d *datadriven.TestData, before string) http.HandlerFunc {
	number := func(name string) (v uint64) {
		d.MaybeScanArgs(t, name, &v)
		return v
	}
	var refusal, warnings, next string
	d.MaybeScanArgs(t, "error", &refusal)
	d.MaybeScanArgs(t, "warnings", &warnings)
	d.MaybeScanArgs(t, "next", &next)
	old := parsed(t, before)
	return func(w http.ResponseWriter, r *http.Request) {
		var req n.JobPlan
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil || r.URL.Path != "/v1/job/j/plan" || r.Method != http.MethodPut {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		if refusal != "" {
			http.Error(w, strings.ReplaceAll(refusal, "_", " "), http.StatusInternalServerError)
			return
		}
		resp := n.JobPlanned{
			Annotations: &n.PlanAnnotations{DesiredTGUpdates: map[string]*n.DesiredUpdates{"g": {
				Ignore: number("ignore"), Place: number("create"), Stop: number("destroy"), Migrate: number("migrate"),
				InPlaceUpdate: number("inplace"), DestructiveUpdate: number("destructive"), Canary: number("canary"),
			}}},
			Warnings: strings.ReplaceAll(warnings, "_", " "),
		}
		if old != nil {
			resp.JobModifyIndex = 42
		}
		if failed := number("failed"); failed > 0 {
			resp.FailedTGAllocs = map[string]*n.AllocMetric{"g": {
				NodesEvaluated: 1, NodesExhausted: 1, DimensionExhausted: map[string]int{"memory": 1}, CoalescedFailures: int(failed) - 1,
			}}
		}
		if at, err := time.Parse(time.RFC3339, next); err == nil {
			resp.NextPeriodicLaunch = &at
		}
		for i := range number("preempt") {
			resp.Annotations.PreemptedAllocs = append(resp.Annotations.PreemptedAllocs, n.AllocStub{
				ID: n.AllocID(fmt.Sprintf("00000000-0000-0000-0000-%012d", i)), JobID: n.JobID(fmt.Sprintf("job%d", i%max(number("jobs"), 1))),
				JobType: []string{"service", "batch"}[i%2], Namespace: "default", TaskGroup: "tg",
			})
		}
		if req.Diff {
			resp.Diff = jobdiff.Diff(old, req.Job, true)
			jobdiff.Annotate(resp.Diff, resp.Annotations)
		}
		if err := json.NewEncoder(w).Encode(resp); err != nil {
			t.Error(err)
		}
	}
}

func parsed(t *testing.T, src string) *n.Job {
	t.Helper()
	if strings.TrimSpace(src) == "" {
		return nil
	}
	file, err := jobspec.Parse("old.hcl", []byte(src), jobspec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return file.Job
}
