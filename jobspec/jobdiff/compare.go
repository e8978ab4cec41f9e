package jobdiff

import (
	"cmp"
	"maps"
	"slices"
	"strings"

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
	names := map[string]bool{}
	for name := range a.fields {
		names[name] = true
	}
	for name := range b.fields {
		names[name] = true
	}
	for _, name := range sortedKeys(names) {
		f := &n.FieldDiff{Old: a.fields[name], New: b.fields[name]}
		f.Name, _, _ = strings.Cut(name, "\x00")
		switch {
		case f.Old == f.New:
			f.Type = n.DiffNone
		case f.Old == "":
			f.Type = n.DiffAdded
		case f.New == "":
			f.Type = n.DiffDeleted
		default:
			f.Type = n.DiffEdited
		}
		if f.Type != n.DiffNone || all && f.Old != "" {
			fields = append(fields, f)
		}
	}
	return fields, compareBlocks(a.blocks, b.blocks, all)
}

type blockKey struct{ name, key string }

// compareBlocks matches blocks by name and key, those of one key in order.
func compareBlocks(a, b []block, all bool) (out []*n.ObjectDiff) {
	olds, news := byKey(a), byKey(b)
	keys := maps.Clone(olds)
	maps.Copy(keys, news)
	sorted := slices.SortedFunc(maps.Keys(keys), func(x, y blockKey) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.key, y.key))
	})
	for _, k := range sorted {
		for i := range max(len(olds[k]), len(news[k])) {
			if d := compareBlock(k.name, at(olds[k], i), at(news[k], i), all); d != nil {
				out = append(out, d)
			}
		}
	}
	return out
}

func compareBlock(name string, a, b *tree, all bool) *n.ObjectDiff {
	changed, within := compare(a, b, false)
	if len(changed)+len(within) == 0 && (a == nil) == (b == nil) {
		return nil
	}
	d := &n.ObjectDiff{Type: kind(a == nil, b == nil), Name: name}
	d.Fields, d.Objects = compare(a, b, all)
	return d
}

func byKey(list []block) map[blockKey][]*tree {
	m := map[blockKey][]*tree{}
	for _, b := range list {
		m[blockKey{b.name, b.key}] = append(m[blockKey{b.name, b.key}], b.tree)
	}
	return m
}

func at(list []*tree, i int) *tree {
	if i < len(list) {
		return list[i]
	}
	return nil
}
