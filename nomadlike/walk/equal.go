package walk

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

// Equal reports whether a and b hold the same: every field of every part, in
// order. Times are equal at the same instant; nil and empty slices and maps are
// equal, nil and non-nil pointers are not.
func Equal[T any](a, b T) bool {
	return equal(planOf(reflect.TypeFor[T]()), reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem())
}

func equal(p *plan, a, b reflect.Value) bool {
	switch p.shape {
	case instant:
		return timeOf(a).Equal(timeOf(b))
	case octets:
		return slices.Equal(a.Bytes(), b.Bytes())
	case record:
		for i := range p.fields {
			f := &p.fields[i]
			if !equal(f.plan, a.Field(f.index), b.Field(f.index)) {
				return false
			}
		}
		return true
	case pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return a.UnsafePointer() == b.UnsafePointer() || equal(p.elem, a.Elem(), b.Elem())
	case list, array:
		return equalLists(p, a, b)
	case dict:
		return equalMaps(p, a, b)
	case dynamic:
		if a.IsNil() || b.IsNil() || a.Elem().Type() != b.Elem().Type() {
			return a.IsNil() && b.IsNil()
		}
		return equal(planOf(a.Elem().Type()), a.Elem(), b.Elem())
	}
	return a.Equal(b)
}

func equalLists(p *plan, a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !equal(p.elem, a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}

func equalMaps(p *plan, a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	if m, ok := a.Interface().(map[string]string); ok {
		return maps.Equal(m, b.Interface().(map[string]string))
	}
	for it := a.MapRange(); it.Next(); {
		other := b.MapIndex(it.Key())
		if !other.IsValid() || !equal(p.elem, it.Value(), other) {
			return false
		}
	}
	return true
}

func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}
