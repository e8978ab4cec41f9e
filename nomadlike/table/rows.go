package table

import "strings"

// rows are the values of a table by their keys, and by each of its indexes.
type rows[T any] struct {
	primary *tree[T]
	indexes []*tree[T] // as they were declared
}

func newRows[T any](indexes int) *rows[T] {
	r := &rows[T]{primary: newTree[T]()}
	for range indexes {
		r.indexes = append(r.indexes, newTree[T]())
	}
	return r
}

// clone returns rows that may be written, while r goes on being read.
func (r *rows[T]) clone() *rows[T] {
	c := &rows[T]{primary: r.primary.clone(), indexes: make([]*tree[T], len(r.indexes))}
	for i, tree := range r.indexes {
		c.indexes[i] = tree.clone()
	}
	return c
}

// tree is that of an index, the primary for a negative one.
func (r *rows[T]) tree(index int) *tree[T] {
	if index < 0 {
		return r.primary
	}
	return r.indexes[index]
}

// under calls fn with what the tree has under keys beginning with prefix, until it
// returns false.
func (t *tree[T]) under(prefix Key, fn func(*T) bool) {
	t.from(prefix, func(r row[T]) bool {
		return strings.HasPrefix(string(r.at), string(prefix)) && fn(r.value)
	})
}

// put stores a value and returns what it replaces.
func (t Table[T]) put(r *rows[T], key Key, v *T) *T {
	old := r.primary.get(key, "")
	if old.value != nil {
		key = old.at // all trees share one string
	}
	r.primary.put(row[T]{at: key, value: v})
	for i, x := range t.indexes {
		tree := r.indexes[i]
		if old.value != nil {
			for _, at := range x.keys(old.value) {
				if !x.has(v, at) {
					tree.remove(at, key)
				}
			}
		}
		for _, at := range x.keys(v) {
			if near := tree.first(at, ""); near.at == at {
				at = near.at // all values under one key share one string, too
			}
			tree.put(row[T]{at: at, key: key, value: v})
		}
	}
	return old.value
}

// remove deletes a value that is there.
func (t Table[T]) remove(r *rows[T], key Key, v *T) {
	r.primary.remove(key, "")
	for i, x := range t.indexes {
		for _, at := range x.keys(v) {
			r.indexes[i].remove(at, key)
		}
	}
}
