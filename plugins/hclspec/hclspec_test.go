package hclspec

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

var taskSpec = NewObject(map[string]*Spec{
	"command": NewRequiredAttr("command", "string"),
	"args":    NewAttr("args", "list(string)"),
	"count":   NewDefaultAttr("count", "number", "3"),
	"rate":    NewAttr("", "number"),
	"any":     NewAttr("any", "any"),
	"labels":  NewAttr("labels", "list(map(string))"),
	"logging": NewBlock("logging", NewObject(map[string]*Spec{
		"driver": NewDefaultAttr("driver", "string", `"json"`),
		"config": NewBlockAttrs("config", "string"),
	})),
	"mount": NewBlockList("mount", NewObject(map[string]*Spec{"target": NewRequiredAttr("target", "string")})),
	"set":   NewBlockSet("set", NewAttr("v", "string")),
	"named": NewBlockMap("named", []string{"name"}, NewAttr("v", "string")),
	"pair":  NewArray(NewLiteral("1"), NewAttr("second", "bool")),
})

func decode(t *testing.T, raw string, ctx *hcl.EvalContext) map[string]any {
	t.Helper()
	b, diags := Decode(taskSpec, []byte(raw), ctx)
	if diags.HasErrors() {
		t.Fatalf("decode %s: %v", raw, Err(diags))
	}
	var got map[string]any
	if err := Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDecode(t *testing.T) {
	got := decode(t, `{"command":"x","args":["a","b"],"rate":1.5,"any":["p",1],"labels":[{"a":"b"}],
		"logging":{"config":{"k":"v"}},"mount":[{"target":"/a"},{"target":"/b"}],"set":[{"v":"1"},{"v":"1"}],
		"named":{"one":{"v":"y"}},"second":true}`, nil)
	want := map[string]any{
		"command": "x", "args": []any{"a", "b"}, "count": int64(3), "rate": 1.5, "any": []any{"p", int64(1)},
		"labels":  []any{map[string]any{"a": "b"}},
		"logging": map[string]any{"driver": "json", "config": map[string]any{"k": "v"}},
		"mount":   []any{map[string]any{"target": "/a"}, map[string]any{"target": "/b"}},
		"set":     []any{"1"}, "named": map[string]any{"one": "y"}, "pair": []any{int64(1), true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
}

func TestDecodeUnset(t *testing.T) {
	got := decode(t, `{"command":"x"}`, nil)
	for _, k := range []string{"args", "rate", "any", "labels", "logging"} {
		if v, ok := got[k]; !ok || v != nil {
			t.Errorf("%s = %v, %v; want a null", k, v, ok)
		}
	}
	if _, diags := Decode(NewObject(nil), nil, nil); diags.HasErrors() {
		t.Errorf("no input: %v", diags)
	}
}

// Each case is an input and what the error has to say.
func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{`{}`, `The argument "command" is required`},
		{`{"command":"x","arg":[]}`, `Invalid label: No argument or block type is named "arg". Did you mean "args"?`},
		{`{"command":"x","zzzzz":1}`, `Invalid label: No argument or block type is named "zzzzz".`},
		{`{"command":"x","args":"y"}`, `"args"`},
		{`{"command":"x","args":["a","${nope}"]}`, `In "args[1]": `},
		{`{"command":"x","logging":{"drivr":"y"}}`, `"drivr". Did you mean "driver"?`},
		{`{"command":"x","logging":{"driver":"${nope}"}}`, `In "logging.driver": `},
		{`{"command":["x"]}`, `"command"`},
		{`{"command":`, ``},
		{`[]x`, ``},
	} {
		_, diags := Decode(taskSpec, []byte(c.raw), nil)
		err := Err(diags)
		if err == nil {
			t.Errorf("%s: no error", c.raw)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got  %v\n want %s", c.raw, err, c.want)
		}
	}
}

func TestInvalidSpecs(t *testing.T) {
	nested := NewAttr("v", "string")
	for name, s := range map[string]*Spec{
		"nil":             nil,
		"no kind":         {},
		"attr name":       NewAttr("", "string"),
		"attr type":       NewAttr("a", "strin"),
		"attr syntax":     NewAttr("a", "list("),
		"block name":      NewBlock("", nested),
		"block nested":    NewBlock("b", nil),
		"block attrs":     NewBlockAttrs("", "string"),
		"list name":       NewBlockList("", nested),
		"list nested":     NewBlockList("b", nil),
		"set name":        NewBlockSet("", nested),
		"map name":        NewBlockMap("", []string{"a"}, nested),
		"map labels":      NewBlockMap("b", nil, nested),
		"literal":         NewLiteral("${"),
		"literal var":     NewLiteral("nope"),
		"default primary": NewDefault(nil, NewLiteral("1")),
		"default passes no name": NewObject(map[string]*Spec{
			"a": NewDefault(NewAttr("", "string"), NewLiteral("1")),
		}),
	} {
		if _, diags := ToHCL(s); !diags.HasErrors() {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEvalContext(t *testing.T) {
	ctx := EvalContext(
		map[string]string{"NOMAD_JOB_NAME": "web", "a.b": "nested", "x...y": "odd", "NOMAD_META_rack": "r1"},
		map[string]string{
			"node.unique.id": "n1", "attr.kernel.name": "linux", "meta.rack": "r1",
			"attr.driver.docker": "1", "attr.driver.docker.version": "20",
		})
	for expr, want := range map[string]string{
		"${NOMAD_JOB_NAME}":                  "web",
		"${upper(NOMAD_JOB_NAME)}":           "WEB",
		`${env["NOMAD_JOB_NAME"]}-${a.b}`:    "web-nested",
		`${env["x...y"]}`:                    "odd",
		"${node.unique.id}":                  "n1",
		"${attr.kernel.name}":                "linux",
		"${node.attr.kernel.name}":           "linux",
		"${meta.rack}${node.meta.rack}":      "r1r1",
		"${attr.driver.docker.version}":      "20",
		"$${NOMAD_JOB_NAME}":                 "${NOMAD_JOB_NAME}",
		`${coalesce("", "b")}${int(1.5)}`:    "1",
		`${length(jsondecode("[1,2]"))}`:     "2",
		`${substr("hello", 1, 2)}${abs(-1)}`: "el1",
	} {
		raw := `{"command":` + quote(expr) + `}`
		if got := decode(t, raw, ctx)["command"]; got != want {
			t.Errorf("%s = %v, want %s", expr, got, want)
		}
	}
	if _, diags := Decode(taskSpec, []byte(`{"command":"${attr.driver.docker}"}`), ctx); !diags.HasErrors() {
		t.Error("an object was taken for a string")
	}
}

func quote(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	return `"` + r.Replace(s) + `"`
}

func TestUnmarshalStruct(t *testing.T) {
	b, diags := Decode(taskSpec, []byte(`{"command":"x","labels":[{"a":"b"}],"count":7}`), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var c struct {
		Command string              `codec:"command"`
		Args    []string            `codec:"args"`
		Count   int                 `codec:"count"`
		Labels  []map[string]string `codec:"labels"`
		Ignored string              `json:"any"`
	}
	if err := Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	if c.Command != "x" || c.Args != nil || c.Count != 7 || c.Labels[0]["a"] != "b" {
		t.Errorf("got %+v", c)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `{"command":"x","args":["${env[\"a\"]}"]}`, `{"named":{"a":[{"v":"1"}]}}`, `[[{}]]`, `{"a":{"b":[1,{"c":"${`} {
		f.Add([]byte(s), 3)
	}
	ctx := EvalContext(map[string]string{"a": "b"}, map[string]string{"attr.x": "y"})
	f.Fuzz(func(t *testing.T, raw []byte, offset int) {
		keyAt(raw, offset)
		b, diags := Decode(taskSpec, raw, ctx)
		if diags.HasErrors() {
			if Err(diags) == nil {
				t.Fatal("errors without text")
			}
			return
		}
		var got map[string]any
		if err := Unmarshal(b, &got); err != nil {
			t.Fatalf("can not read back: %v", err)
		}
		if len(got) != len(taskSpec.Object.Attributes) {
			t.Fatalf("%d keys of %d", len(got), len(taskSpec.Object.Attributes))
		}
	})
}
