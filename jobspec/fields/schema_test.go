package fields

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// TestPublished fails if docs/ is not what fields.txt and the types make today.
// With -rewrite, a flag of package datadriven, it is made anew.
func TestPublished(t *testing.T) {
	for name, write := range map[string]func() ([]byte, error){"job.schema.json": Schema, "jobspec.md": Page} {
		want, err := write()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("..", "..", "docs", name)
		if flag.Lookup("rewrite").Value.String() == "true" {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(have, want) {
			t.Errorf("docs/%s is out of date: go test ./jobspec/fields -rewrite", name)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("job.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("job.json") // fails if the schema itself is not valid
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchema shows what the schema says of documents. Commands, each with JSON as
// its input:
//
//	file    a whole file
//	job     the inside of a job, which has a group with a task unless it says otherwise
//	group   the inside of a group, with a task
//	task    the inside of a task
func TestSchema(t *testing.T) {
	schema := compiled(t)
	datadriven.RunTest(t, "testdata/schema", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		for line := range strings.SplitSeq(d.Input, "\n") {
			src := line
			switch d.Cmd {
			case "task":
				src = fmt.Sprintf(`{"job":{"j":{"group":{"g":{"task":{"t":{"driver":"d", %s}}}}}}}`, src)
			case "group":
				src = fmt.Sprintf(`{"job":{"j":{"group":{"g":{"task":{"t":{"driver":"d"}}, %s}}}}}`, src)
			case "job":
				src = fmt.Sprintf(`{"job":{"j":{%s}}}`, src)
			case "file":
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(src))
			if err != nil {
				t.Fatalf("%s: %s: %v", d.Pos, line, err)
			}
			fmt.Fprintln(&b, verdict(schema.Validate(doc)))
		}
		return b.String()
	})
}

// verdict is the deepest error, which is what is wrong rather than what of that
// follows for the blocks around it.
func verdict(err error) string {
	if err == nil {
		return "good"
	}
	var deepest *jsonschema.ValidationError
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 && (deepest == nil || weight(e) > weight(deepest)) {
			deepest = e
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(err.(*jsonschema.ValidationError))
	return "/" + strings.Join(deepest.InstanceLocation, "/") + ": " + deepest.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

// weight prefers deep errors, and those that are not about one or several blocks.
func weight(e *jsonschema.ValidationError) int {
	w := 2 * len(e.InstanceLocation)
	if k, ok := e.ErrorKind.(*kind.Type); !ok || k.Want[0] != "array" && k.Want[0] != "object" {
		w++
	}
	return w
}
