package admission_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestAdds shows what admission changes of a job: each field that is different
// afterwards, but for what many jobs get, which is shown with "all". The commands are the scopes of TestRules, with - for spaces and
// the text as there, but on several lines. "identities" has the servers' configuration
// have identities for Consul and Vault; "json" is a job in the JSON of the API.
//
// Each of the jobs, admitted again, must stay as it is.
func TestAdds(t *testing.T) {
	datadriven.Walk(t, "testdata/adds", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			r := &rule{scope: strings.ReplaceAll(d.Cmd, "-", " "), snippet: strings.ReplaceAll(d.Input, "\n", ";")}
			if _, ok := scopes[r.scope]; !ok && d.Cmd != "json" {
				t.Fatalf("%s: unknown scope", d.Pos)
			}
			read := func() *n.Job {
				if d.Cmd == "json" {
					job, err := jobspec.DecodeJSON([]byte(d.Input))
					if err != nil {
						t.Fatalf("%s: %v", d.Pos, err)
					}
					return job
				}
				file, err := jobspec.Parse("x.hcl", []byte(r.source()), jobspec.Options{})
				if err != nil {
					t.Fatalf("%s: %v\n%s", d.Pos, err, r.source())
				}
				return file.Job
			}
			o := admission.Options{Vault: true, MemoryOversubscription: true}
			if d.HasArg("identities") {
				o.ConsulServiceIdentity = &n.Identity{Audience: []string{"consul.io"}, TTL: time.Hour}
				o.ConsulTaskIdentity = &n.Identity{Audience: []string{"consul.io"}, TTL: time.Hour}
				o.VaultTaskIdentity = &n.Identity{Audience: []string{"vault.io"}, TTL: time.Hour}
			}
			before, after := read(), read()
			if _, err := admission.Admit(after, o); err != nil {
				return err.Error() + "\n"
			}
			again(t, after, o)
			out := changes(t, before, after)
			if !d.HasArg("all") {
				out = slices.DeleteFunc(out, usual)
			}
			if len(out) == 0 {
				return "nothing\n"
			}
			return strings.Join(out, "\n") + "\n"
		})
	})
}

// usual reports what happens to each job.
func usual(line string) bool {
	for _, field := range []string{
		"+ Datacenters[00] = \"*\"", "+ NodePool = ", ".Identity.Name = \"default\"", ".Identity.Audience[00] = \"nomadproject.io\"", "- Update.",
		".HostNetwork = \"default\"", "{attr.plugins.cni.version.", ".Config.args[", "+ TaskGroups[00].Tasks[01].RestartPolicy.",
	} {
		if strings.Contains(line, field) {
			return true
		}
	}
	return false
}

// again admits a job that was admitted before, as it comes back in JSON when
// somebody inspects it and registers it again: that must change nothing.
func again(t *testing.T, job *n.Job, o admission.Options) {
	t.Helper()
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	back, err := jobspec.DecodeJSON(text)
	if err != nil {
		t.Errorf("%v\n%s", err, text)
		return
	}
	if _, err := admission.Admit(back, o); err != nil {
		t.Errorf("refused the second time: %v\n%s", err, text)
		return
	}
	if diff := cmp.Diff(job, back); diff != "" {
		t.Errorf("changed the second time:\n%s\n%s", diff, text)
	}
}

// changes lists the fields that differ.
func changes(t *testing.T, before, after *n.Job) (out []string) {
	t.Helper()
	old, now := fields(t, before), fields(t, after)
	for _, path := range slices.Sorted(maps.Keys(old)) {
		if _, ok := now[path]; !ok {
			out = append(out, "- "+path+" = "+old[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(now)) {
		switch was, ok := old[path]; {
		case !ok:
			out = append(out, "+ "+path+" = "+now[path])
		case was != now[path]:
			out = append(out, "~ "+path+" = "+now[path]+", was "+was)
		}
	}
	return out
}

// fields are those of a job that are not empty. A constraint is one field.
func fields(t *testing.T, job *n.Job) map[string]string {
	t.Helper()
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	flatten(out, "", v)
	return out
}

func flatten(out map[string]string, path string, v any) {
	switch x := v.(type) {
	case map[string]any:
		if l, ok := x["LTarget"]; ok && x["Weight"] == nil {
			out[path] = fmt.Sprint(l, " ", x["Operand"], " ", x["RTarget"])
			return
		}
		for k, e := range x {
			flatten(out, strings.TrimPrefix(path+"."+k, "."), e)
		}
	case []any:
		for i, e := range x {
			flatten(out, fmt.Sprintf("%s[%02d]", path, i), e)
		}
	case nil:
	default:
		if x != "" && x != 0.0 && x != false {
			b, _ := json.Marshal(x)
			out[path] = string(b)
		}
	}
}
