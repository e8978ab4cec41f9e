// Package walk owns what can be derived from the shape of a value: deep copies,
// comparison, differences with paths, filling for tests, and the list of its
// fields. It covers every exported field of every type unless a tag opts out, so
// that a new field cannot be forgotten.
//
// Values are trees of structs, slices, arrays, maps, pointers, scalars and
// strings. Cyclic values never end. Types with unexported fields cannot be
// walked, except the few immutable ones of the standard library that are treated
// as scalars (time.Time and those of net/netip); a type that cannot be walked
// panics at its first use and names the field.
//
// Tags:
//
//	hcl:",label"       names the element within a slice; without it, its position does
//	update:"inplace"   a change here, or below, does not replace what runs
//	update:"ignore"    Diff does not look here; Clone and Equal do
//
// Reflection costs microseconds a Job (see the benchmarks): not for the inner
// loop of the scheduler.
package walk

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"time"
)

// A shape says how a value is walked.
type shape uint8

const (
	scalar  shape = iota // compared with ==, copied by assignment
	instant              // time.Time
	octets               // a slice of bytes, a leaf
	pointer
	dynamic // an interface
	record  // a struct
	list    // a slice
	array
	dict
)

// A plan is what must be known to walk values of one type, worked out once.
type plan struct {
	typ    reflect.Type
	shape  shape
	flat   bool    // assignment copies everything
	key    *plan   // of a dict
	elem   *plan   // of a pointer, list, array or dict
	fields []field // of a record
	deep   []int   // indexes into fields of those that are not flat
	labels []int   // struct indexes of the fields that name an element
}

type field struct {
	index   int
	name    string // "" when embedded: its fields are promoted
	inPlace bool
	ignore  bool
	plan    *plan
}

// immutable lists struct types with unexported fields that are safe to assign.
var immutable = map[reflect.Type]bool{
	reflect.TypeFor[netip.Addr]():     true,
	reflect.TypeFor[netip.AddrPort](): true,
	reflect.TypeFor[netip.Prefix]():   true,
}

var (
	plans    sync.Map // reflect.Type → *plan, complete ones only
	planning sync.Mutex
)

// planOf returns the plan for t, making it on first use.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	planning.Lock()
	defer planning.Unlock()
	b := builder{}
	p := b.plan(t, t.String())
	for t, p := range b {
		plans.LoadOrStore(t, p)
	}
	return p
}

// A builder holds the plans under construction, so that a recursive type finds
// itself.
type builder map[reflect.Type]*plan

func (b builder) plan(t reflect.Type, path string) *plan {
	if p, ok := b[t]; ok {
		return p
	}
	p := &plan{typ: t}
	b[t] = p
	switch t.Kind() {
	case reflect.Pointer:
		p.shape, p.elem = pointer, b.plan(t.Elem(), path)
	case reflect.Interface:
		p.shape = dynamic
	case reflect.Slice:
		p.shape, p.elem = list, b.plan(t.Elem(), path+"[]")
		if t.Elem().Kind() == reflect.Uint8 {
			p.shape = octets
		}
	case reflect.Array:
		p.shape, p.elem = array, b.plan(t.Elem(), path+"[]")
		p.flat = p.elem.flat
	case reflect.Map:
		p.shape, p.elem = dict, b.plan(t.Elem(), path+"[]")
		if p.key = b.plan(t.Key(), path+"[key]"); !p.key.flat {
			panic(fmt.Sprintf("walk: %s: map keys of type %s", path, t.Key()))
		}
	case reflect.Struct:
		b.record(p, path)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		panic(fmt.Sprintf("walk: %s: a %s has no parts to walk", path, t.Kind()))
	default:
		p.flat = true
	}
	return p
}

func (b builder) record(p *plan, path string) {
	if p.typ == reflect.TypeFor[time.Time]() {
		p.shape, p.flat = instant, true
		return
	}
	if immutable[p.typ] {
		p.flat = true
		return
	}
	p.shape = record
	for i := range p.typ.NumField() {
		f := p.typ.Field(i)
		at := path + "." + f.Name
		if !f.IsExported() {
			panic(fmt.Sprintf("walk: %s is not exported", at))
		}
		update := f.Tag.Get("update")
		fl := field{
			index: i, name: f.Name, inPlace: update == "inplace", ignore: update == "ignore",
			plan: b.plan(f.Type, at),
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && fl.plan.shape == record {
			fl.name = ""
		}
		if _, options, _ := strings.Cut(f.Tag.Get("hcl"), ","); options == "label" {
			p.labels = append(p.labels, i)
		}
		if !fl.plan.flat {
			p.deep = append(p.deep, len(p.fields))
		}
		p.fields = append(p.fields, fl)
	}
	p.flat = len(p.deep) == 0
}
