package jobspec

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode"

	"github.com/agext/levenshtein"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A field is how a struct's field is written in a job file.
type field struct {
	index int
	attr  bool // name = value
	block bool // name { … }
}

// A schema is how a type is written in a job file.
type schema struct {
	fields map[string]field
	label  int // index of the field that holds the block's label, or -1
}

var schemas sync.Map // reflect.Type → *schema

var rawType = reflect.TypeFor[n.Raw]()

// schemaOf reads the tags of a type; their rules stand in package nomadlike.
func schemaOf(t reflect.Type) *schema {
	if s, ok := schemas.Load(t); ok {
		return s.(*schema)
	}
	s := &schema{fields: map[string]field{}, label: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case option == "label":
			s.label = i
			continue
		case name == "":
			name = snake(f.Name)
		}
		x := field{index: i, attr: true}
		if isBlock(f.Type) {
			x.attr, x.block = option == "map" || option == "attr", option != "attr"
		}
		s.fields[name] = x
	}
	schemas.Store(t, s)
	return s
}

// isBlock reports a type that is written as a block.
func isBlock(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return true
	case reflect.Pointer:
		return t.Elem().Kind() == reflect.Struct
	case reflect.Slice:
		return t == rawType || t.Elem().Kind() == reflect.Struct
	}
	return false
}

// snake turns MaxParallel into max_parallel.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// meant returns the name that an unknown one was probably meant to be, or "".
func meant(name string, names []string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, k := range names {
		if d := levenshtein.Distance(strings.ToLower(name), k, nil); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// known says which names are, beginning with the one that was probably meant.
func known(name string, names []string) string {
	if m := meant(name, names); m != "" {
		return fmt.Sprintf("did you mean %q?", m)
	}
	return "what can stand here: " + sortedList(names)
}
