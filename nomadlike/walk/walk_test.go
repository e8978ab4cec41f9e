package walk_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

type (
	id string

	job struct {
		ID       id     `hcl:",label"`
		Index    uint64 `update:"ignore"`
		Priority int    `update:"inplace"`
		Zones    []string
		Meta     map[string]string
		Groups   []*group
		Parent   *job
	}
	group struct {
		Name  string `hcl:",label"`
		Count int    `update:"inplace"`
		Tasks []task
		Links map[id]*link
	}
	task struct {
		Name    string `hcl:",label"`
		Config  raw
		Env     map[string]string
		Rules   []rule
		Restart *restart `update:"inplace"`
		At      time.Time
		Addr    netip.Addr
		Common
		Ports [2]int
		Extra any
	}
	Common  struct{ User string }
	raw     []byte
	rule    struct{ Left, Op, Right string }
	link    struct{ To []string }
	restart struct {
		Attempts int
		Delay    time.Duration
	}
)

func sample() job {
	return job{
		ID: "j", Priority: 50, Zones: []string{"a", "b"}, Meta: map[string]string{"k": "v"},
		Groups: []*group{{Name: "g", Count: 2, Links: map[id]*link{"db": {To: []string{"x"}}}, Tasks: []task{
			{Name: "srv", Config: raw(`{"image":"x"}`), Env: map[string]string{"PORT": "1"}, Rules: []rule{{"a", "=", "b"}}, Restart: &restart{3, time.Second}, At: time.Unix(1, 0)},
			{Name: "log", Extra: []string{"dyn"}},
		}}},
	}
}

func TestCloneSharesNothing(t *testing.T) {
	var v job
	walk.Fill(&v, 0)
	before := fmt.Sprintf("%+v", dump(v))
	c := walk.Clone(v)
	if !reflect.DeepEqual(v, c) {
		t.Fatal("the clone differs")
	}
	if shared := sharing(v, c); len(shared) != 0 {
		t.Errorf("shared: %v", shared)
	}
	c.Groups[0].Tasks[0].Env["new"] = "x"
	c.Groups[0].Links["new"] = nil
	c.Groups[0].Tasks[0].Config[0] = 'X'
	if fmt.Sprintf("%+v", dump(v)) != before {
		t.Error("changing the clone changed the original")
	}
}

func TestCloneKeepsNilAndEmpty(t *testing.T) {
	in := job{Zones: []string{}, Meta: map[string]string{}, Groups: []*group{nil, {Tasks: []task{}}}}
	if out := walk.Clone(in); !reflect.DeepEqual(in, out) {
		t.Errorf("%#v became %#v", in, out)
	}
	if out := walk.Clone(job{}); !reflect.DeepEqual(out, job{}) {
		t.Errorf("zero became %#v", out)
	}
}

