package fields

import (
	"bytes"
	"encoding/json"
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

	"github.com/nomadlike/nomadlike/jobspec"
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
			says := verdict(schema.Validate(doc))
			if err := readable(src); err != nil && says == "good" {
				says += fmt.Sprintf(", and yet: %v", err)
			}
			fmt.Fprintln(&b, says)
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

// TestSchemaTakesWhatIsDescribed has every example and every default be good where
// it may stand, and something strange wrong there.
func TestSchemaTakesWhatIsDescribed(t *testing.T) {
	schema := compiled(t)
	checked := 0
	for _, b := range blocks(t) {
		for _, f := range b.Fields {
			if !f.Argument || f.Nested || len(f.Paths) == 0 {
				continue
			}
			for _, src := range []string{f.Example, f.Default.All} {
				value, err := jsonschema.UnmarshalJSON(strings.NewReader(src))
				if err != nil {
					continue // in words, or of HCL alone
				}
				checked++
				doc := document(t, f, value)
				if err := schema.Validate(doc); err != nil {
					t.Errorf("%s = %s: %s", f.Paths[0], src, verdict(err))
				}
				text, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				if err := readable(string(text)); err != nil {
					t.Errorf("%s = %s is good by the schema, and yet: %v", f.Paths[0], src, err)
				}
			}
			strange := map[string]any{"a": []any{map[string]any{}}}
			if f.Type != "any value" && schema.Validate(document(t, f, strange)) == nil {
				t.Errorf("%s = %v is taken", f.Paths[0], strange)
			}
			nameless := *f
			nameless.Name = "nonesuch"
			if schema.Validate(document(t, &nameless, "x")) == nil {
				t.Errorf("%s: a sibling that does not exist is taken", f.Paths[0])
			}
		}
	}
	if checked < 300 {
		t.Errorf("only %d values", checked)
	}
}

// readable reads a file, but for one that needs variables.
func readable(src string) error {
	if strings.Contains(src, "${var.") || strings.Contains(src, `"variable":`) && !strings.Contains(src, `"default":`) {
		return nil
	}
	_, err := jobspec.Parse("x.json", []byte(src), jobspec.Options{})
	return err
}

// document is a file with an argument at the first of its places, and what the
// blocks around it can not do without.
func document(t *testing.T, f *Field, value any) any {
	t.Helper()
	name := f.Name
	path, _ := cutLast(f.Paths[0])
	for path != "" {
		around := at(t, path)
		content := map[string]any{}
		for _, other := range around.Block.Fields {
			if other.Required {
				v, err := jsonschema.UnmarshalJSON(strings.NewReader(other.Example))
				if err != nil {
					v = "${var.x}"
				}
				content[other.Name] = v
			}
		}
		if path == "job.group.scaling" {
			content["max"] = 10
		}
		content[name] = value
		value = content
		switch {
		case around.Labels != nil:
			value = map[string]any{around.Labels[0]: content}
		case around.Label != "":
			value = map[string]any{"x": content}
		}
		path, name = cutLast(path)
	}
	file := map[string]any{"job": map[string]any{"x": map[string]any{}}}
	file[name] = value
	return file
}

// cutLast parts a path from its last name.
func cutLast(path string) (before, name string) {
	i := strings.LastIndex(path, ".")
	return path[:max(i, 0)], path[i+1:]
}

// TestSchemaTakesWhatIsRead has the schema take the files of package jobspec's own
// tests that are read without a complaint.
func TestSchemaTakesWhatIsRead(t *testing.T) {
	schema := compiled(t)
	read := 0
	datadriven.RunTest(t, filepath.Join("..", "testdata", "hcljson"), func(_ *testing.T, d *datadriven.TestData) string {
		if _, err := jobspec.Parse("x.json", []byte(d.Input), jobspec.Options{}); err != nil {
			return d.Expected
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(d.Input))
		if err != nil {
			return d.Expected
		}
		read++
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %s", d.Pos, verdict(err))
		}
		return d.Expected
	})
	if read == 0 {
		t.Error("no file was read")
	}
}
