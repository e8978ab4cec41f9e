// Package order keeps many candidates in the order of their scores while a few of
// them change. It is what makes it cheap to look at all nodes for every placement:
// a placement touches one node, and moves one candidate.
//
// Candidates stand in parts. The score of one is the mean of what it has itself,
// given as a sum and a count, and of what all of its part share, such as how
// welcome a further allocation is in their datacenter. A part's share can so change
// for thousands of nodes at once.
package order

import "iter"

// An Order is what this package is about. The zero value is ready.
type Order struct {
	len   int
	items []item
	parts []part
	top   []int32 // parts with candidates, a heap by the best of each
}

// An item is a candidate. It stands in the heap of its part with its count, since
// within that the order of sums is the order of scores, whatever the part shares.
type item struct {
	sum   float64
	tie   uint32
	part  int32
	heap  int32 // within the part, -1 for one that is not in the order
	index int32 // within the heap
}

type part struct {
	share   float64
	applies int32
	heaps   []heap
	index   int32 // in top, -1 for none
	best    float64
	tie     uint32
}

type heap struct {
	count int32
	items []int32
}

// Grow makes room for candidates 0 to n-1. Those that are new are not in the order.
func (o *Order) Grow(n int) {
	for len(o.items) < n {
		o.items = append(o.items, item{heap: -1})
	}
}

// Len is the number of candidates in the order.
func (o *Order) Len() int { return o.len }

// Part says what the candidates of a part share: a score, and whether it counts in
// the mean.
func (o *Order) Part(p int, share float64, applies bool) {
	x := o.part(p)
	a := int32(0)
	if applies {
		a = 1
	}
	if x.share == share && x.applies == a {
		return
	}
	x.share, x.applies = share, a
	o.settle(int32(p))
}

func (o *Order) part(p int) *part {
	for len(o.parts) <= p {
		o.parts = append(o.parts, part{index: -1})
	}
	return &o.parts[p]
}

// Set puts a candidate into the order, or moves it: its part, the sum of its own
// scores and their count, and a number that decides between equal scores, where the
// lower is better.
func (o *Order) Set(i, p int, sum float64, count int, tie uint32) {
	o.part(p)
	x := &o.items[i]
	if x.heap >= 0 && int(x.part) == p && o.parts[p].heaps[x.heap].count == int32(count) {
		x.sum, x.tie = sum, tie
		o.fix(&o.parts[p].heaps[x.heap], x.index)
		o.settle(int32(p))
		return
	}
	if x.heap >= 0 {
		o.Drop(i)
	}
	k := o.parts[p].heap(int32(count))
	h := &o.parts[p].heaps[k]
	*x = item{sum: sum, tie: tie, part: int32(p), heap: k, index: int32(len(h.items))}
	h.items = append(h.items, int32(i))
	o.len++
	o.up(h, x.index)
	o.settle(int32(p))
}

// heap finds the part's heap of a count, or makes it.
func (p *part) heap(count int32) int32 {
	for k := range p.heaps {
		if p.heaps[k].count == count {
			return int32(k)
		}
	}
	p.heaps = append(p.heaps, heap{count: count})
	return int32(len(p.heaps) - 1)
}

// Has reports whether a candidate is in the order.
func (o *Order) Has(i int) bool { return o.items[i].heap >= 0 }

// Drop takes a candidate out.
func (o *Order) Drop(i int) {
	x := &o.items[i]
	if x.heap < 0 {
		return
	}
	h := &o.parts[x.part].heaps[x.heap]
	at, last := x.index, int32(len(h.items)-1)
	h.items[at] = h.items[last]
	o.items[h.items[at]].index = at
	h.items = h.items[:last]
	if at < last {
		o.fix(h, at)
	}
	x.heap = -1
	o.len--
	o.settle(x.part)
}

// before orders candidates of one heap.
func (o *Order) before(a, b int32) bool {
	x, y := &o.items[a], &o.items[b]
	return x.sum > y.sum || x.sum == y.sum && x.tie < y.tie
}

func (o *Order) fix(h *heap, at int32) {
	if !o.up(h, at) {
		o.down(h, at)
	}
}

func (o *Order) up(h *heap, at int32) (moved bool) {
	for at > 0 {
		above := (at - 1) / 2
		if !o.before(h.items[at], h.items[above]) {
			break
		}
		o.swap(h, at, above)
		at, moved = above, true
	}
	return moved
}

func (o *Order) down(h *heap, at int32) {
	for {
		best := at
		for c := 2*at + 1; c <= 2*at+2 && int(c) < len(h.items); c++ {
			if o.before(h.items[c], h.items[best]) {
				best = c
			}
		}
		if best == at {
			return
		}
		o.swap(h, at, best)
		at = best
	}
}