func TestEqual(t *testing.T) {
	for name, change := range map[string]func(*job){
		"scalar":      func(j *job) { j.Priority++ },
		"ignored":     func(j *job) { j.Index++ },
		"slice":       func(j *job) { j.Zones[1] = "c" },
		"longer":      func(j *job) { j.Zones = append(j.Zones, "c") },
		"map value":   func(j *job) { j.Meta["k"] = "w" },
		"map key":     func(j *job) { j.Meta = map[string]string{"l": "v"} },
		"pointer map": func(j *job) { j.Groups[0].Links["db"].To[0] = "y" },
		"map nil":     func(j *job) { j.Groups[0].Links["db"] = nil },
		"bytes":       func(j *job) { j.Groups[0].Tasks[0].Config[0] = ' ' },
		"pointer":     func(j *job) { j.Groups[0].Tasks[0].Restart = nil },
		"below":       func(j *job) { j.Groups[0].Tasks[0].Restart.Attempts++ },
		"time":        func(j *job) { j.Groups[0].Tasks[0].At = time.Unix(2, 0) },
		"array":       func(j *job) { j.Groups[0].Tasks[0].Ports[1] = 3 },
		"dynamic":     func(j *job) { j.Groups[0].Tasks[1].Extra = []string{"other"} },
		"other type":  func(j *job) { j.Groups[0].Tasks[1].Extra = 3 },
		"order":       func(j *job) { slices.Reverse(j.Groups[0].Tasks) },
	} {
		a := sample()
		b := walk.Clone(a)
		if !walk.Equal(a, b) {
			t.Fatal("a clone is not equal")
		}
		if change(&b); walk.Equal(a, b) {
			t.Errorf("%s: still equal", name)
		}
	}
	a, b := sample(), sample()
	a.Groups[0].Tasks[0].At = time.Unix(1, 0).UTC()
	a.Groups[0].Tasks[0].Ports, b.Groups[0].Tasks[1].Env = [2]int{}, map[string]string{}
	if !walk.Equal(a, b) || len(walk.Diff(a, b)) != 0 {
		t.Error("zones of time, or nil and empty, make a difference:", walk.Diff(a, b))
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*job)
		want   string // path: old -> new, with ~ where in place
	}{
		{"nothing", func(*job) {}, ""},
		{"ignored", func(j *job) { j.Index++ }, ""},
		{"in place", func(j *job) { j.Priority = 60 }, "Priority: 50 -> 60 ~"},
		{"replaces", func(j *job) { j.Zones[1] = "c" }, "Zones[1]: b -> c"},
		{"added last", func(j *job) { j.Zones = append(j.Zones, "c") }, "Zones[2]: <nil> -> c"},
		{"env", func(j *job) { j.Groups[0].Tasks[0].Env["PORT"] = "2" }, "Groups[g].Tasks[srv].Env[PORT]: 1 -> 2"},
		{"map entries sorted", func(j *job) { j.Meta = map[string]string{"b": "1", "a": "2"} },
			"Meta[a]: <nil> -> 2; Meta[b]: <nil> -> 1; Meta[k]: v -> <nil>"},
		{"below in place", func(j *job) { j.Groups[0].Tasks[0].Restart.Delay++ },
			"Groups[g].Tasks[srv].Restart.Delay: 1s -> 1.000000001s ~"},
		{"pointer gone", func(j *job) { j.Groups[0].Tasks[0].Restart = nil },
			"Groups[g].Tasks[srv].Restart: {3 1s} -> <nil> ~"},
		{"order of labelled", func(j *job) { slices.Reverse(j.Groups[0].Tasks) }, ""},
		{"inserted first", func(j *job) {
			j.Groups = append([]*group{{Name: "h"}}, j.Groups...)
		}, "Groups[h]: <nil> -> {h 0 [] map[]}"},
		{"removed", func(j *job) { j.Groups[0].Tasks = j.Groups[0].Tasks[:0] },
			"Groups[g].Tasks[srv]: …; Groups[g].Tasks[log]: …"},
		{"link", func(j *job) { j.Groups[0].Links["db"].To[0] = "y" }, "Groups[g].Links[db].To[0]: x -> y"},
		{"config", func(j *job) { j.Groups[0].Tasks[0].Config = raw("{}") }, "Groups[g].Tasks[srv].Config: …"},
		{"two of a name", func(j *job) { j.Groups[0].Tasks[1].Name = "srv" },
			"Groups[g].Tasks[log]: …; Groups[g].Tasks[srv#2]: …"},
		{"dynamic", func(j *job) { j.Groups[0].Tasks[1].Extra = []string{"x"} }, "Groups[g].Tasks[log].Extra[0]: dyn -> x"},
		{"dynamic type", func(j *job) { j.Groups[0].Tasks[1].Extra = 7 }, "Groups[g].Tasks[log].Extra: [dyn] -> 7"},
		{"parent", func(j *job) { j.Parent = &job{ID: "p"} }, "Parent: …"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := sample(), sample()
			c.change(&b)
			got := walk.Diff(a, b)
			if text := print(got, c.want); text != c.want {
				t.Errorf("\n got %s\nwant %s", text, c.want)
			}
			if want := strings.Count(c.want, "~") < len(got); walk.Destructive(got) != want {
				t.Errorf("destructive is %v", !want)
			}
			if back := walk.Diff(b, a); len(back) != len(got) {
				t.Errorf("the other way round: %v", back)
			}
		})
	}
}

