package walk_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// everyLeaf calls fn with each scalar, string and byte slice of v; empty
// containers and nil pointers count as leaves, and shared lists memory addresses.
func everyLeaf(path string, v reflect.Value, fn func(path string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			if v.Kind() == reflect.Pointer {
				fn(path+"(pointer)", v)
			}
			everyLeaf(path, v.Elem(), fn)
			return
		}
	case reflect.Struct:
		if v.NumField() > 0 && v.Type().Field(0).IsExported() {
			for i := range v.NumField() {
				everyLeaf(path+"."+v.Type().Field(i).Name, v.Field(i), fn)
			}
			return
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Len() > 0 {
			fn(path+"(slice)", v)
		}
		for i := range v.Len() {
			everyLeaf(fmt.Sprintf("%s[%d]", path, i), v.Index(i), fn)
		}
		if v.Len() > 0 {
			return
		}
	case reflect.Map:
		if v.Len() > 0 {
			fn(path+"(map)", v)
		}
		for it := v.MapRange(); it.Next(); {
			everyLeaf(fmt.Sprintf("%s[%v]", path, it.Key()), it.Value(), fn)
		}
		if v.Len() > 0 {
			return
		}
	}
	fn(path, v)
}

func dump(v any) map[string]string {
	out := map[string]string{}
	everyLeaf("", reflect.ValueOf(v), func(path string, v reflect.Value) {
		if !strings.HasSuffix(path, ")") {
			out[path] = fmt.Sprint(v)
		}
	})
	return out
}

// sharing lists the paths where a and b use the same memory.
func sharing(a, b any) (out []string) {
	at := map[uintptr]string{}
	everyLeaf("", reflect.ValueOf(a), func(path string, v reflect.Value) {
		if strings.HasSuffix(path, ")") {
			at[v.Pointer()] = path
		}
	})
	everyLeaf("", reflect.ValueOf(b), func(path string, v reflect.Value) {
		if strings.HasSuffix(path, ")") && at[v.Pointer()] != "" {
			out = append(out, path)
		}
	})
	return out
}

func TestFillLeavesNothingZero(t *testing.T) {
	var v job
	walk.Fill(&v, 0)
	everyLeaf("", reflect.ValueOf(v), func(path string, v reflect.Value) {
		recursion := strings.HasPrefix(path, ".Parent.Parent")
		if v.IsZero() && !recursion {
			t.Errorf("%s is zero", path)
		}
	})
	if len(v.Groups) != 2 || len(v.Groups[0].Tasks) != 2 || len(v.Meta) != 2 || v.Parent == nil || v.Parent.Parent != nil {
		t.Errorf("%+v", v)
	}
}

func TestFillIsDistinctAndRepeatable(t *testing.T) {
	var a, b, c job
	walk.Fill(&a, 0)
	walk.Fill(&b, 0)
	walk.Fill(&c, 1000)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave another value")
	}
	seen := map[string]string{}
	for path, text := range dump(a) {
		if len(text) > 3 && seen[text] != "" {
			t.Errorf("%s and %s are both %s", path, seen[text], text)
		}
		seen[text] = path
	}
	if a.ID == c.ID || a.Priority == c.Priority {
		t.Error("another seed gave the same value")
	}
}

type state string

func (s *state) Fill(seed int) { *s = []state{"running", "dead"}[seed%2] }

func TestFillHooks(t *testing.T) {
	var v struct {
		S   state
		Raw []raw
		E   error
	}
	walk.Fill(&v, 0,
		walk.Make(func(n int) raw { return fmt.Appendf(nil, `{"n":%d}`, n) }),
		walk.Make(func(n int) error { return fmt.Errorf("error %d", n) }))
	if v.S != "running" && v.S != "dead" {
		t.Errorf("the Filler was not asked: %q", v.S)
	}
	if len(v.Raw) != 2 || !strings.HasPrefix(string(v.Raw[0]), `{"n":`) || v.E == nil {
		t.Errorf("the hooks were not asked: %s %v", v.Raw, v.E)
	}
}

func benchJob() job {
	j := sample()
	g := j.Groups[0]
	g.Tasks = append(g.Tasks, sample().Groups[0].Tasks...)
	g.Tasks[2].Name, g.Tasks[3].Name = "third", "fourth"
	return j
}

func BenchmarkClone(b *testing.B) {
	j := benchJob()
	b.ReportAllocs()
	for b.Loop() {
		walk.Clone(&j)
	}
}

func BenchmarkEqual(b *testing.B) {
	j := benchJob()
	c := walk.Clone(j)
	b.ReportAllocs()
	for b.Loop() {
		if !walk.Equal(&j, &c) {
			b.Fatal("not equal")
		}
	}
}

func BenchmarkDiff(b *testing.B) {
	j := benchJob()
	c := walk.Clone(j)
	c.Groups[0].Tasks[1].Env = map[string]string{"a": "b"}
	b.ReportAllocs()
	for b.Loop() {
		if len(walk.Diff(&j, &c)) != 1 {
			b.Fatal("not one change")
		}
	}
}
