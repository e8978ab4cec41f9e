package walk_test

import (
	"reflect"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

func TestAlter(t *testing.T) {
	type inner struct {
		Name string
		Size *int
	}
	type outer struct {
		ID     string
		On     bool
		Small  uint8
		Raw    []byte
		Inner  *inner
		List   []inner
		ByName map[string]*inner
		Labels map[string]string
		Lists  map[string][]string
	}
	var full outer
	walk.Fill(&full, 0)
	paths := 0
	for path := range walk.Fields(reflect.TypeFor[outer]()) {
		paths++
		v := walk.Clone(full)
		if !walk.Alter(&v, path) {
			t.Errorf("%s was not found", path)
		}
		if changes := walk.Diff(full, v); len(changes) != 1 {
			t.Errorf("%s: %v changed", path, changes)
		}
	}
	if paths != 12 {
		t.Errorf("%d paths", paths)
	}
	var empty outer
	for _, path := range []string{"Inner.Name", "List[].Name", "ByName[string].Name", "Labels[string]", "Nothing", "Inner"} {
		if walk.Alter(&empty, path) {
			t.Errorf("%s of nothing was altered", path)
		}
	}
}
