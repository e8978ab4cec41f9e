package fields

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

func blocks(t *testing.T) []*Block {
	t.Helper()
	list, err := Blocks()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestEveryNameIsDescribed fails if a block or an argument that job files have is
// not in fields.txt, or something in fields.txt is not in job files.
func TestEveryNameIsDescribed(t *testing.T) {
	count := 0
	for _, b := range blocks(t) {
		for _, f := range b.Fields {
			if count++; f.Type == "unknown" {
				t.Errorf("%s: package jobspec does not say what it is read into", f.Paths[0])
			}
		}
	}
	if count < 300 {
		t.Errorf("only %d names", count)
	}
	for key, want := range map[string]string{"Restart.mode": "Restart.mode has no entry", "Wait": "Wait has no entry", "Group.meta": "Group.meta has no entry"} {
		entries, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		delete(entries, key)
		if _, err := join(entries); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", key, err)
		}
	}
	entries, err := parse(text + "\nRestart.moode\nNo such thing.\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := join(entries); err == nil || !strings.Contains(err.Error(), "Restart.moode is described, and is no name") {
		t.Errorf("with one too many: %v", err)
	}
}

// TestTree walks from the top level and has to come by every kind of block.
func TestTree(t *testing.T) {
	root, err := Tree()
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	var walk func(b *Block)
	walk = func(b *Block) {
		titles[b.Title] = true
		for _, f := range b.Fields {
			if f.Block != nil {
				walk(f.Block)
			}
		}
	}
	walk(root)
	if list := blocks(t); len(titles) != len(list) || list[0] != root {
		t.Errorf("%d titles of %d blocks: %v", len(titles), len(list), slices.Sorted(maps.Keys(titles)))
	}
}

func TestMalformedEntries(t *testing.T) {
	for src, want := range map[string]string{
		"A bold\nText.":                `fields.txt:1: "bold" is none of required`,
		"A range=5\nText.":             "fields.txt:1: range \"5\" is not min..max",
		"A types=cron\nText.":          "fields.txt:1: \"cron\" is no type of a job",
		"A\nText.\n\nA\nText.":         "fields.txt:4: A is described twice",
		"A\nText.\n    more":           "fields.txt:3: the line is indented, and continues nothing",
		"A required\nexample: \"x\"\n": "fields.txt: A has no text",
	} {
		if _, err := parse(src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", src, err, want)
		}
	}
}

// TestDefaults shows the type and default of each name. Commands:
//
//	defaults   of everything, in the order of the tree
func TestDefaults(t *testing.T) {
	datadriven.RunTest(t, "testdata/defaults", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd != "defaults" {
			t.Fatalf("unknown command %q", d.Cmd)
		}
		var b strings.Builder
		for _, kind := range blocks(t) {
			for _, f := range kind.Fields {
				fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%-60s %-20s %s", f.Paths[0], f.Type, f.Default), " "))
			}
		}
		return b.String()
	})
}

// TestLookup shows what names are found by. Commands:
//
//	lookup   each line of the input is a name
func TestLookup(t *testing.T) {
	datadriven.RunTest(t, "testdata/lookup", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd != "lookup" {
			t.Fatalf("unknown command %q", d.Cmd)
		}
		var b strings.Builder
		for name := range strings.SplitSeq(d.Input, "\n") {
			found, err := Lookup(name)
			if err != nil {
				fmt.Fprintf(&b, "%s: error: %v\n", name, err)
			}
			for _, f := range found {
				fmt.Fprintf(&b, "%s: %s, at %s\n", name, f.Type, strings.Join(f.Paths, ", "))
			}
		}
		return b.String()
	})
}

// TestExamples reads each example at the first place where it may stand.
func TestExamples(t *testing.T) {
	for _, b := range blocks(t) {
		for _, f := range b.Fields {
			if f.Example == "" {
				continue
			}
			example := f.Example
			if f.Argument && !f.Nested {
				example = f.Name + " = " + example
			} else if !strings.HasPrefix(example, f.Name+" ") {
				continue // of its kind, at another place
			}
			src := around(t, b, example)
			if _, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{}); err != nil {
				t.Errorf("example of %s: %v\n%s", f.Paths[0], err, src)
			}
		}
	}
}

// around writes the blocks that something of a block stands in, and what a file
// or such a block can not do without.
func around(t *testing.T, in *Block, src string) string {
	t.Helper()
	for path := in.Paths[0]; path != ""; {
		f := at(t, path)
		label := ""
		if len(f.Labels) > 0 {
			label = strconv.Quote(f.Labels[0])
		} else if f.Label != "" {
			label = `"replicas"`
		}
		if f.Name == "variable" && !strings.Contains(src, "default") {
			src += map[bool]string{true: "\ndefault = []", false: "\ndefault = 1"}[strings.Contains(src, "list(")]
		}
		if f.Name == "validation" && !strings.Contains(src, "condition") {
			src += "\ncondition = var.replicas > 0"
		} else if f.Name == "validation" && !strings.Contains(src, "error_message") {
			src += "\nerror_message = \"Wrong.\""
		}
		if path == "job.group.scaling" && !strings.Contains(src, "max ") {
			src += "\nmax = 9"
		}
		src = fmt.Sprintf("%s %s {\n%s\n}", f.Name, label, src)
		path = strings.TrimSuffix(strings.TrimSuffix(path, f.Name), ".")
	}
	if !strings.HasPrefix(src, "job ") {
		src += "\njob \"x\" {}"
	}
	return "variable \"stage\" {\ndefault = \"s\"\n}\n" + src
}

func at(t *testing.T, path string) *Field {
	t.Helper()
	for _, b := range blocks(t) {
		for _, f := range b.Fields {
			if slices.Contains(f.Paths, path) {
				return f
			}
		}
	}
	t.Fatalf("nothing stands at %s", path)
	return nil
}

