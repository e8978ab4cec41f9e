package jobspec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// unknown says what is to be done about a name that can not stand in the block
// that is read into t.
func unknown(name string, block bool, t reflect.Type, names []string) string {
	if hint := instead(name, t); hint != "" {
		return hint
	}
	at := homes().arguments[name]
	if block {
		at = homes().blocks[name]
	}
	if near := slices.DeleteFunc(slices.Clone(at), func(b string) bool { return !slices.Contains(names, b) }); len(near) > 0 {
		at = near // those that can stand here themselves
	}
	switch m := meant(name, names); {
	case len(at) > 0 && len(at) <= mostHomes:
		return fmt.Sprintf("it belongs in a %s block", either(at))
	case m != "":
		return fmt.Sprintf("did you mean %q?", m)
	case t == reflect.TypeFor[n.Task]():
		return "a task has no such thing; what is for its driver belongs in config { … }"
	}
	return known(name, names)
}

// instead is what to write for names that others have for the same.
func instead(name string, t reflect.Type) string {
	if t != reflect.TypeFor[n.Constraint]() && t != reflect.TypeFor[n.Affinity]() {
		return ""
	}
	switch name {
	case n.OpIsSet, n.OpIsNotSet:
		return fmt.Sprintf("write attribute = \"${…}\" and operator = %q", name)
	case n.OpSetContainsAll, n.OpSetContainsAny:
		return fmt.Sprintf("write attribute = \"${…}\", operator = %q and value = \"…\"", name)
	}
	return ""
}

// mostHomes is how many blocks are named that a name can stand in.
const mostHomes = 4

// placesOfNames tells which blocks names can stand in.
type placesOfNames struct{ blocks, arguments map[string][]string }

var homes = sync.OnceValue(func() placesOfNames {
	h := placesOfNames{map[string][]string{}, map[string][]string{}}
	seen := map[reflect.Type]bool{}
	var look func(t reflect.Type, block string)
	look = func(t reflect.Type, block string) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, w := range Words(t) {
			if t == reflect.TypeFor[n.Resources]() && w.Name == "network" {
				continue // deprecated
			}
			if w.Block && !slices.Contains(h.blocks[w.Name], block) {
				h.blocks[w.Name] = append(h.blocks[w.Name], block)
			}
			if w.Argument && !slices.Contains(h.arguments[w.Name], block) {
				h.arguments[w.Name] = append(h.arguments[w.Name], block)
			}
		}
		for _, w := range Words(t) {
			if w.Block && w.Type.Kind() == reflect.Struct {
				look(w.Type, w.Name)
			}
		}
	}
	look(reflect.TypeFor[n.Job](), "job")
	return h
})

// either lists what one of is meant.
func either(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func sortedList(names []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", ")
}
