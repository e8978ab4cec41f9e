package table

import (
	"fmt"
	"iter"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Get returns the value at key, or nil. ws fires when it is put or deleted.
func (t Table[T]) Get(tx *Tx, ws WatchSet, key Key) *T {
	tx.see(ws, t.number, primary, key)
	return t.rows(tx).primary.get(key, "").value
}

// All ranges over the table by key. ws fires when anything in it changes.
func (t Table[T]) All(tx *Tx, ws WatchSet) iter.Seq[*T] { return t.Prefix(tx, ws, "") }

// Prefix ranges over the values whose key begins with prefix, by key: those of
// K(ns) in a table keyed by K2, or of an Open key. ws fires when any of them
// changes or another appears.
func (t Table[T]) Prefix(tx *Tx, ws WatchSet, prefix Key) iter.Seq[*T] {
	return t.scan(tx, ws, primary, prefix)
}

// From ranges over the values with keys at and after start, by key. It cannot be
// watched: watch what All or Prefix would return, or LastIndex.
func (t Table[T]) From(tx *Tx, start Key) iter.Seq[*T] {
	rows := t.rows(tx)
	return func(yield func(*T) bool) {
		rows.primary.from(start, func(r row[T]) bool { return yield(r.value) })
	}
}

// By ranges over the values that index has under keys beginning with key, which
// for a whole key means that key: by that key, then by their own. ws fires as for
// Prefix.
func (t Table[T]) By(tx *Tx, ws WatchSet, index Index[T], key Key) iter.Seq[*T] {
	for i, x := range t.indexes {
		if x.name == index.name {
			return t.scan(tx, ws, i, key)
		}
	}
	panic(fmt.Sprintf("table: %s has no index %q", t.name, index.name))
}

// scan ranges anew each time it is ranged over. A writer sees what it had written
// when it asked.
func (t Table[T]) scan(tx *Tx, ws WatchSet, index int, prefix Key) iter.Seq[*T] {
	tx.see(ws, t.number, index, prefix)
	tree := t.rows(tx).tree(index)
	if tx.writes != nil && tx.writes.own[t.number] {
		tree = tree.clone()
	}
	return func(yield func(*T) bool) { tree.under(prefix, yield) }
}

// First returns the first value of a range, or nil.
func First[T any](seq iter.Seq[*T]) *T {
	for v := range seq {
		return v
	}
	return nil
}

// Put stores v, replacing what has its key. v belongs to the table from here on
// and must not be changed again, even if tx is aborted. Put fails with Invalid if
// v has no key, and with Conflict if another value has its place in a unique
// index.
func (t Table[T]) Put(tx *Tx, v *T) error {
	key := t.key(v)
	if key == "" {
		return errs.Newf(errs.Invalid, "%s: a value without a key", t.name)
	}
	for _, x := range t.indexes {
		if !x.unique {
			continue
		}
		if k := x.one(v); k != "" {
			if other := First(t.By(tx, nil, x, k)); other != nil && t.key(other) != key {
				return errs.Newf(errs.Conflict, "%s: another value has the same %s", t.name, x.name)
			}
		}
	}
	if old := t.put(t.own(tx), key, v); old != nil {
		tx.note(t.number, key, old, v)
	} else {
		tx.note(t.number, key, nil, v)
	}
	return nil
}

// Delete removes the value at key and returns it, or nil if there is none.
func (t Table[T]) Delete(tx *Tx, key Key) *T {
	v := t.Get(tx, nil, key)
	if v != nil {
		t.remove(t.own(tx), key, v)
		tx.note(t.number, key, v, nil)
	}
	return v
}

// LastIndex returns the log index of the last commit that changed the table, or
// 0. ws fires at the next one.
func (t Table[T]) LastIndex(tx *Tx, ws WatchSet) uint64 {
	tx.see(ws, t.number, newest, "")
	return tx.content.last[t.number]
}

// rows are the table's in a transaction.
func (t Table[T]) rows(tx *Tx) *rows[T] { return tx.content.rows[t.number].(*rows[T]) }

// own are the table's rows in a transaction that writes them.
func (t Table[T]) own(tx *Tx) *rows[T] {
	switch {
	case tx.writes == nil || tx.writes.ended:
		panic("table: " + t.name + ": a write in a transaction that reads")
	case !tx.writes.own[t.number]:
		tx.writes.own[t.number] = true
		tx.content.rows[t.number] = t.rows(tx).clone()
	}
	return t.rows(tx)
}
