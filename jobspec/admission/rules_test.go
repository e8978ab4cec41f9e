package admission_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestRules goes through testdata/rules, where each rule for jobs is a line:
//
//	<scope>: <snippet> => <what is said of it>
//
// The snippet is what differs from a good job. Its braces and semicolons stand for
// new lines, and the scope, one of scopes, says what it is put into; "without x" in
// it leaves something out that the scope would add. Before the scope there may be the
// type of the job, and "bare" for servers without Vault and oversubscription of
// memory. Scope json is a job in the JSON of the API.
//
// What is said is "good", or problems and warnings, each with the line of the job
// that it points at after an @. The second and further ones have lines of their own.
// With -rewrite, a flag of package datadriven, the results are made anew.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules (%v)", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			switch {
			case strings.HasPrefix(line, more):
				continue // of the result, made below
			case line == "" || strings.HasPrefix(line, "#"):
				out.WriteString(line + "\n")
				continue
			}
			r, err := parseRule(line)
			if err != nil {
				t.Fatalf("%s:%d: %v", path, i+1, err)
			}
			out.WriteString(r.head + " => " + strings.Join(r.said(), "\n"+more) + "\n")
			if r.job != nil {
				again(t, r.job, r.options())
			}
		}
		if out.String() == string(text) {
			continue
		}
		if flag.Lookup("rewrite").Value.String() == "true" {
			if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s differs; see with git diff what go test ./jobspec/admission -rewrite does", path)
		differences(t, string(text), out.String())
	}
}

const more = "    => "

func differences(t *testing.T, was, is string) {
	t.Helper()
	old := strings.Split(was, "\n")
	for line := range strings.SplitSeq(is, "\n") {
		if !slices.Contains(old, line) {
			t.Errorf("now: %s", line)
		}
	}
}

// A scope is what snippets are put into.
type scope struct {
	in    string   // another scope
	block string   // the head of the block that holds the snippet
	needs []string // what the block has, unless the snippet has it
}