func (o *Order) swap(h *heap, a, b int32) {
	h.items[a], h.items[b] = h.items[b], h.items[a]
	o.items[h.items[a]].index, o.items[h.items[b]].index = a, b
}

// score is a candidate's, as part of its part.
func (p *part) score(sum float64, count int32) float64 {
	if n := count + p.applies; n > 0 {
		return (sum + p.share*float64(p.applies)) / float64(n)
	}
	return 0
}

// settle finds a part's best candidate anew, and puts the part where it belongs.
func (o *Order) settle(p int32) {
	x := &o.parts[p]
	best, tie, found := 0.0, uint32(0), false
	for k := range x.heaps {
		h := &x.heaps[k]
		if len(h.items) == 0 {
			continue
		}
		c := &o.items[h.items[0]]
		if s := x.score(c.sum, h.count); !found || s > best || s == best && c.tie < tie {
			best, tie, found = s, c.tie, true
		}
	}
	switch {
	case !found && x.index >= 0:
		last := int32(len(o.top) - 1)
		at := x.index
		o.swapParts(at, last)
		o.top = o.top[:last]
		x.index = -1
		if at < last {
			o.fixPart(at)
		}
	case !found:
	case x.index < 0:
		x.best, x.tie, x.index = best, tie, int32(len(o.top))
		o.top = append(o.top, p)
		o.fixPart(x.index)
	case x.best != best || x.tie != tie:
		x.best, x.tie = best, tie
		o.fixPart(x.index)
	}
}

func (o *Order) partBefore(a, b int32) bool {
	x, y := &o.parts[o.top[a]], &o.parts[o.top[b]]
	return x.best > y.best || x.best == y.best && x.tie < y.tie
}

func (o *Order) swapParts(a, b int32) {
	o.top[a], o.top[b] = o.top[b], o.top[a]
	o.parts[o.top[a]].index, o.parts[o.top[b]].index = a, b
}

func (o *Order) fixPart(at int32) {
	for at > 0 && o.partBefore(at, (at-1)/2) {
		o.swapParts(at, (at-1)/2)
		at = (at - 1) / 2
	}
	for {
		best := at
		for c := 2*at + 1; c <= 2*at+2 && int(c) < len(o.top); c++ {
			if o.partBefore(c, best) {
				best = c
			}
		}
		if best == at {
			return
		}
		o.swapParts(at, best)
		at = best
	}
}

// A step is where a walk through the order can go on: to a part, if heap is -1, or to
// a candidate of one.
type step struct {
	score float64
	tie   uint32
	part  int32 // index in top if heap is -1
	heap  int32
	index int32
}

// Best goes through the candidates from the best one on, with their scores. The
// order must not change before the loop has ended.
func (o *Order) Best() iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		var space [24]step
		w := &walk{o, space[:0]}
		w.toPart(0)
		for len(w.open) > 0 {
			s := w.next()
			if s.heap < 0 {
				w.toPart(2*s.index + 1)
				w.toPart(2*s.index + 2)
				for k := range o.parts[s.part].heaps {
					w.toItem(s.part, int32(k), 0)
				}
				continue
			}
			if !yield(int(o.parts[s.part].heaps[s.heap].items[s.index]), s.score) {
				return
			}
			w.toItem(s.part, s.heap, 2*s.index+1)
			w.toItem(s.part, s.heap, 2*s.index+2)
		}
	}
}

// A walk goes through all heaps at once. Few steps are open at any time.
type walk struct {
	*Order
	open []step
}

func (w *walk) toPart(index int32) {
	if int(index) < len(w.top) {
		p := w.top[index]
		w.open = append(w.open, step{score: w.parts[p].best, tie: w.parts[p].tie, part: p, heap: -1, index: index})
	}
}

func (w *walk) toItem(p, k, index int32) {
	h := &w.parts[p].heaps[k]
	if int(index) < len(h.items) {
		x := &w.items[h.items[index]]
		w.open = append(w.open, step{score: w.parts[p].score(x.sum, h.count), tie: x.tie, part: p, heap: k, index: index})
	}
}

// next takes the best of the open steps. A part goes before its own best candidate.
func (w *walk) next() step {
	best := 0
	for i := range w.open {
		a, b := &w.open[i], &w.open[best]
		if a.score > b.score || a.score == b.score && (a.tie < b.tie || a.tie == b.tie && a.heap < b.heap) {
			best = i
		}
	}
	s := w.open[best]
	last := len(w.open) - 1
	w.open[best] = w.open[last]
	w.open = w.open[:last]
	return s
}
