package jobspec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// JSON is the job in the JSON of the API's parser. What the file does not write is
// null, or, if canonical, what it will be by default. See the job specification
// reference, 1.
func (f *File) JSON(canonical bool) (n.Raw, error) {
	s := &shower{places: f.Places, canonical: canonical}
	return n.NewRaw(s.value(reflect.ValueOf(f.Job).Elem(), ""))
}

// unset are fields that no default ever fills.
var unset = map[string]bool{"DispatchIdempotencyToken": true}

type shower struct {
	places    Places
	canonical bool
}

// bare are fields of the job of which even the canonical form shows only what is
// written: groups have merged them.
var bare = map[string]bool{"Migrate": true, "Reschedule": true}

func (s *shower) value(v reflect.Value, path string) any {
	_, written := s.places[path]
	if bare[path] && s.canonical {
		s = &shower{places: s.places}
	}
	switch t := v.Type(); {
	case t == rawType:
		if v.Len() == 0 {
			return nil
		}
		return json.RawMessage(v.Bytes())
	case t.Kind() == reflect.Pointer:
		if v.IsNil() || !written && !s.canonical {
			return nil
		}
		return s.value(v.Elem(), path)
	case t.Kind() == reflect.Struct && t != timeType:
		return s.fields(v, path)
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return s.list(v, path, written)
	case t.Kind() == reflect.Map:
		return s.mapping(v, path, written)
	}
	if !written && !s.canonical {
		return nil
	}
	return v.Interface()
}

func (s *shower) list(v reflect.Value, path string, written bool) any {
	if v.Len() == 0 && !written && (v.Type().Elem().Kind() != reflect.String || v.IsNil() || !s.canonical) {
		return nil
	}
	out := make([]any, v.Len())
	for i := range out {
		e := v.Index(i)
		if e.Kind() != reflect.Struct {
			out[i] = e.Interface()
			continue
		}
		out[i] = s.value(e, fmt.Sprintf("%s[%d]", path, i))
	}
	return out
}

func (s *shower) mapping(v reflect.Value, path string, written bool) any {
	if v.Len() == 0 && !written {
		return nil
	}
	out := map[string]any{}
	for it := v.MapRange(); it.Next(); {
		k := it.Key().String()
		if v.Type().Elem().Kind() == reflect.Pointer {
			out[k] = s.value(it.Value().Elem(), path+"["+k+"]")
		} else {
			out[k] = it.Value().Interface()
		}
	}
	return out
}

func (s *shower) fields(v reflect.Value, path string) map[string]any {
	out := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		at := under(path, f.Name)
		if _, written := s.places[at]; (option == "omitempty" || unset[at]) && v.Field(i).IsZero() && !written {
			out[name] = nil
			continue
		}
		out[name] = s.value(v.Field(i), at)
	}
	return out
}
