package jobspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// DecodeJSON reads a job in the JSON of the API: field names of any case, null
// for what is not written, durations in nanoseconds or as text. Unknown names
// are passed over, since newer clients send them.
func DecodeJSON(src []byte) (*n.Job, error) {
	d := &jsonDecoder{}
	var peek struct{ Type *string }
	if err := json.Unmarshal(src, &peek); err != nil {
		return nil, fmt.Errorf("Job: %w", mismatch(err, "an object")) //nolint:staticcheck // its name in JSON
	}
	d.defaults.JobType = n.JobTypeService
	if peek.Type != nil && *peek.Type != "" {
		d.defaults.JobType = *peek.Type
	}
	job := &n.Job{}
	d.defaults.Fill(job)
	d.defaults.Job = job
	if err := d.structure(src, reflect.ValueOf(job).Elem(), "Job"); err != nil {
		return nil, err
	}
	if job.Name == "" {
		job.Name = string(job.ID)
	}
	finish(job)
	return job, nil
}

// mismatch says of a wrong type what is wanted, in words of JSON rather than of Go.
func mismatch(err error, want string) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	if want == "" {
		switch wrong.Type.Kind() {
		case reflect.String:
			want = "a string"
		case reflect.Bool:
			want = "true or false"
		case reflect.Float32, reflect.Float64:
			want = "a number"
		case reflect.Slice:
			want = "a list"
		case reflect.Map, reflect.Struct:
			want = "an object"
		default:
			want = "a whole number"
		}
	}
	article := "a"
	if strings.HasPrefix(wrong.Value, "a") || strings.HasPrefix(wrong.Value, "o") {
		article = "an"
	}
	return fmt.Errorf("it takes %s, not %s %s", want, article, wrong.Value)
}

type jsonDecoder struct{ defaults n.Defaults }

// structure reads an object into a struct that holds its defaults.
func (d *jsonDecoder) structure(src []byte, v reflect.Value, path string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(src, &object); err != nil {
		return fmt.Errorf("%s: %w", path, mismatch(err, "an object"))
	}
	lower := make(map[string]json.RawMessage, len(object))
	for k, x := range object {
		if !bytes.Equal(x, []byte("null")) {
			lower[strings.ToLower(k)] = x
		}
	}
	if g, ok := v.Addr().Interface().(*n.Group); ok {
		d.defaults.Group = g
		defer func() { d.defaults.Group = nil }()
	}
	written := map[string]bool{}
	for _, late := range []bool{false, true} {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			x, ok := lower[strings.ToLower(f.Name)]
			if !ok || !f.IsExported() || late != (f.Name == "TaskGroups" || f.Name == "Tasks") {
				continue
			}
			written[snake(f.Name)] = true
			if err := d.field(x, v.Field(i), path+"."+f.Name); err != nil {
				return err
			}
		}
	}
	if s := specials[v.Type()]; s.after != nil {
		if err := s.after(nil, v, written, ""); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

var timeType = reflect.TypeFor[time.Time]()

func (d *jsonDecoder) field(src []byte, v reflect.Value, path string) error {
	t := v.Type()
	switch {
	case t == durationType:
		return jsonDuration(src, v, path)
	case t.Kind() == reflect.Pointer && t.Elem() == durationType:
		p := reflect.New(t.Elem())
		v.Set(p)
		return jsonDuration(src, p.Elem(), path)
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem() != timeType:
		if v.IsNil() {
			p := reflect.New(t.Elem())
			d.defaults.Fill(p.Interface())
			v.Set(p)
		}
		return d.structure(src, v.Elem(), path)
	case t.Kind() == reflect.Struct && t != timeType:
		return d.structure(src, v, path)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return d.list(src, v, path)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Pointer:
		return d.labelledMap(src, v, path)
	}
	if err := json.Unmarshal(src, v.Addr().Interface()); err != nil {
		return fmt.Errorf("%s: %w", path, mismatch(err, ""))
	}
	if (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) && v.Len() == 0 && t != rawType {
		v.SetZero() // an empty list is as good as none
	}
	return nil
}

func (d *jsonDecoder) list(src []byte, v reflect.Value, path string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(src, &items); err != nil {
		return fmt.Errorf("%s: %w", path, mismatch(err, "a list"))
	}
	v.SetZero()
	for i, item := range items {
		p := reflect.New(v.Type().Elem())
		d.defaults.Fill(p.Interface())
		if err := d.structure(item, p.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
		v.Set(reflect.Append(v, p.Elem()))
	}
	return nil
}

func (d *jsonDecoder) labelledMap(src []byte, v reflect.Value, path string) error {
	var items map[string]json.RawMessage
	if err := json.Unmarshal(src, &items); err != nil {
		return fmt.Errorf("%s: %w", path, mismatch(err, "an object"))
	}
	if len(items) == 0 {
		v.SetZero()
		return nil
	}
	v.Set(reflect.MakeMap(v.Type()))
	for k, item := range items {
		p := reflect.New(v.Type().Elem().Elem())
		d.defaults.Fill(p.Interface())
		if err := d.structure(item, p.Elem(), path+"."+k); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(k), p)
	}
	return nil
}

func jsonDuration(src []byte, v reflect.Value, path string) error {
	var text string
	if json.Unmarshal(src, &text) == nil {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s: %q is no duration such as \"30s\"", path, text)
		}
		v.SetInt(int64(d))
		return nil
	}
	if err := json.Unmarshal(src, v.Addr().Interface()); err != nil {
		return fmt.Errorf("%s: %w", path, mismatch(err, "nanoseconds or text such as \"30s\""))
	}
	return nil
}