var scopes = map[string]scope{
	"file":  {},
	"job":   {in: "file", block: `job "j"`, needs: []string{`group "g" { task "t" { driver = "raw_exec" } }`}},
	"group": {in: "job", block: `group "g"`, needs: []string{`task "t" { driver = "raw_exec" }`}},
	"task":  {in: "group", block: `task "t"`, needs: []string{`driver = "raw_exec"`}},

	"task of networked group":  {in: "networked group", block: `task "t"`, needs: []string{`driver = "raw_exec"`, `shutdown_delay = "1s"`}},
	"networked group":          {in: "job", block: `group "g"`, needs: []string{`task "t" { driver = "raw_exec" }`, `network { mode = "bridge"; port "http" { } port "db" { static = 5432 } }`, `shutdown_delay = "1s"`}},
	"task of group of volumes": {in: "group", block: `task "t"`, needs: []string{`driver = "raw_exec"`}},

	"constraint":      {in: "group", block: `constraint`, needs: []string{`attribute = "${attr.x}"`, `value = "1"`}},
	"task constraint": {in: "task", block: `constraint`, needs: []string{`attribute = "${attr.x}"`, `value = "1"`}},
	"affinity":        {in: "group", block: `affinity`, needs: []string{`attribute = "${attr.x}"`, `value = "1"`}},
	"spread":          {in: "group", block: `spread`, needs: []string{`attribute = "${node.datacenter}"`}},

	"restart":        {in: "group", block: `restart`},
	"reschedule":     {in: "group", block: `reschedule`},
	"limited":        {in: "group", block: `reschedule`, needs: []string{`unlimited = false`, `attempts = 3`, `interval = "1h"`, `delay = "10s"`, `max_delay = "1h"`}},
	"update":         {in: "group", block: `update`},
	"migrate":        {in: "group", block: `migrate`},
	"disconnect":     {in: "group", block: `disconnect`},
	"ephemeral_disk": {in: "group", block: `ephemeral_disk`},
	"scaling":        {in: "group", block: `scaling`, needs: []string{`max = 10`}},
	"periodic":       {in: "job", block: `periodic`, needs: []string{}},
	"parameterized":  {in: "job", block: `parameterized`},

	"network":             {in: "group", block: `network`},
	"port":                {in: "network", block: `port "p"`},
	"host":                {in: "group", block: `volume "v"`, needs: []string{`type = "host"`, `source = "s"`}},
	"csi":                 {in: "group", block: `volume "v"`, needs: []string{`type = "csi"`, `source = "s"`, `access_mode = "single-node-writer"`, `attachment_mode = "file-system"`}},
	"group with a volume": {in: "job", block: `group "g"`, needs: []string{`volume "v" { type = "host"; source = "s" }`, `task "t" { driver = "raw_exec" }`}},
	"task with a volume":  {in: "group with a volume", block: `task "t"`, needs: []string{`driver = "raw_exec"`}},
	"volume_mount":        {in: "task with a volume", block: `volume_mount`, needs: []string{`volume = "v"`, `destination = "/v"`}},

	"resources":  {in: "task", block: `resources`},
	"device":     {in: "resources", block: `device "nvidia/gpu"`},
	"logs":       {in: "task", block: `logs`},
	"lifecycle":  {in: "group", block: `task "u" { driver = "raw_exec" } task "t"`, needs: []string{`driver = "raw_exec"`}},
	"action":     {in: "task", block: `action "a"`, needs: []string{`command = "c"`}},
	"csi_plugin": {in: "task", block: `csi_plugin`, needs: []string{`id = "i"`, `type = "node"`}},
	"artifact":   {in: "task", block: `artifact`, needs: []string{`source = "https://a/b.zip"`}},
	"template":   {in: "task", block: `template`, needs: []string{`data = "x"`, `destination = "local/x"`}},
	"vault":      {in: "task", block: `vault`},
	"secret":     {in: "task", block: `secret "s"`, needs: []string{`provider = "nomad"`, `path = "a/b"`}},
	"identity":   {in: "task", block: `identity`, needs: []string{`name = "i"`, `aud = ["a"]`, `ttl = "1h"`}},

	"service":             {in: "networked group", block: `service`, needs: []string{`name = "s"`, `port = "http"`}},
	"nomad service":       {in: "networked group", block: `service`, needs: []string{`provider = "nomad"`, `name = "s"`, `port = "http"`}},
	"service in task":     {in: "task of networked group", block: `service`, needs: []string{`name = "s"`, `port = "http"`}},
	"check":               {in: "service", block: `check`, needs: checkNeeds},
	"nomad check":         {in: "nomad service", block: `check`, needs: checkNeeds},
	"check in task":       {in: "service in task", block: `check`, needs: checkNeeds},
	"check of a sidecar":  {in: "sidecared", block: `check`, needs: checkNeeds},
	"sidecared":           {in: "networked group", block: `service`, needs: []string{`name = "s"`, `port = "http"`, `connect { sidecar_service { } }`}},
	"connect":             {in: "service", block: `connect`},
	"sidecar_service":     {in: "connect", block: `sidecar_service`},
	"proxy":               {in: "sidecar_service", block: `proxy`},
	"upstreams":           {in: "proxy", block: `upstreams`, needs: []string{`destination_name = "d"`, `local_bind_port = 99`}},
	"transparent_proxy":   {in: "proxy", block: `transparent_proxy`},
	"gateway":             {in: "connect", block: `gateway`},
	"gateway proxy":       {in: "gateway", block: `proxy`, needs: []string{}},
	"ingress":             {in: "gateway", block: `ingress`},
	"listener":            {in: "ingress", block: `listener`, needs: []string{`port = 80`, `service { name = "a" }`}},
	"terminating":         {in: "gateway", block: `terminating`},
	"terminating service": {in: "terminating", block: `service`, needs: []string{`name = "a"`}},
}

var checkNeeds = []string{`type = "http"`, `path = "/"`, `interval = "10s"`, `timeout = "2s"`}

// A rule is a line.
type rule struct {
	head, scope, snippet string
	jobType              string
	bare                 bool
	job                  *n.Job // when it was admitted
}

func (r *rule) options() admission.Options {
	return admission.Options{Vault: !r.bare, MemoryOversubscription: !r.bare}
}

