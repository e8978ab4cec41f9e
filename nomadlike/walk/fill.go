package walk

import (
	"fmt"
	"net/netip"
	"reflect"
	"time"
)

// A Filler fills itself for tests, where not every value of its type is valid.
type Filler interface{ Fill(seed int) }

// A Hook makes the values of one type for Fill.
type Hook struct {
	typ  reflect.Type
	make func(seed int) reflect.Value
}

// Make returns the hook by which Fill gets its values of type T.
func Make[T any](fn func(seed int) T) Hook {
	return Hook{reflect.TypeFor[T](), func(seed int) reflect.Value { return reflect.ValueOf(fn(seed)) }}
}

// Fill sets everything that v points to, down to the last field, to non-zero
// values that differ from each other as far as their types allow, counting up
// from seed; the same seed gives the same values. Slices and maps get two
// elements. Hooks go before Fillers, and those before what the type says. Within
// itself a recursive type is filled once more, then left empty.
func Fill(v any, seed int, hooks ...Hook) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		panic(fmt.Sprintf("walk: Fill needs a pointer, not %T", v))
	}
	f := &filling{next: seed, hooks: hooks, within: map[*plan]int{}}
	f.fill(planOf(p.Type().Elem()), "v", p.Elem())
}

type filling struct {
	next   int
	hooks  []Hook
	within map[*plan]int // how deep in each recursive type
}

func (f *filling) count() int {
	f.next++
	return f.next
}

func (f *filling) fill(p *plan, name string, v reflect.Value) {
	if f.custom(v) {
		return
	}
	switch p.shape {
	case instant:
		n := f.count()
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+int64(n), int64(n)).UTC()))
	case octets:
		v.SetBytes(fmt.Appendf(nil, "%s%d", name, f.count()))
	case record:
		f.within[p]++
		for i := range p.fields {
			fl := &p.fields[i]
			f.fill(fl.plan, p.typ.Field(fl.index).Name, v.Field(fl.index))
		}
		f.within[p]--
	case pointer:
		if f.fresh(p) {
			v.Set(reflect.New(p.elem.typ))
			f.fill(p.elem, name, v.Elem())
		}
	case list:
		if f.fresh(p) {
			v.Set(reflect.MakeSlice(p.typ, 2, 2))
			f.elements(p, name, v)
		}
	case array:
		f.elements(p, name, v)
	case dict:
		if f.fresh(p) {
			f.entries(p, name, v)
		}
	case dynamic:
		if p.typ.NumMethod() != 0 {
			panic(fmt.Sprintf("walk: no value to fill the interface %s with: give Fill a hook", p.typ))
		}
		v.Set(reflect.ValueOf(fmt.Sprintf("%s%d", name, f.count())))
	default:
		f.scalar(p, name, v)
	}
}

// custom lets a hook or the type itself make the value.
func (f *filling) custom(v reflect.Value) bool {
	for _, h := range f.hooks {
		if h.typ == v.Type() {
			v.Set(h.make(f.count()))
			return true
		}
	}
	if filler, ok := v.Addr().Interface().(Filler); ok {
		filler.Fill(f.count())
		return true
	}
	return false
}

// fresh reports whether what p leads to is not too deep within itself.
func (f *filling) fresh(p *plan) bool {
	for p.elem != nil {
		p = p.elem
	}
	return f.within[p] < 2
}

func (f *filling) elements(p *plan, name string, v reflect.Value) {
	for i := range v.Len() {
		f.fill(p.elem, name, v.Index(i))
	}
}

func (f *filling) entries(p *plan, name string, v reflect.Value) {
	v.Set(reflect.MakeMap(p.typ))
	for range 2 {
		key, elem := reflect.New(p.key.typ).Elem(), reflect.New(p.elem.typ).Elem()
		f.fill(p.key, name+"Key", key)
		f.fill(p.elem, name, elem)
		v.SetMapIndex(key, elem)
	}
}

func (f *filling) scalar(p *plan, name string, v reflect.Value) {
	n := f.count()
	small := n%100 + 1 // fits the smallest integers
	switch x := v.Addr().Interface().(type) {
	case *netip.Addr:
		*x = address(n)
		return
	case *netip.AddrPort:
		*x = netip.AddrPortFrom(address(n), uint16(small))
		return
	case *netip.Prefix:
		*x = netip.PrefixFrom(address(n), 24)
		return
	}
	switch p.typ.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s%d", name, n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8:
		v.SetInt(int64(small))
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint8:
		v.SetUint(uint64(small))
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n) + 0.5)
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(n), 1))
	}
}

func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}