// print writes changes the way the table above does; values that the table does
// not spell out become an ellipsis.
func print(changes []walk.Change, want string) string {
	var out []string
	for _, c := range changes {
		line := fmt.Sprintf("%s: %v -> %v", c.Path, c.Old, c.New)
		if strings.Contains(want, c.Path+": …") {
			line = c.Path + ": …"
		}
		if c.InPlace {
			line += " ~"
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func TestManyLabelled(t *testing.T) {
	a := make([]task, 100)
	for i := range a {
		a[i].Name = fmt.Sprint("t", i)
	}
	b := walk.Clone(a)
	b[73].Restart = &restart{}
	if got := walk.Diff(a, b); len(got) != 1 || got[0].Path != "[t73].Restart" {
		t.Errorf("%v", got)
	}
}

func TestLeaves(t *testing.T) {
	a, b := sample(), sample()
	b.Groups[0].Tasks = b.Groups[0].Tasks[:1]
	changes := walk.Diff(b, a)
	if len(changes) != 1 {
		t.Fatal(changes)
	}
	if got := print(changes[0].Leaves(), ""); got != "Groups[g].Tasks[log].Name: <nil> -> log; Groups[g].Tasks[log].Extra: <nil> -> [dyn]" &&
		got != "Groups[g].Tasks[log].Name: <nil> -> log; Groups[g].Tasks[log].Extra[0]: <nil> -> dyn" {
		t.Error(got)
	}
	gone := walk.Diff(job{Parent: &job{ID: "p", Priority: 3, Groups: []*group{{Name: "x", Count: 1}}}}, job{})
	if got := print(gone[0].Leaves(), ""); got != "Parent.ID: p -> <nil>; Parent.Priority: 3 -> <nil>; Parent.Groups[x].Name: x -> <nil>; Parent.Groups[x].Count: 1 -> <nil>" {
		t.Error(got)
	}
	edit := walk.Change{Path: "x", Old: 1, New: 2}
	if got := edit.Leaves(); len(got) != 1 || got[0] != edit {
		t.Error(got)
	}
	empty := walk.Change{Path: "x", New: group{}}
	if got := empty.Leaves(); len(got) != 1 {
		t.Error(got)
	}
}

func TestDiffIsEmptyOnlyIfEqual(t *testing.T) {
	var a, b job
	walk.Fill(&a, 0)
	walk.Fill(&b, 5000)
	// Taking over b's fields one at a time, each step must show in Diff.
	va, vb := reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem()
	for i := range va.NumField() {
		before := walk.Clone(a)
		va.Field(i).Set(vb.Field(i))
		ignored := va.Type().Field(i).Tag.Get("update") == "ignore"
		if len(walk.Diff(before, a)) == 0 != ignored {
			t.Errorf("%s: no difference", va.Type().Field(i).Name)
		}
	}
	if !walk.Equal(a, b) {
		t.Error("not equal in the end")
	}
}

func TestWhatCannotBeWalked(t *testing.T) {
	for _, c := range []struct {
		try  func()
		want string
	}{
		{func() { walk.Clone(struct{ A struct{ b int } }{}) }, "A.b is not exported"},
		{func() { walk.Clone(struct{ F []func() }{}) }, "F[]: a func has no parts"},
		{func() { walk.Equal(struct{ M map[*int]int }{}, struct{ M map[*int]int }{}) }, "M: map keys of type *int"},
		{func() { walk.Fill(job{}, 0) }, "Fill needs a pointer"},
		{func() { walk.Fill(&struct{ E error }{}, 0) }, "no value to fill the interface error"},
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, c.want) {
					t.Errorf("%q does not say %q", r, c.want)
				}
			}()
			c.try()
		}()
	}
}

func TestFields(t *testing.T) {
	var got []string
	for path, typ := range walk.Fields(reflect.TypeFor[job]()) {
		got = append(got, path+" "+typ.String())
	}

	for _, want := range []string{
		"ID walk_test.id", "Zones[] string", "Meta[string] string", "Groups[].Links[walk_test.id].To[] string",
		"Groups[].Tasks[].Restart.Delay time.Duration", "Groups[].Tasks[].At time.Time", "Groups[].Tasks[].Config walk_test.raw",
		"Groups[].Tasks[].User string", "Groups[].Tasks[].Ports[] int", "Parent walk_test.job",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	for range walk.Fields(reflect.TypeFor[job]()) {
		break // must not go on yielding
	}
}

func TestPlansInParallel(t *testing.T) {
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			type own struct{ J []job }
			v := own{J: []job{sample()}}
			if !walk.Equal(v, walk.Clone(v)) {
				t.Error("not equal")
			}
		})
	}
}
