package table

import (
	"slices"
	"strings"
)

// A tree is a B-tree of rows. Its copies share with it all nodes that neither has
// changed since: a state is kept for as long as somebody reads it, and a commit
// copies but the way to what it changes. In a radix tree with a channel at each node,
// for watching, an entry takes ten times the memory.
type tree[T any] struct {
	root *node[T]
	mine *owner // of the nodes that may be changed
}

// A row is a value where a tree has it.
type row[T any] struct {
	at    Key // in the index; in the primary, its key
	key   Key // of the value; "" in the primary
	value *T
}

// An owner is nothing but itself.
type owner struct{ _ byte }

// A node of a tree has one kid more than rows, or none. All but the root have at
// least leastRows.
type node[T any] struct {
	owner *owner
	rows  []row[T]
	kids  []*node[T]
}

// More rows in a node make changes dearer, fewer make trees deeper.
const (
	mostRows  = 32
	leastRows = mostRows/2 - 1
)

func newTree[T any]() *tree[T] {
	t := &tree[T]{mine: &owner{}}
	t.root = t.node()
	return t
}

// clone returns a tree that may be changed as t may be, without the other noticing.
func (t *tree[T]) clone() *tree[T] {
	t.mine = &owner{}
	return &tree[T]{root: t.root, mine: &owner{}}
}

func (t *tree[T]) node() *node[T] { return &node[T]{owner: t.mine, rows: make([]row[T], 0, mostRows)} }

// own returns a node that may be changed in the place of n.
func (t *tree[T]) own(n *node[T]) *node[T] {
	if n.owner == t.mine {
		return n
	}
	c := t.node()
	c.rows = append(c.rows, n.rows...)
	if len(n.kids) > 0 {
		c.kids = append(make([]*node[T], 0, mostRows+1), n.kids...)
	}
	return c
}

// kid returns a node's own kid.
func (t *tree[T]) kid(n *node[T], i int) *node[T] {
	n.kids[i] = t.own(n.kids[i])
	return n.kids[i]
}

