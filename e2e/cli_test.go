package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestCommandLine shows what commands print and how they exit, on one agent for
// each file of testdata/cli. What differs from run to run is masked. Commands:
//
//	file name=<name>        writes a file
//	cli                     a command line after "nomadlike"; {alloc}, {eval}, {deployment} and {node} stand for the newest ids
//	wait job= status=       until the job has so many allocations that run, e.g. running=2, or none and status=dead
func TestCommandLine(t *testing.T) {
	datadriven.Walk(t, "testdata/cli", func(t *testing.T, path string) {
		a := newAgent(t, serverAndClient+"plugin \"mock_driver\" {\n config {\n enabled = true\n }\n}\n")
		a.start()
		a.ready(1)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			arg := func(name string) (s string) {
				d.MaybeScanArgs(t, name, &s)
				return s
			}
			switch d.Cmd {
			case "file":
				a.file(arg("name"), d.Input+"\n")
				return ""
			case "cli":
				out, code := a.cli(strings.Fields(a.named(d.Input))...)
				out = a.mask(out)
				if code != 0 {
					out += fmt.Sprintf("exit code %d\n", code)
				}
				return out
			case "wait":
				a.await(arg("job"), arg("status"), arg("allocs"))
				return ""
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}

// await waits for a job to have a status, and for its allocations' statuses.
func (a *agent) await(job, status, allocs string) {
	a.t.Helper()
	eventually(a.t, 30*time.Second, job+" is "+status+" "+allocs, func() error {
		j, _, err := a.client().Jobs().Info(job, nil)
		if err != nil {
			return err
		}
		var have []string
		for _, x := range a.allocs(job) {
			have = append(have, x.ClientStatus)
		}
		if d, _, err := a.client().Jobs().LatestDeployment(job, nil); err != nil || d != nil && d.Status == "running" {
			return fmt.Errorf("its deployment runs (%v)", err)
		}
		if *j.Status != status || allocs != "" && strings.Join(have, "+") != allocs {
			return fmt.Errorf("it is %s with %v", *j.Status, have)
		}
		return nil
	})
	time.Sleep(300 * time.Millisecond) // the news of it has arrived everywhere
}

// named puts ids and paths where a command line has names for them.
func (a *agent) named(line string) string {
	a.t.Helper()
	c := a.client()
	for name, id := range map[string]func() (string, error){
		"{alloc}": func() (string, error) {
			all, _, err := c.Allocations().List(nil)
			if err != nil || len(all) == 0 {
				return "", fmt.Errorf("no allocations: %w", err)
			}
			newest := all[0]
			for _, x := range all {
				if x.CreateIndex > newest.CreateIndex {
					newest = x
				}
			}
			return newest.ID, nil
		},
		"{deployment}": func() (string, error) {
			all, _, err := c.Deployments().List(nil)
			if err != nil || len(all) == 0 {
				return "", fmt.Errorf("no deployments: %w", err)
			}
			return all[0].ID, nil
		},
		"{eval}": func() (string, error) {
			all, _, err := c.Evaluations().List(nil)
			if err != nil || len(all) == 0 {
				return "", fmt.Errorf("no evaluations: %w", err)
			}
			newest := all[0]
			for _, x := range all {
				if x.CreateIndex > newest.CreateIndex {
					newest = x
				}
			}
			return newest.ID, nil
		},
		"{node}": func() (string, error) {
			all, _, err := c.Nodes().List(nil)
			if err != nil || len(all) == 0 {
				return "", fmt.Errorf("no nodes: %w", err)
			}
			return all[0].ID, nil
		},
	} {
		if !strings.Contains(line, name) {
			continue
		}
		value, err := id()
		if err != nil {
			a.t.Fatal(err)
		}
		line = strings.ReplaceAll(line, name, value)
	}
	return strings.ReplaceAll(line, "{dir}", a.dir)
}

var masks = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uuid>"},
	{regexp.MustCompile(`\b[0-9a-f]{8}\b`), "<id>"},
	{regexp.MustCompile(`\b(periodic|dispatch)-(\w+-)?\d{10}\b`), "${1}-${2}<unix>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`), "<time>"},
	{regexp.MustCompile(`\b(\d+[hms])+( ago)?\b|<none>`), "<span>"},
	{regexp.MustCompile(`(127\.0\.0\.1) +\d+`), "${1}  <port>"},
	{regexp.MustCompile(`\b127\.0\.0\.1:\d+`), "<addr>"},
	{regexp.MustCompile(`[\d.]+/[\d.]+ (MHz|GHz)`), "<cpu>"},
	{regexp.MustCompile(`[\d.]+ ?[KMG]?i?B/[\d.]+ [KMG]iB`), "<bytes>"},
	{regexp.MustCompile(`(?i)(modify index: |-check-index |Uptime *= |"(Create|Modify|JobModify)Index": )\d+`), "${1}<n>"},
	{regexp.MustCompile(`\d+ (MB|MHz) when it is empty`), "<size> when it is empty"},
	{regexp.MustCompile(`(1000000000 MB +)\d+ MB`), "${1}<size>"},
	{regexp.MustCompile(` {2,}`), "  "}, // columns are as wide as what was masked
}

// mask replaces what differs from run to run.
func (a *agent) mask(out string) string {
	out = strings.ReplaceAll(out, a.dir, "<dir>")
	if host, err := os.Hostname(); err == nil {
		out = regexp.MustCompile(`\b`+regexp.QuoteMeta(host)+`\b`).ReplaceAllString(out, "<host>")
	}
	for _, m := range masks {
		out = m.what.ReplaceAllString(out, m.with)
	}
	lines := strings.Split(out, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
