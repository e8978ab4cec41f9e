package walk

import (
	"iter"
	"reflect"
)

// Fields ranges over the leaves of t, in order: their paths, such as
// Groups[].Tasks[].Env[string], and their types. It is for listing the shape of a
// type in a golden file. A type within itself is a leaf.
func Fields(t reflect.Type) iter.Seq2[string, reflect.Type] {
	return func(yield func(string, reflect.Type) bool) {
		leaves(planOf(t), nil, map[*plan]bool{}, yield)
	}
}

func leaves(p *plan, at *step, within map[*plan]bool, yield func(string, reflect.Type) bool) bool {
	switch p.shape {
	case pointer:
		if p.elem.shape == record {
			return leaves(p.elem, at, within, yield)
		}
	case list, array:
		return leaves(p.elem, &step{up: at, key: true}, within, yield)
	case dict:
		return leaves(p.elem, &step{at, p.key.typ.String(), true}, within, yield)
	case record:
		if within[p] {
			break
		}
		within[p] = true
		defer delete(within, p)
		for _, f := range p.fields {
			if !leaves(f.plan, &step{up: at, name: f.name}, within, yield) {
				return false
			}
		}
		return true
	}
	return yield(at.String(), p.typ)
}