// find returns where a row is in a node, or would be.
func (n *node[T]) find(at, key Key) (int, bool) {
	low, high := 0, len(n.rows)
	for low < high {
		mid := int(uint(low+high) >> 1)
		order := strings.Compare(string(n.rows[mid].at), string(at))
		if order == 0 {
			order = strings.Compare(string(n.rows[mid].key), string(key))
		}
		switch {
		case order == 0:
			return mid, true
		case order < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return low, false
}

// get returns the row with these keys, which is empty if there is none.
func (t *tree[T]) get(at, key Key) row[T] {
	for n := t.root; ; {
		i, found := n.find(at, key)
		switch {
		case found:
			return n.rows[i]
		case len(n.kids) == 0:
			return row[T]{}
		}
		n = n.kids[i]
	}
}

// first returns the first row not before these keys, which is empty if there is none.
func (t *tree[T]) first(at, key Key) (next row[T]) {
	for n := t.root; ; {
		i, found := n.find(at, key)
		if i < len(n.rows) {
			next = n.rows[i]
		}
		if found || len(n.kids) == 0 {
			return next
		}
		n = n.kids[i]
	}
}

// from calls fn with the rows from at on, in order, until it returns false.
func (t *tree[T]) from(at Key, fn func(row[T]) bool) { t.root.from(at, fn) }

func (n *node[T]) from(at Key, fn func(row[T]) bool) bool {
	i, _ := n.find(at, "")
	if len(n.kids) > 0 && !n.kids[i].from(at, fn) {
		return false
	}
	for ; i < len(n.rows); i++ {
		if !fn(n.rows[i]) || len(n.kids) > 0 && !n.kids[i+1].each(fn) {
			return false
		}
	}
	return true
}

func (n *node[T]) each(fn func(row[T]) bool) bool {
	for i := range n.rows {
		if len(n.kids) > 0 && !n.kids[i].each(fn) || !fn(n.rows[i]) {
			return false
		}
	}
	return len(n.kids) == 0 || n.kids[len(n.kids)-1].each(fn)
}

// put adds a row, or replaces the one with its keys.
func (t *tree[T]) put(r row[T]) {
	t.root = t.own(t.root)
	if len(t.root.rows) == mostRows {
		left := t.root
		t.root = t.node()
		t.root.kids = append(make([]*node[T], 0, mostRows+1), left)
		t.split(t.root, 0)
	}
	for n := t.root; ; {
		i, found := n.find(r.at, r.key)
		switch {
		case found:
			n.rows[i] = r
			return
		case len(n.kids) == 0:
			n.rows = slices.Insert(n.rows, i, r)
			return
		case len(n.kids[i].rows) == mostRows:
			t.split(n, i)
			continue // r may be the row that has come up, or beyond it
		}
		n = t.kid(n, i)
	}
}

// split makes two of a node's full kid.
func (t *tree[T]) split(n *node[T], i int) {
	const mid = mostRows / 2
	left, right := t.kid(n, i), t.node()
	right.rows = append(right.rows, left.rows[mid+1:]...)
	n.rows = slices.Insert(n.rows, i, left.rows[mid])
	n.kids = slices.Insert(n.kids, i+1, right)
	clear(left.rows[mid:])
	left.rows = left.rows[:mid]
	if len(left.kids) > 0 {
		right.kids = append(make([]*node[T], 0, mostRows+1), left.kids[mid+1:]...)
		clear(left.kids[mid+1:])
		left.kids = left.kids[:mid+1]
	}
}

// remove deletes the row with these keys, if it is there.
func (t *tree[T]) remove(at, key Key) {
	t.root = t.own(t.root)
	t.removeFrom(t.root, at, key)
	if len(t.root.rows) == 0 && len(t.root.kids) > 0 {
		t.root = t.root.kids[0]
	}
}

func (t *tree[T]) removeFrom(n *node[T], at, key Key) {
	i, found := n.find(at, key)
	switch {
	case len(n.kids) == 0 && found:
		n.rows = slices.Delete(n.rows, i, i+1)
	case len(n.kids) == 0:
	case found: // the last row before it takes its place
		n.rows[i] = t.removeLast(t.kid(n, i))
		t.fill(n, i)
	default:
		t.removeFrom(t.kid(n, i), at, key)
		t.fill(n, i)
	}
}

// removeLast deletes the last row below a node and returns it.
func (t *tree[T]) removeLast(n *node[T]) (last row[T]) {
	end := len(n.rows)
	if len(n.kids) > 0 {
		last = t.removeLast(t.kid(n, end))
		t.fill(n, end)
		return last
	}
	last = n.rows[end-1]
	n.rows = slices.Delete(n.rows, end-1, end)
	return last
}

// fill gives a node's kid that has too few rows one of its neighbours', or joins it
// with one.
func (t *tree[T]) fill(n *node[T], i int) {
	switch {
	case len(n.kids[i].rows) >= leastRows:
	case i > 0 && len(n.kids[i-1].rows) > leastRows:
		left, kid := t.kid(n, i-1), t.kid(n, i)
		end := len(left.rows) - 1
		kid.rows = slices.Insert(kid.rows, 0, n.rows[i-1])
		n.rows[i-1] = left.rows[end]
		left.rows = slices.Delete(left.rows, end, end+1)
		if len(left.kids) > 0 {
			kid.kids = slices.Insert(kid.kids, 0, left.kids[end+1])
			left.kids = slices.Delete(left.kids, end+1, end+2)
		}
	case i < len(n.rows) && len(n.kids[i+1].rows) > leastRows:
		kid, right := t.kid(n, i), t.kid(n, i+1)
		kid.rows = append(kid.rows, n.rows[i])
		n.rows[i] = right.rows[0]
		right.rows = slices.Delete(right.rows, 0, 1)
		if len(right.kids) > 0 {
			kid.kids = append(kid.kids, right.kids[0])
			right.kids = slices.Delete(right.kids, 0, 1)
		}
	default:
		t.join(n, min(i, len(n.rows)-1))
	}
}

// join makes one of a node's kid and the next.
func (t *tree[T]) join(n *node[T], i int) {
	left, right := t.kid(n, i), n.kids[i+1]
	left.rows = append(append(left.rows, n.rows[i]), right.rows...)
	left.kids = append(left.kids, right.kids...)
	n.rows = slices.Delete(n.rows, i, i+1)
	n.kids = slices.Delete(n.kids, i+1, i+2)
}
