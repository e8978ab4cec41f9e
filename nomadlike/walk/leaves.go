package walk

import "reflect"

// Leaves takes apart a change of which only one side is there: it returns one
// change for each part that is not zero, down to scalars. Any other change, and
// one with nothing in it, is returned as it is.
func (c Change) Leaves() []Change {
	whole := c.New
	if whole == nil {
		whole = c.Old
	}
	if whole == nil || c.Old != nil && c.New != nil {
		return []Change{c}
	}
	v := reflect.ValueOf(whole)
	p := planOf(v.Type())
	switch p.shape {
	case record, list, array, dict:
	default:
		return []Change{c}
	}
	var parts differ
	parts.diff(p, &step{name: c.Path}, c.InPlace, reflect.Zero(v.Type()), v)
	var out []Change
	for _, part := range parts {
		// A part of what is replaced is replaced, however it is tagged.
		leaf := Change{Path: part.Path, InPlace: c.InPlace}
		if c.Old == nil {
			leaf.New = part.New
		} else {
			leaf.Old = part.New
		}
		out = append(out, leaf.Leaves()...)
	}
	if out == nil {
		return []Change{c}
	}
	return out
}
