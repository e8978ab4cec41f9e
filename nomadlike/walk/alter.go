package walk

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Alter changes one leaf of what v points to: the one at a path of Fields, in first
// elements and entries on the way. It is for tests that try every field. Values that
// Fill made can be altered; it reports false where a path leads nowhere.
func Alter(v any, path string) bool {
	return alter(planOf(reflect.TypeOf(v).Elem()), reflect.ValueOf(v).Elem(), strings.Split(path, "."))
}

func alter(p *plan, v reflect.Value, path []string) bool {
	switch p.shape {
	case pointer:
		return !v.IsNil() && alter(p.elem, v.Elem(), path)
	case record:
		if len(path) == 0 {
			return false
		}
		name, _, _ := strings.Cut(path[0], "[")
		i := slices.IndexFunc(p.fields, func(f field) bool { return f.name == name })
		return i >= 0 && alter(p.fields[i].plan, v.Field(p.fields[i].index), path[1:])
	case list, array:
		return v.Len() > 0 && alter(p.elem, v.Index(0), path)
	case dict:
		return v.Len() > 0 && alterEntry(p, v, path)
	case octets:
		v.SetBytes(alterText(slices.Clone(v.Bytes())))
		return true
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.CanUint():
		v.SetUint(v.Uint() + 1)
	default:
		return false
	}
	return true
}

// alterText changes the last letter or digit, so that JSON stays JSON.
func alterText(b []byte) []byte {
	for i := len(b) - 1; i >= 0; i-- {
		switch c := b[i]; {
		case c == '9' || c == 'z' || c == 'Z':
			b[i]--
			return b
		case c >= '0' && c < '9' || c >= 'a' && c < 'z' || c >= 'A' && c < 'Z':
			b[i]++
			return b
		}
	}
	return append(b, '0')
}

func alterEntry(p *plan, v reflect.Value, path []string) bool {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	e := reflect.New(p.elem.typ).Elem()
	e.Set(v.MapIndex(keys[0]))
	ok := alter(p.elem, e, path)
	v.SetMapIndex(keys[0], e)
	return ok
}
