package jobspec

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Word is a name that may be written in a block.
type Word struct {
	Name     string
	Type     reflect.Type // the struct that a block is read into; of all else the type itself
	Argument bool         // name = value
	Block    bool         // name { … }
	Repeats  bool         // there can be several such blocks
	Label    string       // what the block's label is, such as "name"; empty if it has none
	Labels   []string     // the only labels that it takes, if not all
	field    int
}

// Words lists what may be written in a block that is read into t, a struct: in
// the order of its fields, and then what is no field.
func Words(t reflect.Type) []Word {
	s, special := schemaOf(t), specials[t]
	var out []Word
	for name, f := range s.fields {
		w := word(name, t.Field(f.index).Type)
		w.Argument, w.Block, w.field = f.attr, f.block, f.index
		out = append(out, w)
	}
	for name := range special.attrs {
		typ := reflect.TypeFor[string]()
		if name == n.OpDistinctHosts {
			typ = reflect.TypeFor[bool]()
		}
		out = append(out, Word{Name: name, Type: typ, Argument: true, field: t.NumField()})
	}
	for name, b := range special.blocks {
		if _, tagged := s.fields[name]; tagged {
			continue
		}
		w := Word{Name: name, Type: b.holds, Block: true, Repeats: b.labels > 0, Label: labelOf(b.holds), field: t.NumField()}
		if b.labels > 0 && w.Label == "" { // that of a task's scaling says what is scaled
			w.Label, w.Labels = "type", slices.Sorted(maps.Keys(scalingTypes))
		}
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b Word) int { return cmp.Or(a.field-b.field, strings.Compare(a.Name, b.Name)) })
	return out
}

// word says what a field's type says of it.
func word(name string, t reflect.Type) Word {
	w := Word{Name: name, Type: t}
	if t == rawType {
		return w
	}
	held := t
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		held = t.Elem()
	}
	if held.Kind() == reflect.Pointer {
		held = held.Elem()
	}
	if held.Kind() == reflect.Struct {
		w.Type, w.Label = held, labelOf(held)
		w.Repeats = t.Kind() == reflect.Slice || t.Kind() == reflect.Map
	}
	return w
}

// labelOf is what the label of a block of that type is. That of a job is both its
// ID and its name.
func labelOf(t reflect.Type) string {
	if t == reflect.TypeFor[n.Job]() {
		return "id"
	}
	if s := schemaOf(t); s.label >= 0 {
		return snake(t.Field(s.label).Name)
	}
	return ""
}

// Held returns what a struct holds under the name that job files have for it.
func Held(v reflect.Value, name string) (reflect.Value, bool) {
	f, ok := schemaOf(v.Type()).fields[name]
	if !ok {
		return reflect.Value{}, false
	}
	return v.Field(f.index), true
}
