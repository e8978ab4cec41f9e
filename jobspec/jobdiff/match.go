package jobdiff

import (
	"cmp"
	"maps"
	"slices"
)

// A match is a block in both versions, or in one of them.
type match struct{ old, new *tree }

// matchByKey matches blocks that have the same key, those of one key in order. New
// blocks come last, after those that they may be meant to replace.
func matchByKey(a, b []block) (out []match) {
	olds, news := byKey(a), byKey(b)
	keys := maps.Clone(olds)
	maps.Copy(keys, news)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		for i := range max(len(olds[k]), len(news[k])) {
			out = append(out, match{at(olds[k], i), at(news[k], i)})
		}
	}
	return newLast(out)
}

func newLast(list []match) []match {
	slices.SortStableFunc(list, func(x, y match) int {
		switch {
		case (x.old == nil) == (y.old == nil):
			return 0
		case x.old == nil:
			return 1
		}
		return -1
	})
	return list
}

func byKey(list []block) map[string][]*tree {
	m := map[string][]*tree{}
	for _, b := range list {
		m[b.key] = append(m[b.key], b.tree)
	}
	return m
}

func at(list []*tree, i int) *tree {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// matchByScore matches services that are likely to be the same one, the likeliest
// first: a service may get another name, or another port.
func matchByScore(a, b []block) (out []match) {
	type candidate struct{ old, new, score int }
	var all []candidate
	for i := range a {
		for j := range b {
			if s := score(a[i].tree, b[j].tree, i == j); s > leastScore {
				all = append(all, candidate{i, j, s})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int { return cmp.Compare(y.score, x.score) })
	olds, news := map[int]bool{}, map[int]bool{}
	for _, c := range all {
		if !olds[c.old] && !news[c.new] {
			olds[c.old], news[c.new] = true, true
			out = append(out, match{a[c.old].tree, b[c.new].tree})
		}
	}
	for i := range a {
		if !olds[i] {
			out = append(out, match{old: a[i].tree})
		}
	}
	for j := range b {
		if !news[j] {
			out = append(out, match{new: b[j].tree})
		}
	}
	slices.SortStableFunc(out, func(x, y match) int { return cmp.Compare(x.name(), y.name()) })
	return newLast(out)
}

// leastScore must be exceeded: a port or a place in the list is not enough alone.
const leastScore = 2

func score(a, b *tree, samePosition bool) (s int) {
	if a.fields[field{name: "Name"}] == b.fields[field{name: "Name"}] {
		s += 3
	}
	if a.fields[field{name: "PortLabel"}] == b.fields[field{name: "PortLabel"}] {
		s += 2
	}
	if samePosition {
		s++
	}
	return s
}

func (m match) name() string {
	if m.new != nil {
		return m.new.fields[field{name: "Name"}]
	}
	return m.old.fields[field{name: "Name"}]
}