func parseRule(line string) (*rule, error) {
	head, _, ok := strings.Cut(line, " => ")
	if !ok {
		head = strings.TrimSuffix(line, " =>")
	}
	r := &rule{head: head}
	r.scope, r.snippet, ok = strings.Cut(head, ":")
	if !ok {
		return nil, fmt.Errorf("%q has no scope", line)
	}
	if rest, ok := strings.CutPrefix(r.scope, "bare "); ok {
		r.bare, r.scope = true, rest
	}
	for _, kind := range n.JobTypes {
		if rest, ok := strings.CutPrefix(r.scope, kind+" "); ok && scopes[r.scope].block == "" {
			r.jobType, r.scope = kind, rest
		}
	}
	if _, ok := scopes[r.scope]; !ok && r.scope != "json" {
		return nil, fmt.Errorf("unknown scope %q", r.scope)
	}
	return r, nil
}

// said is what is said of the job.
func (r *rule) said() []string {
	if r.scope == "json" {
		job, err := jobspec.DecodeJSON([]byte(r.snippet))
		if err != nil {
			return []string{"json: " + err.Error()}
		}
		return r.admit(job, func(path string) string { return path })
	}
	src := r.source()
	file, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{})
	lines := strings.Split(src, "\n")
	line := func(at hcl.Range) string { return strings.TrimSpace(lines[at.Start.Line-1]) }
	if err != nil {
		var out []string
		for _, d := range err.(*jobspec.Error).Diagnostics { //nolint:errorlint // Parse returns it bare
			out = append(out, "parse: "+d.Summary+"; "+d.Detail+" @ "+line(*d.Subject))
		}
		return out
	}
	var out []string
	for _, w := range file.Warnings {
		out = append(out, "parse warning: "+w.Summary+"; "+w.Detail+" @ "+line(*w.Subject))
	}
	said := r.admit(file.Job, func(path string) string {
		at, ok := file.Places.Of(path)
		if !ok {
			return "?"
		}
		return line(at)
	})
	if len(out) > 0 && said[0] == "good" {
		return out
	}
	return append(out, said...)
}

func (r *rule) admit(job *n.Job, place func(string) string) (out []string) {
	warnings, err := admission.Admit(job, r.options())
	if err == nil {
		r.job = job
	}
	for _, p := range admission.Problems(err) {
		out = append(out, p.Text+" @ "+place(p.Path))
	}
	for _, w := range warnings {
		out = append(out, "warning: "+w.Text+" @ "+place(w.Path))
	}
	if len(out) == 0 {
		return []string{"good"}
	}
	return out
}

// source is the job file around the snippet.
func (r *rule) source() string {
	body := layout(strings.TrimSpace(r.snippet))
	for name := r.scope; name != "file"; name = scopes[name].in {
		s := scopes[name]
		present := statements(body)
		kept := slices.DeleteFunc(strings.Split(body, "\n"), func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "without ") })
		body = strings.Join(kept, "\n")
		if name == "job" && r.jobType != "" {
			body = "type = \"" + r.jobType + "\"\n" + body
		}
		for _, need := range s.needs {
			if !present[strings.Fields(need)[0]] {
				body += "\n" + layout(need)
			}
		}
		body = layout(s.block) + " {\n" + body + "\n}"
	}
	return body
}

// statements are the first words of those of a body, and what it is without.
func statements(body string) map[string]bool {
	out := map[string]bool{}
	depth := 0
	for line := range strings.SplitSeq(body, "\n") {
		words := strings.Fields(line)
		if depth == 0 && len(words) > 0 {
			out[words[0]] = true
			if words[0] == "without" && len(words) > 1 {
				out[words[1]] = true
			}
		}
		bare := quoted.ReplaceAllString(line, "")
		depth += strings.Count(bare, "{") - strings.Count(bare, "}")
	}
	return out
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// layout breaks a snippet into lines, but within quotes.
func layout(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		if r == '"' {
			inside = !inside
		}
		switch {
		case inside:
			b.WriteRune(r)
		case r == '{':
			b.WriteString("{\n")
		case r == '}':
			b.WriteString("\n}\n")
		case r == ';':
			b.WriteByte('\n')
		default:
			b.WriteRune(r)
		}
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}
