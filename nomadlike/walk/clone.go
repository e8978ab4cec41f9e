package walk

import (
	"maps"
	"reflect"
)

// Clone returns a deep copy of v, which shares no memory with it that either
// side could change. nil stays nil and empty stays empty.
func Clone[T any](v T) T {
	if p := planOf(reflect.TypeFor[T]()); !p.flat {
		deepen(p, reflect.ValueOf(&v).Elem())
	}
	return v
}

// deepen replaces all that v, a shallow copy, shares with its original.
func deepen(p *plan, v reflect.Value) {
	switch p.shape {
	case record:
		for _, i := range p.deep {
			f := &p.fields[i]
			deepen(f.plan, v.Field(f.index))
		}
	case pointer:
		if !v.IsNil() {
			v.Set(cloned(p.elem, v.Elem()).Addr())
		}
	case list, octets:
		deepenSlice(p, v)
	case dict:
		deepenMap(p, v)
	case array:
		for i := range v.Len() {
			deepen(p.elem, v.Index(i))
		}
	case dynamic:
		if !v.IsNil() {
			v.Set(cloned(planOf(v.Elem().Type()), v.Elem()))
		}
	}
}

// cloned returns an addressable deep copy of v.
func cloned(p *plan, v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	if !p.flat {
		deepen(p, out)
	}
	return out
}

func deepenSlice(p *plan, v reflect.Value) {
	if v.IsNil() {
		return
	}
	if s, ok := v.Addr().Interface().(*[]string); ok { // the commonest
		*s = append(make([]string, 0, len(*s)), *s...)
		return
	}
	out := reflect.MakeSlice(p.typ, v.Len(), v.Len())
	reflect.Copy(out, v)
	v.Set(out)
	if p.elem.flat {
		return
	}
	for i := range v.Len() {
		deepen(p.elem, v.Index(i))
	}
}

func deepenMap(p *plan, v reflect.Value) {
	if v.IsNil() {
		return
	}
	if m, ok := v.Addr().Interface().(*map[string]string); ok { // the commonest
		*m = maps.Clone(*m)
		return
	}
	out := reflect.MakeMapWithSize(p.typ, v.Len())
	key, elem := reflect.New(p.key.typ).Elem(), reflect.New(p.elem.typ).Elem()
	for it := v.MapRange(); it.Next(); {
		key.SetIterKey(it)
		elem.SetIterValue(it)
		if !p.elem.flat {
			deepen(p.elem, elem)
		}
		out.SetMapIndex(key, elem)
	}
	v.Set(out)
}
