package main_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// words are all types that are kept or sent: the nouns, and what the table of
// calls is made of.
func words() map[string]func() any {
	out := map[string]func() any{}
	add := func(fn func() any) { out[reflect.TypeOf(fn()).Elem().String()] = fn }
	for _, fn := range []func() any{
		func() any { return new(n.Job) }, func() any { return new(n.Node) }, func() any { return new(n.Allocation) },
		func() any { return new(n.Evaluation) }, func() any { return new(n.Deployment) }, func() any { return new(n.Plan) },
		func() any { return new(n.JobSummary) }, func() any { return new(n.Namespace) }, func() any { return new(n.NodePool) },
		func() any { return new(n.SchedulerConfiguration) },
	} {
		add(fn)
	}
	for _, row := range api.Rows() {
		add(row.NewReq)
		add(row.NewResp)
	}
	return out
}

var rawWord = walk.Make(func(seed int) n.Raw {
	raw, err := n.NewRaw(map[string]int{"seed": seed})
	if err != nil {
		panic(err)
	}
	return raw
})

// TestEveryFieldSurvives fills every field of every word and has it come back
// from the wire (RPC, raft log, snapshots), from JSON and from a copy; a job also
// from the door of the API. Then it empties one field after the other, each of
// which the comparison of two values must notice.
func TestEveryFieldSurvives(t *testing.T) {
	for name, fresh := range words() {
		t.Run(name, func(t *testing.T) { everyField(t, fresh) })
	}
}

func everyField(t *testing.T, fresh func() any) {
	full := fresh()
	walk.Fill(full, 1, rawWord)
	if r, ok := full.(*n.SearchRequest); ok {
		r.QueryOptions.Prefix = "" // its own takes the name
	}
	same := func(way string, back any) {
		t.Helper()
		if d := cmp.Diff(full, back); d != "" {
			t.Errorf("%s loses or changes (-was +is):\n%s", way, d)
		}
	}

	b, err := wire.Encode(full)
	if err != nil {
		t.Fatal(err)
	}
	back := fresh()
	if err := wire.Decode(b, back); err != nil {
		t.Fatal(err)
	}
	same("the wire", back)

	asJSON, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	if isNoun(full) {
		back = fresh()
		if err := json.Unmarshal(asJSON, back); err != nil {
			t.Fatal(err)
		}
		same("JSON", back)
	}
	if _, ok := full.(*n.Job); ok {
		job, err := jobspec.DecodeJSON(asJSON)
		if err != nil {
			t.Fatal(err)
		}
		same("the API's door", job)
	}

	copied := reflect.ValueOf(clone(full))
	same("a copy", copied.Interface())
	walk.Fill(copied.Interface(), 5000, rawWord)
	if after, err := wire.Encode(full); err != nil || !bytes.Equal(after, b) {
		t.Errorf("a change of the copy changes the original (%v)", err)
	}

	without(full, func(path string, less any) {
		if equal(full, less) {
			t.Errorf("%s: values with and without it count as equal", path)
		}
	})
}

// isNoun reports what is JSON as a whole. Of requests and answers a part travels
// in path, query and headers, where the tests of httpapi look for it.
func isNoun(v any) bool {
	switch v.(type) {
	case *n.Job, *n.Node, *n.Allocation, *n.Evaluation, *n.Deployment, *n.Plan, *n.JobSummary, *n.Namespace, *n.NodePool:
		return true
	}
	return false
}

func clone(v any) any { return walk.Clone(v) }

func equal(a, b any) bool { return walk.Equal(a, b) }

// without calls fn with copies of a filled value, in each of which one field is
// empty, at any depth; of slices and maps the first element is gone through.
func without(full any, fn func(path string, less any)) {
	var paths [][]int
	var names []string
	seen := map[reflect.Type]int{}
	var collect func(v reflect.Value, path []int, name string)
	collect = func(v reflect.Value, path []int, name string) {
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		switch v.Kind() {
		case reflect.Struct:
			if seen[v.Type()] > 1 {
				return
			}
			seen[v.Type()]++
			defer func() { seen[v.Type()]-- }()
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if !f.IsExported() || v.Field(i).IsZero() {
					continue
				}
				at := append(append([]int(nil), path...), i)
				if !f.Anonymous {
					paths, names = append(paths, at), append(names, name+"."+f.Name)
				}
				collect(v.Field(i), at, name+"."+f.Name)
			}
		case reflect.Slice:
			if v.Len() > 0 && v.Type().Elem().Kind() != reflect.Uint8 {
				collect(v.Index(0), append(append([]int(nil), path...), 0), name+"[0]")
			}
		default:
		}
	}
	collect(reflect.ValueOf(full), nil, "")
	for i, path := range paths {
		less := clone(full)
		v := reflect.ValueOf(less)
		for _, step := range path {
			for v.Kind() == reflect.Pointer {
				v = v.Elem()
			}
			if v.Kind() == reflect.Slice {
				v = v.Index(step)
			} else {
				v = v.Field(step)
			}
		}
		v.SetZero()
		fn(names[i], less)
	}
}

// TestFieldsThatAreLost shows that the test above fails for a field that does not
// come through.
func TestFieldsThatAreLost(t *testing.T) {
	type word struct {
		Kept string
		Lost string `json:"-"`
	}
	w, back := &word{"a", "b"}, &word{}
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	if cmp.Equal(w, back) {
		t.Error("a lost field is not noticed")
	}
	var emptied []string
	without(w, func(path string, less any) {
		if !equal(w, less) {
			emptied = append(emptied, path)
		}
	})
	if !slices.Equal(emptied, []string{".Kept", ".Lost"}) {
		t.Errorf("emptied one after the other: %v", emptied)
	}
}