// TestLimits has limits be of the type of what they limit, and defaults within.
func TestLimits(t *testing.T) {
	for _, b := range blocks(t) {
		for _, f := range b.Fields {
			if f.Values != nil && f.Type != "string" || (f.Min+f.Max != "") && f.Type != "number" && f.Type != "duration" {
				t.Errorf("%s: a %s is limited by %v %s..%s", f.Paths[0], f.Type, f.Values, f.Min, f.Max)
			}
			defaults := slices.Collect(maps.Values(f.Default.ByJobType))
			for _, d := range append(defaults, f.Default.All) {
				if err := within(f, d); err != nil {
					t.Errorf("%s: default %s: %v", f.Paths[0], d, err)
				}
			}
			if f.Example != "" && f.Argument && !f.Nested {
				if err := within(f, f.Example); err != nil {
					t.Errorf("%s: example %s: %v", f.Paths[0], f.Example, err)
				}
			}
		}
	}
}

func within(f *Field, literal string) error {
	text, err := strconv.Unquote(literal)
	if err != nil {
		text = literal
	}
	amount := func(s string) (float64, error) {
		if f.Type == "duration" {
			d, err := time.ParseDuration(s)
			return float64(d), err
		}
		return strconv.ParseFloat(s, 64)
	}
	for i, limit := range []string{f.Min, f.Max} {
		if limit == "" {
			continue
		}
		l, err := amount(limit)
		if err != nil {
			return err
		}
		x, err := amount(text)
		if err != nil {
			continue // no default, or one in words
		}
		if i == 0 && x < l || i == 1 && x > l {
			return fmt.Errorf("limit %s", limit)
		}
	}
	if literal == text || text == "" || f.Values == nil || strings.Contains(text, "\"") {
		return nil
	}
	if !slices.ContainsFunc(f.Values, func(v string) bool { return v == text }) {
		return fmt.Errorf("not among %v", f.Values)
	}
	return nil
}

// TestDefaultsInWords has fields.txt give defaults only where nomadlike.Defaults
// knows none, and the right ones where they are values.
func TestDefaultsInWords(t *testing.T) {
	entries, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(t) {
		for _, f := range b.Fields {
			if entries[b.typ.Name()+"."+f.Name] == nil || entries[b.typ.Name()+"."+f.Name].fallback == "" || f.Paths[0] == "job.type" {
				continue
			}
			if v := filled(b.typ, n.JobTypeService, f.Name); v != "" && v != "0" && v != `"0s"` {
				t.Errorf("%s: fields.txt says %s, nomadlike.Defaults %s", f.Paths[0], f.Default, v)
			}
		}
	}
	file, err := jobspec.Parse("x.hcl", []byte("job \"x\" {\ngroup \"g\" {\nnetwork {\nport \"p\" {}\n}\ntask \"t\" {\ndriver = \"d\"\n}\n}\nparameterized {}\n}"), jobspec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	job := file.Job
	_, _ = admission.Admit(job, admission.Options{})
	for path, have := range map[string]any{
		"job.type": job.Type, "job.node_pool": job.NodePool, "job.datacenters": job.Datacenters, "job.parameterized.payload": job.ParameterizedJob.Payload,
		"job.group.network.port.host_network": job.TaskGroups[0].Networks[0].DynamicPorts[0].HostNetwork,
		"job.namespace":                       job.Namespace, "job.priority": job.Priority, "job.group.count": job.TaskGroups[0].Count,
	} {
		want := fmt.Sprint(have)
		switch x := have.(type) {
		case string:
			want = strconv.Quote(x)
		case []string:
			want = fmt.Sprintf("[%q]", strings.Join(x, `", "`))
		}
		if is := at(t, path).Default.String(); is != want {
			t.Errorf("%s: described as %s, is %s", path, is, want)
		}
	}
}

func TestDefaultString(t *testing.T) {
	for want, d := range map[string]Default{
		"":  {},
		"3": {All: "3"},
		"2 (service, system), 3 (batch, sysbatch)": {ByJobType: map[string]string{"service": "2", "batch": "3", "system": "2", "sysbatch": "3"}},
		"there (service), none (batch)":            {ByJobType: map[string]string{"service": "there", "batch": ""}},
	} {
		if got := d.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", time.Hour: "1h", 90 * time.Minute: "1h30m", 30 * time.Minute: "30m", 10 * time.Second: "10s", 24 * time.Hour: "24h"} {
		if got := span(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestJobTypes has the types that may have a block be those that admission lets
// have it.
func TestJobTypes(t *testing.T) {
	for src, path := range map[string]string{
		"update {}": "job.update", "migrate {}": "job.migrate", "reschedule {}": "job.reschedule",
		"periodic {\ncrons = [\"@daily\"]\n}": "job.periodic", "parameterized {}": "job.parameterized",
		"affinity {\nattribute = \"a\"\nvalue = \"b\"\n}": "job.affinity", "spread {\nattribute = \"a\"\n}": "job.spread",
	} {
		var allowed []string
		for _, typ := range n.JobTypes {
			text := fmt.Sprintf("job \"x\" {\ntype = %q\n%s\ngroup \"g\" {\ntask \"t\" {\ndriver = \"d\"\n}\n}\n}", typ, src)
			file, err := jobspec.Parse("x.hcl", []byte(text), jobspec.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := admission.Admit(file.Job, admission.Options{}); err == nil {
				allowed = append(allowed, typ)
			}
		}
		if types := at(t, path).JobTypes; !reflect.DeepEqual(types, allowed) && cmp.Or(len(types), len(n.JobTypes)) != len(allowed) {
			t.Errorf("%s: described as for %v, allowed for %v", path, types, allowed)
		}
	}
}
