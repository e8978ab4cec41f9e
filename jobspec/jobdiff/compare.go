package jobdiff

import (
	"cmp"
	"maps"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// compare compares two blocks of which one may be missing. all lists unchanged
// fields too.
func compare(a, b *tree, all bool) (fields []*n.FieldDiff, objects []*n.ObjectDiff) {
	if a == nil {
		a = &tree{}
	}
	if b == nil {
		b = &tree{}
	}
	names := maps.Clone(a.fields)
	if names == nil {
		names = map[field]string{}
	}
	maps.Copy(names, b.fields)
	for _, name := range slices.SortedFunc(maps.Keys(names), byName) {
		f := &n.FieldDiff{Name: name.name, Old: a.fields[name], New: b.fields[name]}
		if f.Type = fieldKind(f.Old, f.New); f.Type != n.DiffNone || all {
			fields = append(fields, f)
		}
	}
	return fields, compareBlocks(a.blocks, b.blocks, all)
}

func byName(x, y field) int {
	return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.element, y.element))
}

func fieldKind(old, new string) string {
	switch {
	case old == new:
		return n.DiffNone
	case old == "":
		return n.DiffAdded
	case new == "":
		return n.DiffDeleted
	}
	return n.DiffEdited
}

// compareBlocks matches blocks of one name with each other.
func compareBlocks(a, b []block, all bool) (out []*n.ObjectDiff) {
	olds, news := named(a), named(b)
	names := maps.Clone(olds)
	maps.Copy(names, news)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		pairs := matchByKey
		if slices.ContainsFunc(slices.Concat(olds[name], news[name]), func(b block) bool { return b.service }) {
			pairs = matchByScore
		}
		for _, p := range pairs(olds[name], news[name]) {
			if d := compareBlock(name, p.old, p.new, all); d != nil {
				out = append(out, d)
			}
		}
	}
	return out
}

func named(list []block) map[string][]block {
	m := map[string][]block{}
	for _, b := range list {
		m[b.name] = append(m[b.name], b)
	}
	return m
}

func compareBlock(name string, a, b *tree, all bool) *n.ObjectDiff {
	d := &n.ObjectDiff{Type: kind(a == nil, b == nil), Name: name}
	d.Fields, d.Objects = compare(a, b, all)
	if d.Type == n.DiffEdited && len(d.Objects) == 0 && !slices.ContainsFunc(d.Fields, changed) {
		return nil
	}
	return d
}

func changed(f *n.FieldDiff) bool { return f.Type != n.DiffNone }
