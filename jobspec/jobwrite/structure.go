package jobwrite

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

var rawType = reflect.TypeFor[n.Raw]()

// structure writes a struct. base is what it holds before anything is read into
// it; at is its place in the job, for errors.
func (w *writer) structure(v, base reflect.Value, at string) (b body, err error) {
	defer w.enter(v)()
	special := specials[v.Type()]
	if special.base != nil {
		special.base(w, v.Addr().Interface(), base.Addr().Interface())
	}
	fields := map[int]jobspec.Field{}
	for _, f := range jobspec.Fields(v.Type()) {
		fields[f.Index] = f
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		f, ok := fields[i]
		switch write := special.fields[name]; {
		case write != nil:
			err = write(w, v.Field(i), &b, at+"."+name)
		case ok && !f.Label:
			err = w.field(f, v.Field(i), base.Field(i), &b, at+"."+name)
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

// field writes a field if it differs from what it holds unwritten.
func (w *writer) field(f jobspec.Field, v, base reflect.Value, b *body, at string) error {
	t := v.Type()
	switch {
	case t == rawType:
		if v.Len() == 0 {
			return nil
		}
		inner, err := opaque(v.Bytes(), at)
		b.blocks = append(b.blocks, &block{kind: f.Name, body: inner})
		return err
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		return w.pointer(f.Name, v, base, b, at)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return w.list(f.Name, v, b, at)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Pointer:
		return w.labelled(f.Name, v, b, at)
	case equal(v, base):
		return nil
	case t.Kind() == reflect.Map:
		return mapping(f, v, b, at)
	}
	value, err := expression(v, at)
	b.argue(f.Name, value)
	return err
}

// equal reports values that need not be told from each other: none is as good as
// empty.
func equal(a, b reflect.Value) bool {
	if k := a.Kind(); (k == reflect.Slice || k == reflect.Map) && a.Len()+b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

func (w *writer) pointer(kind string, v, base reflect.Value, b *body, at string) error {
	if v.IsNil() {
		if !base.IsNil() {
			return fmt.Errorf("%s: a job file has no way to leave it out: fill in what it holds by default", at)
		}
		return nil
	}
	unwritten := base.IsNil()
	if unwritten {
		base = w.make(v.Type().Elem())
	} else {
		base = base.Elem()
	}
	inner, err := w.structure(v.Elem(), base, at)
	if unwritten || !inner.empty() {
		b.blocks = append(b.blocks, &block{kind: kind, body: inner})
	}
	return err
}

// list writes a block for each element.
func (w *writer) list(kind string, v reflect.Value, b *body, at string) error {
	for i := range v.Len() {
		e := v.Index(i)
		x := &block{kind: kind}
		if f, ok := label(e.Type()); ok {
			x.labels = []string{e.Field(f).String()}
		}
		var err error
		if x.body, err = w.structure(e, w.make(e.Type()), fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
		b.blocks = append(b.blocks, x)
	}
	return nil
}

// labelled writes a block for each entry, with its key as label.
func (w *writer) labelled(kind string, v reflect.Value, b *body, at string) error {
	for _, key := range keys(v) {
		e := v.MapIndex(reflect.ValueOf(key))
		if e.IsNil() {
			return fmt.Errorf("%s[%q]: it is null: fill it in, or leave it out", at, key)
		}
		inner, err := w.structure(e.Elem(), w.make(e.Type().Elem()), fmt.Sprintf("%s[%q]", at, key))
		if err != nil {
			return err
		}
		b.blocks = append(b.blocks, &block{kind: kind, labels: []string{key}, body: inner})
	}
	return nil
}

// label is the index of the field that holds the label of a type's block.
func label(t reflect.Type) (int, bool) {
	for _, f := range jobspec.Fields(t) {
		if f.Label {
			return f.Index, true
		}
	}
	return 0, false
}

func keys(v reflect.Value) []string {
	var out []string
	for _, k := range v.MapKeys() {
		out = append(out, k.String())
	}
	slices.Sort(out)
	return out
}

// mapping writes names and values, as a block if that is possible.
func mapping(f jobspec.Field, v reflect.Value, b *body, at string) error {
	var inner body
	entries, asBlock := map[string]string{}, f.Block
	for _, key := range keys(v) {
		value, err := expression(v.MapIndex(reflect.ValueOf(key)), fmt.Sprintf("%s[%q]", at, key))
		if err != nil {
			return err
		}
		if !isName(key) && !f.Argument {
			return fmt.Errorf("%s: a job file has no way to write the key %q here: it takes letters, digits, _ and -", at, key)
		}
		asBlock = asBlock && isName(key)
		entries[key] = value
		inner.argue(key, value)
	}
	if asBlock {
		b.blocks = append(b.blocks, &block{kind: f.Name, body: inner})
	} else {
		b.argue(f.Name, object(entries))
	}
	return nil
}
