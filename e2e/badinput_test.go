package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const goodJob = `
job "j" {
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/true"
      }
    }
  }
}
`

// TestBadJobs shows that bad job files are refused with a clear error, and that
// nothing changes.
func TestBadJobs(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	replace := func(old, new string) string { return strings.Replace(goodJob, old, new, 1) }
	for _, c := range []struct{ name, file, want string }{
		{"malformed", replace(`driver = "raw_exec"`, `driver = "raw_exec`), "malformed.hcl:5"},
		{"unknown field", replace(`driver = "raw_exec"`, "drivr = \"raw_exec\""), `did you mean "driver"?`},
		{"unknown block", replace("group \"g\"", "grupo \"g\""), `did you mean "group"?`},
		{"wrong type", replace(`group "g" {`, "group \"g\" {\n count = \"many\""), `it takes a whole number, not the text "many"`},
		{"no groups", `job "j" {}`, "the job has no groups"},
		{"no job", ``, `the file needs a block job "<id>"`},
		{"unknown driver", replace("raw_exec", "nonesuch"), "missing drivers"},
		{"negative count", replace(`group "g" {`, "group \"g\" {\n count = -1"), "count is -1 and must not be negative"},
		{"impossible port", replace(`group "g" {`, "group \"g\" {\n network {\n port \"p\" {\n static = 70000\n }\n }"), `port "p": static is 70000 and must be between 1 and 65535`},
		{"too large", "# " + strings.Repeat("x", 10<<20), "too many for a job file"},
		{"no Vault", replace(`driver = "raw_exec"`, "driver = \"raw_exec\"\n vault {}"), "the servers know no Vault"},
		{"not there yet", replace(`driver = "raw_exec"`, "driver = \"raw_exec\"\n csi_plugin {\n id = \"x\"\n type = \"node\"\n }"), "csi_plugin is not available in this version yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := a.file(c.name+".hcl", c.file)
			if c.name == "unknown driver" { // another node may have it tomorrow
				out, code := a.cli("job", "plan", path)
				if code != 1 || !strings.Contains(out, c.want) {
					t.Errorf("exit code %d\n%s", code, out)
				}
				return
			}
			out, code := a.cli("job", "run", "-detach", path)
			if code != 1 || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want 1 and %q:\n%.2000s", code, c.want, out)
			}
		})
	}
	if jobs, _, err := a.client().Jobs().List(nil); err != nil || len(jobs) > 0 {
		t.Errorf("%d jobs were registered, error %v", len(jobs), err)
	}
}

// TestBadRequests shows what the HTTP API says to what it can not understand.
func TestBadRequests(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	for _, c := range []struct {
		name, method, path, body string
		code                     int
		want                     string
	}{
		{"unknown route", "GET", "/v1/nonesuch", "", 404, ""},
		{"wrong method", "PATCH", "/v1/jobs", "", 405, "Invalid method"},
		{"invalid JSON", "PUT", "/v1/jobs", "{", 400, "JSON"},
		{"wrong type", "PUT", "/v1/jobs", `{"Job": {"ID": 3}}`, 400, "Job.ID: it takes a string, not a number"},
		{"no job", "PUT", "/v1/jobs", `{}`, 400, "Job must be specified"},
		{"huge body", "PUT", "/v1/jobs", `{"Job": {"ID": "` + strings.Repeat("x", 17<<20) + `"}}`, 413, "larger than"},
		{"bad job file", "PUT", "/v1/jobs/parse", `{"JobHCL": "job {"}`, 400, "Failed to parse job"},
		{"bad index", "GET", "/v1/jobs?index=x", "", 400, "Invalid index"},
		{"unknown job", "GET", "/v1/job/nonesuch", "", 404, "job not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest(c.method, a.addr()+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.code || !strings.Contains(string(body), c.want) {
				t.Errorf("%d %.500s, want %d and %q", res.StatusCode, body, c.code, c.want)
			}
		})
	}
}

// refuses starts an agent that must not start, and returns what it says.
func (a *agent) refuses(args ...string) string {
	a.t.Helper()
	a.start(args...)
	select {
	case <-a.exited:
	case <-time.After(15 * time.Second):
		a.t.Fatal("the agent started all the same")
	}
	if code := a.cmd.ProcessState.ExitCode(); code != 1 {
		a.t.Errorf("exit code %d", code)
	}
	a.cmd = nil
	out, err := os.ReadFile(a.log())
	if err != nil {
		a.t.Fatal(err)
	}
	return string(out)
}

func wants(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(out, p) {
			t.Errorf("it does not say %q:\n%s", p, out)
		}
	}
}

func TestPortInUse(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	b := newAgent(t, serverAndClient)
	text, _ := os.ReadFile(b.config)
	b.write(b.config, strings.ReplaceAll(string(text), "http = "+itoa(b.ports[0]), "http = "+itoa(a.ports[0])))
	wants(t, b.refuses(), "http port", "address already in use", "ports {")
}

func TestSecondAgentOnOneDirectory(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	b := newAgent(t, serverAndClient)
	text, _ := os.ReadFile(b.config)
	b.write(b.config, strings.ReplaceAll(string(text), b.dir+"/data", a.dir+"/data"))
	wants(t, b.refuses(), a.dir+"/data", "belongs to a running agent", "data_dir")
}

func TestDirectoryWithoutPermission(t *testing.T) {
	a := newAgent(t, serverAndClient)
	// Root may do everything but make a directory in a file.
	a.write(a.dir+"/data", "")
	wants(t, a.refuses(), "data directory", a.dir+"/data")
}

func TestBadConfiguration(t *testing.T) {
	a := newAgent(t, serverAndClient+"\nservr {}\n")
	wants(t, a.refuses(), "agent.hcl:", "servr", "server")
}

// TestCorruptJournal shows that an agent names a journal that it can not read,
// says what to do, and leaves it as it is.
func TestCorruptJournal(t *testing.T) {
	a := newAgent(t, serverAndClient)
	a.start()
	a.ready(1)
	a.must("job", "run", "-detach", a.file("w.hcl", jobOf("w", "raw_exec", configs("")["raw_exec"], 1)))
	a.running("w", 1)
	a.kill()
	path := filepath.Join(a.dir, "data/client/state.db")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	for i := range bad {
		bad[i] ^= 0x5a
	}
	a.write(path, string(bad))
	wants(t, a.refuses(), path)
	if now, _ := os.ReadFile(path); !bytes.Equal(now, bad) {
		t.Error("the journal was changed")
	}
	a.write(path, string(good))
	a.start()
	a.ready(1)
	a.running("w", 1)
	a.must("job", "stop", "-purge", "w")
}
