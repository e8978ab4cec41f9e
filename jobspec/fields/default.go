package fields

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Default is what an argument holds, or whether a block is there, unless it is
// written. All is empty where that depends on the type of the job, and both are
// where there is none.
type Default struct {
	All       string            `json:",omitempty"` // as written in a job file, or in words
	ByJobType map[string]string `json:",omitempty"`
}

// present is the default of a block that is there unless it is written.
const present = "there, with its defaults"

// String shows types of jobs with the same default together.
func (d Default) String() string {
	if len(d.ByJobType) == 0 {
		return d.All
	}
	types := map[string][]string{}
	var values []string
	for _, t := range n.JobTypes {
		v, ok := d.ByJobType[t]
		if !ok {
			continue
		}
		if types[v] == nil {
			values = append(values, v)
		}
		types[v] = append(types[v], t)
	}
	var parts []string
	for _, v := range values {
		value := v
		if value == "" {
			value = "none"
		}
		parts = append(parts, value+" ("+strings.Join(types[v], ", ")+")")
	}
	return strings.Join(parts, ", ")
}

// value is the default as JSON, if it is one value.
func (d Default) value() (json.RawMessage, bool) {
	if len(d.ByJobType) > 0 || !json.Valid([]byte(d.All)) {
		return nil, false
	}
	return json.RawMessage(d.All), true
}

// defaultOf asks nomadlike.Defaults what a field of a block holds, in jobs that may
// have it.
func defaultOf(in reflect.Type, f *Field, e *entry) Default {
	if e.fallback != "" {
		return Default{All: e.fallback}
	}
	if f.Required {
		return Default{}
	}
	by := map[string]string{}
	for _, t := range n.JobTypes {
		if len(f.JobTypes) == 0 || slices.Contains(f.JobTypes, t) {
			by[t] = filled(in, t, f.Name)
		}
	}
	first := ""
	for _, v := range by {
		first = v
	}
	for _, v := range by {
		if v != first {
			return Default{ByJobType: by}
		}
	}
	return Default{All: first}
}

// filled returns what a field holds before anything is written into its block.
func filled(in reflect.Type, jobType, name string) string {
	job, group := &n.Job{}, &n.Group{}
	d := n.Defaults{JobType: jobType}
	d.Fill(job)
	d.Job = job
	d.Fill(group)
	d.Group = group
	v := reflect.New(in)
	d.Fill(v.Interface())
	field, ok := jobspec.Held(v.Elem(), name)
	if !ok {
		return ""
	}
	return literal(field)
}

// literal writes a value as it is written in a job file, or nothing for none.
func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return strconv.Quote(span(x))
	case typeExpression:
		return ""
	}
	switch v.Kind() {
	case reflect.Pointer:
		switch {
		case v.IsNil():
			return ""
		case v.Elem().Kind() == reflect.Struct:
			return present
		}
		return literal(v.Elem())
	case reflect.String:
		if v.String() == "" {
			return ""
		}
		return strconv.Quote(v.String())
	case reflect.Slice, reflect.Map, reflect.Interface, reflect.Struct:
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// span writes a duration as people do: 30m rather than 30m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// typeName says what a name holds in terms of the job file.
func typeName(w jobspec.Word) string {
	t := w.Type
	switch {
	case t == nil:
		return "unknown"
	case t == reflect.TypeFor[n.Raw]():
		return "free-form block"
	case t.Kind() == reflect.Struct:
		return "block"
	}
	return valueType(t)
}

func valueType(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[typeExpression]():
		return "type"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return valueType(t.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Interface:
		return "any value"
	case reflect.Slice:
		return "list of " + plural(valueType(t.Elem()))
	case reflect.Map:
		return "map of " + plural(valueType(t.Elem()))
	}
	return "number"
}

func plural(name string) string {
	if rest, ok := strings.CutPrefix(name, "list "); ok {
		return "lists " + rest
	}
	if name == "any value" {
		return "any values"
	}
	return name + "s"
}
