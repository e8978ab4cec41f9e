package walk

import (
	"fmt"
	"reflect"
	"strings"
)

// labelled reports whether values of p, or what they point to, have a label.
func (p *plan) labelled() bool { return len(p.target().labels) != 0 }

func (p *plan) target() *plan {
	for p.shape == pointer {
		p = p.elem
	}
	return p
}

// label returns the name of one element; several labels are joined by dots.
func (p *plan) label(v reflect.Value) string {
	if v = target(v); !v.IsValid() {
		return "nil"
	}
	labels := p.target().labels
	if len(labels) == 1 && v.Field(labels[0]).Kind() == reflect.String {
		return v.Field(labels[0]).String()
	}
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = fmt.Sprint(v.Field(l))
	}
	return strings.Join(parts, ".")
}

// sameLabels reports whether a and b are short and have the same, distinct
// labels in the same order: the usual case, where positions will do.
func sameLabels(p *plan, a, b reflect.Value) bool {
	if a.Len() != b.Len() || a.Len() > 16 {
		return false
	}
	for i := range a.Len() {
		name := p.label(a.Index(i))
		if name != p.label(b.Index(i)) {
			return false
		}
		for j := range i {
			if p.label(a.Index(j)) == name {
				return false
			}
		}
	}
	return true
}

// byLabel returns the elements by label, and the labels in order. The second
// element of one name is name#2, and so on.
func byLabel(p *plan, v reflect.Value) (names []string, by map[string]reflect.Value) {
	by = make(map[string]reflect.Value, v.Len())
	for i := range v.Len() {
		name := p.label(v.Index(i))
		for n, base := 2, name; by[name].IsValid(); n++ {
			name = fmt.Sprintf("%s#%d", base, n)
		}
		names, by[name] = append(names, name), v.Index(i)
	}
	return names, by
}
