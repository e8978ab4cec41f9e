package walk

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// A Change is one place where two values differ. A struct, element or map entry
// that only one side has is one change, whose Old or New is the whole of it;
// Leaves takes it apart.
type Change struct {
	Path     string // such as Groups[web].Tasks[srv].Env[PORT], in Go field names
	Old, New any    // nil where that side has nothing; never pointers
	InPlace  bool   // the field or one above it is tagged update:"inplace"
}

// Diff lists what differs between two values, in the order of their fields, map
// entries by key and added elements after the rest. Elements of slices are
// matched by label where their type has one, so their order does not count;
// otherwise by position. nil and empty are alike, as with Equal.
func Diff[T any](old, new T) []Change {
	var d differ
	d.diff(planOf(reflect.TypeFor[T]()), nil, false, reflect.ValueOf(&old).Elem(), reflect.ValueOf(&new).Elem())
	return d
}

// Destructive reports whether any of the changes replaces what runs: one that
// nobody marked as in place.
func Destructive(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return !c.InPlace })
}

type differ []Change

// A step leads from a value to one of its parts.
type step struct {
	up   *step
	name string
	key  bool // an element or map entry rather than a field
}

func (s *step) String() string {
	if s == nil {
		return ""
	}
	head := s.up.String()
	switch {
	case s.key:
		return head + "[" + s.name + "]"
	case head == "" || s.name == "":
		return head + s.name
	}
	return head + "." + s.name
}

// diff compares a and b, either of which may be the zero Value: nothing there.
func (d *differ) diff(p *plan, at *step, inPlace bool, a, b reflect.Value) {
	for p.shape == pointer || p.shape == dynamic {
		a, b = target(a), target(b)
		if p.shape == pointer {
			p = p.elem
			continue
		}
		if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
			d.leaf(at, inPlace, a, b)
			return
		}
		p = planOf(a.Type())
	}
	if !a.IsValid() || !b.IsValid() {
		d.leaf(at, inPlace, a, b)
		return
	}
	switch p.shape {
	case record:
		s := &step{up: at} // one for all: a path is only built when something differs
		for i := range p.fields {
			if f := &p.fields[i]; !f.ignore {
				s.name = f.name
				d.diff(f.plan, s, inPlace || f.inPlace, a.Field(f.index), b.Field(f.index))
			}
		}
	case list, array:
		d.lists(p, at, inPlace, a, b)
	case dict:
		d.maps(p, at, inPlace, a, b)
	default:
		if !equal(p, a, b) {
			d.leaf(at, inPlace, a, b)
		}
	}
}

// leaf reports a change unless both sides have nothing.
func (d *differ) leaf(at *step, inPlace bool, a, b reflect.Value) {
	if a.IsValid() || b.IsValid() {
		*d = append(*d, Change{at.String(), content(a), content(b), inPlace})
	}
}

func (d *differ) lists(p *plan, at *step, inPlace bool, a, b reflect.Value) {
	if p.elem.labelled() && !sameLabels(p.elem, a, b) {
		d.byLabel(p, at, inPlace, a, b)
		return
	}
	s := &step{up: at, key: true}
	for i := range max(a.Len(), b.Len()) {
		s.name = strconv.Itoa(i)
		if p.elem.labelled() {
			s.name = p.elem.label(a.Index(i))
		}
		d.diff(p.elem, s, inPlace, index(a, i), index(b, i))
	}
}

func (d *differ) byLabel(p *plan, at *step, inPlace bool, a, b reflect.Value) {
	names, olds := byLabel(p.elem, a)
	added, news := byLabel(p.elem, b)
	for _, name := range added {
		if !olds[name].IsValid() {
			names = append(names, name)
		}
	}
	for _, name := range names {
		d.diff(p.elem, &step{at, name, true}, inPlace, olds[name], news[name])
	}
}

func (d *differ) maps(p *plan, at *step, inPlace bool, a, b reflect.Value) {
	if equalMaps(p, a, b) {
		return
	}
	keys := map[string]reflect.Value{}
	for _, m := range []reflect.Value{a, b} {
		for it := m.MapRange(); it.Next(); {
			keys[fmt.Sprint(it.Key())] = it.Key()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		d.diff(p.elem, &step{at, name, true}, inPlace, a.MapIndex(keys[name]), b.MapIndex(keys[name]))
	}
}

func index(v reflect.Value, i int) reflect.Value {
	if i < v.Len() {
		return v.Index(i)
	}
	return reflect.Value{}
}

// target follows pointers and interfaces; nil ends in the zero Value.
func target(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	return v
}

func content(v reflect.Value) any {
	if v = target(v); !v.IsValid() {
		return nil
	}
	return v.Interface()
}
