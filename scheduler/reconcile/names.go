package reconcile

import (
	"cmp"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// names knows which indexes of a group are in use.
type names struct {
	job, group string
	count      int
	used       map[int]bool
}

func newNames(in *Input, group string, count int, lists ...[]*n.Allocation) *names {
	x := &names{job: string(in.Key.ID), group: group, count: count, used: map[int]bool{}}
	for _, l := range lists {
		for _, a := range l {
			if i := a.Index(); i >= 0 {
				x.used[i] = true
			}
		}
	}
	return x
}

func (x *names) name(i int) string {
	x.used[i] = true
	return n.AllocName(x.job, x.group, i)
}

// next returns want names: the lowest that are free below the count, then from 0
// again.
func (x *names) next(want int) (out []string) {
	for i := 0; i < x.count && len(out) < want; i++ {
		if !x.used[i] {
			out = append(out, x.name(i))
		}
	}
	for i := 0; len(out) < want; i++ {
		out = append(out, x.name(i))
	}
	return out
}

// canaries returns want names of canaries: first those of what they shall
// replace, then free ones below the count, then above it.
func (x *names) canaries(want int, existing, replaced []*n.Allocation) (out []string) {
	taken := map[int]bool{}
	for _, a := range existing {
		taken[a.Index()] = true
	}
	add := func(i int) {
		if len(out) < want && i >= 0 && !taken[i] {
			taken[i] = true
			out = append(out, x.name(i))
		}
	}
	for _, a := range byIndex(replaced) {
		if a.Index() < x.count {
			add(a.Index())
		}
	}
	for i := range x.count {
		if !x.used[i] {
			add(i)
		}
	}
	for i := x.count; len(out) < want; i++ {
		add(i)
	}
	return out
}

func byIndex(list []*n.Allocation) []*n.Allocation {
	return slices.SortedStableFunc(slices.Values(list), func(a, b *n.Allocation) int {
		return cmp.Or(cmp.Compare(a.Index(), b.Index()), cmp.Compare(a.CreateIndex, b.CreateIndex), cmp.Compare(a.ID, b.ID))
	})
}

// highest returns up to want allocations with the highest indexes.
func highest(list []*n.Allocation, want int) []*n.Allocation {
	sorted := byIndex(list)
	slices.Reverse(sorted)
	return sorted[:min(want, len(sorted))]
}
