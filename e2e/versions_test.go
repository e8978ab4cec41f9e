package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/nomad/api"
)

// versioned is a job whose versions differ in a number.
func versioned(id string, number, count int) string {
	return fmt.Sprintf(`
job %q {
  type = "batch"
  group "g" {
    count = %d
    task "t" {
      driver = "mock_driver"
      config {
        run_for = "1h"
      }
      env {
        NUMBER = "%d"
      }
    }
  }
}
`, id, count, number)
}

const mockDriver = "plugin \"mock_driver\" {\n config {\n enabled = true\n }\n}\n"

// do makes a request, and returns the answer with its body.
func (a *agent) do(method, path, body string) (*http.Response, string) {
	a.t.Helper()
	req, err := http.NewRequest(method, a.addr()+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return res, string(b)
}

// numbers are the versions of a job, newest first, with their tags.
func (a *agent) numbers(job string) string {
	a.t.Helper()
	versions, _, _, err := a.client().Jobs().Versions(job, false, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	var out []string
	for _, v := range versions {
		s := fmt.Sprint(*v.Version)
		if v.VersionTag != nil {
			s += "=" + v.VersionTag.Name
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestVersionsByAPI goes back and forth between versions of a job, as other tools
// do.
func TestVersionsByAPI(t *testing.T) {
	a := newAgent(t, serverAndClient+mockDriver)
	a.start()
	a.ready(1)
	jobs := a.client().Jobs()
	for i := range 3 {
		a.must("job", "run", "-detach", a.file("v.hcl", versioned("v", i, 1)))
	}

	// Going back.
	one, two := uint64(1), uint64(2)
	if _, _, err := jobs.Revert("v", 0, &one, nil, "", ""); err == nil || !strings.Contains(err.Error(), "is at version 2, not at version 1") {
		t.Errorf("another version is enforced: %v", err)
	}
	if _, _, err := jobs.Revert("none", 0, nil, nil, "", ""); err == nil || !strings.Contains(err.Error(), "500 (job not found)") {
		t.Errorf("no such job: %v", err)
	}
	resp, meta, err := jobs.Revert("v", 0, &two, nil, "", "")
	if err != nil {
		t.Fatal(err)
	}
	job, _, err := jobs.Info("v", nil)
	if err != nil {
		t.Fatal(err)
	}
	if *job.Version != 3 || *job.JobModifyIndex != resp.JobModifyIndex || meta.LastIndex == 0 || job.TaskGroups[0].Tasks[0].Env["NUMBER"] != "0" {
		t.Errorf("it is at version %d, %+v", *job.Version, resp)
	}
	if eval, _, err := a.client().Evaluations().Info(resp.EvalID, nil); err != nil || eval.TriggeredBy != "job-register" {
		t.Errorf("evaluation %+v (%v)", eval, err)
	}
	if _, body := a.do("GET", "/v1/job/v/submission?version=3", ""); !strings.Contains(body, `NUMBER = \"0\"`) {
		t.Errorf("the text of the version gone back to: %s", body)
	}

	// Stability.
	if _, _, err := jobs.Stable("v", 1, true, nil); err != nil {
		t.Fatal(err)
	}
	versions, _, _, err := jobs.Versions("v", false, nil)
	if err != nil || !*versions[2].Stable || *versions[2].Version != 1 || *versions[0].Stable {
		t.Errorf("%+v (%v)", versions, err)
	}
	if _, _, err := jobs.Stable("v", 9, true, nil); err == nil {
		t.Error("a version that is none was made stable")
	}

	// A change elsewhere wakes who waits for news of the versions.
	woken := make(chan error, 1)
	go func() {
		_, _, _, err := jobs.Versions("v", false, &api.QueryOptions{WaitIndex: versionsIndex(versions)})
		woken <- err
	}()
	if res, body := a.do("PUT", "/v1/job/v/versions/first/tag", `{"Version": 0, "Description": "the first"}`); res.StatusCode != 200 {
		t.Fatal(body)
	}
	if err := <-woken; err != nil {
		t.Error(err)
	}
	if got := a.numbers("v"); got != "3 2 1 0=first" {
		t.Errorf("versions %s", got)
	}

	// Who sends a tagged version again does not move its tag.
	if job, _, err = jobs.Info("v", nil); err != nil {
		t.Fatal(err)
	}
	priority := 60
	job.VersionTag, job.Priority = &api.JobVersionTag{Name: "first"}, &priority
	if _, _, err := jobs.Register(job, nil); err != nil {
		t.Fatal(err)
	}
	if got := a.numbers("v"); got != "4 3 2 1 0=first" {
		t.Errorf("versions %s", got)
	}
}

func versionsIndex(versions []*api.Job) (newest uint64) {
	for _, v := range versions {
		newest = max(newest, *v.ModifyIndex)
	}
	return newest
}

// TestVersionRoutes shows what the routes of versions answer.
func TestVersionRoutes(t *testing.T) {
	a := newAgent(t, serverAndClient+mockDriver)
	a.start()
	a.ready(1)
	a.must("job", "run", "-detach", a.file("v.hcl", versioned("team/v", 0, 1)))
	a.must("job", "run", "-detach", a.file("v.hcl", versioned("team/v", 1, 1)))
	for _, c := range []struct {
		name, method, path, body string
		code                     int
		want                     string
	}{
		{"tag", "PUT", "/v1/job/team%2Fv/versions/a/tag", `{"Version": 0}`, 200, `"Name":"a"`},
		{"tag, by POST and unescaped", "POST", "/v1/job/team/v/versions/b/tag", `{"Latest": true}`, 200, `"Name":"b"`},
		{"tag of another version", "PUT", "/v1/job/team/v/versions/a/tag", `{"Version": 1}`, 500, "is on version 0"},
		{"latest and a version", "PUT", "/v1/job/team/v/versions/c/tag", `{"Version": 1, "Latest": true}`, 400, "exclude each other"},
		{"tag of no job", "PUT", "/v1/job/none/versions/c/tag", `{"Version": 0}`, 500, "job not found"},
		{"tag without a name", "PUT", "/v1/job/team/v/versions/tag", `{}`, 404, "invalid job tag endpoint"},
		{"no tag to be deleted", "DELETE", "/v1/job/team/v/tag", "", 404, "invalid job tag endpoint"},
		{"untag of no job", "DELETE", "/v1/job/none/versions/c/tag", "", 500, "job not found"},
		{"untag what is none", "DELETE", "/v1/job/team/v/versions/c/tag", "", 500, `has no tag "c"`},
		{"versions", "GET", "/v1/job/team/v/versions", "", 200, `"Diffs":null`},
		{"versions with differences", "GET", "/v1/job/team/v/versions?diffs=true", "", 200, `"Name":"Env[NUMBER]"`},
		{"compared with a version", "GET", "/v1/job/team/v/versions?diffs=true&diff_version=1", "", 200, `"New":"0"`},
		{"compared with a tag", "GET", "/v1/job/team/v/versions?diffs=true&diff_tag=a", "", 200, `"New":"1"`},
		{"compared with none", "GET", "/v1/job/team/v/versions?diffs=true&diff_version=7", "", 404, "no version"},
		{"compared with no number", "GET", "/v1/job/team/v/versions?diffs=true&diff_version=x", "", 400, "number of a version"},
		{"versions of no job", "GET", "/v1/job/none/versions", "", 404, "job versions not found"},
		{"untag", "DELETE", "/v1/job/team/v/versions/a/tag", "", 200, `"Name":"a"`},
		{"text", "GET", "/v1/job/team/v/submission?version=1", "", 200, `"Format":"hcl2"`},
		{"text of no version", "GET", "/v1/job/team/v/submission?version=7", "", 404, "job source not found"},
		{"text of which version?", "GET", "/v1/job/team/v/submission", "", 400, "version"},
		{"revert another job", "PUT", "/v1/job/team/v/revert", `{"JobID": "x", "JobVersion": 0}`, 400, "Job ID does not match"},
		{"revert to what is there", "PUT", "/v1/job/team/v/revert", `{"JobID": "team/v", "JobVersion": 1}`, 500, "can't revert to current version"},
		{"revert to what was never there", "PUT", "/v1/job/team/v/revert", `{"JobVersion": 7}`, 500, "no version 7"},
		{"revert without a body", "PUT", "/v1/job/team/v/revert", "", 400, ""},
		{"stable", "PUT", "/v1/job/team/v/stable", `{"JobID": "team/v", "JobVersion": 1, "Stable": true}`, 200, `{"Index":`},
		{"stable, of no job", "PUT", "/v1/job/none/stable", `{"JobVersion": 1}`, 500, "job not found"},
		{"revert", "PUT", "/v1/job/team/v/revert", `{"JobID": "team/v", "JobVersion": 0}`, 200, `"EvalID":`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := a.do(c.method, c.path, c.body)
			if res.StatusCode != c.code || !strings.Contains(body, c.want) {
				t.Errorf("%d %.600s, want %d and %q", res.StatusCode, body, c.code, c.want)
			}
			if strings.HasSuffix(c.path, "/tag") && res.Header.Get("X-Nomad-Index") != "" {
				t.Error("tags are answered without an index in the header")
			}
		})
	}
	if got := a.numbers("team/v"); got != "2 1=b 0" {
		t.Errorf("versions %s", got)
	}
}

// TestTrackedVersions shows that the agent's configuration says how much of a job
// is remembered.
func TestTrackedVersions(t *testing.T) {
	a := newAgent(t, strings.Replace(serverAndClient, "server {", "server {\n job_tracked_versions = 2\n job_max_source_size = \"1KB\"\n", 1)+mockDriver)
	a.start()
	a.ready(1)
	for i := range 5 {
		a.must("job", "run", "-detach", a.file("v.hcl", versioned("v", i, 1)))
	}
	if got := a.numbers("v"); got != "4 3" {
		t.Errorf("versions %s, want the newest two", got)
	}
	out := a.must("job", "run", "-detach", a.file("v.hcl", versioned("v", 9, 1)+"# "+strings.Repeat("x", 1000)))
	if !strings.Contains(out, "exceeds maximum of 1000 bytes and will be discarded") && !strings.Contains(out, "exceeds maximum of 1024 bytes and will be discarded") {
		t.Error(out)
	}
	if res, body := a.do("GET", "/v1/job/v/submission?version=5", ""); res.StatusCode != 404 || body != "job source not found" {
		t.Errorf("the text of a job that was too long: %d %s", res.StatusCode, body)
	}
	// What outlived its versions is still known with its job.
	for _, x := range a.allocs("v") {
		if full, _, err := a.client().Allocations().Info(x.ID, nil); err != nil || full.Job == nil {
			t.Errorf("allocation %s of version %d: job %v, error %v", x.ID, x.JobVersion, full.Job, err)
		}
	}
}

// TestPreserved lets many registers that preserve counts meet with some that set
// them: no count that was set is lost.
func TestPreserved(t *testing.T) {
	a := newAgent(t, serverAndClient+mockDriver)
	a.start()
	a.ready(1)
	a.must("job", "run", "-detach", a.file("p.hcl", versioned("p", 0, 0)))
	register := func(number, count int, preserve bool) (uint64, error) {
		job, err := a.client().Jobs().ParseHCL(versioned("p", number, count), false)
		if err != nil {
			return 0, err
		}
		resp, _, err := a.client().Jobs().RegisterOpts(job, &api.RegisterOptions{PreserveCounts: preserve}, nil)
		if err != nil {
			return 0, err
		}
		return resp.JobModifyIndex, nil
	}
	var group sync.WaitGroup
	var indexes [5]uint64 // at which the count was set to 0, 1, 2, …
	for i := range 8 {
		group.Go(func() {
			if _, err := register(100+i, 50, true); err != nil && !strings.Contains(err.Error(), "Enforcing job modify index") {
				t.Error(err)
			}
		})
		if i < len(indexes) {
			group.Go(func() {
				index, err := register(200+i, i, false)
				if err != nil {
					t.Error(err)
				}
				indexes[i] = index
			})
		}
	}
	group.Wait()
	last := slices.Index(indexes[:], slices.Max(indexes[:]))
	job, _, err := a.client().Jobs().Info("p", nil)
	if err != nil || *job.TaskGroups[0].Count != last {
		t.Errorf("the count is %d (%v), want %d, to which it was set at last", *job.TaskGroups[0].Count, err, last)
	}
	if _, err := register(7, 0, false); err != nil {
		t.Fatal(err)
	}

	// Resources, and groups that are new.
	src := versioned("p", 8, 3)
	parsed, err := a.client().Jobs().ParseHCL(src, false)
	if err != nil {
		t.Fatal(err)
	}
	cpu, fresh := 777, *parsed.TaskGroups[0]
	name := "fresh"
	fresh.Name = &name
	parsed.TaskGroups[0].Tasks[0].Resources = &api.Resources{CPU: &cpu}
	parsed.TaskGroups = append(parsed.TaskGroups, &fresh)
	body, err := json.Marshal(map[string]any{"Job": parsed, "PreserveResources": true, "PreserveCounts": true})
	if err != nil {
		t.Fatal(err)
	}
	if res, text := a.do("PUT", "/v1/jobs", string(body)); res.StatusCode != 200 {
		t.Fatal(text)
	}
	job, _, err = a.client().Jobs().Info("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range job.TaskGroups {
		got = append(got, fmt.Sprintf("%s %d %d", *g.Name, *g.Count, *g.Tasks[0].Resources.CPU))
	}
	if want := []string{"g 0 100", "fresh 3 777"}; !slices.Equal(got, want) {
		t.Errorf("groups, counts and CPU are %q, want %q", got, want)
	}
}
