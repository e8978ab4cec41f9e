package table

import (
	"iter"

	"github.com/hashicorp/go-memdb"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// A WatchSet collects what a reader has looked at, and fires when any of it may
// have changed. nil collects nothing.
type WatchSet = memdb.WatchSet

// Get returns the value at key, or nil. ws fires when it is put or deleted.
func (t Table[T]) Get(tx *Tx, ws WatchSet, key Key) *T {
	changed, v, err := tx.mem.FirstWatch(t.name, primary, key)
	must(err)
	tx.watch(ws, changed)
	if v == nil {
		return nil
	}
	return v.(*T)
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
	return values[T](func() memdb.ResultIterator {
		it, err := tx.mem.LowerBound(t.name, primary, start)
		must(err)
		return it
	})
}

// By ranges over the values that index has under keys beginning with key, which
// for a whole key means that key: by that key, then by their own. ws fires as for
// Prefix.
func (t Table[T]) By(tx *Tx, ws WatchSet, index Index[T], key Key) iter.Seq[*T] {
	return t.scan(tx, ws, index.name, key)
}

func (t Table[T]) scan(tx *Tx, ws WatchSet, index string, prefix Key) iter.Seq[*T] {
	open := func() memdb.ResultIterator {
		it, err := tx.mem.Get(t.name, index, prefix)
		must(err)
		return it
	}
	if ws != nil {
		tx.watch(ws, open().WatchCh())
	}
	return values[T](open)
}

// values ranges anew each time it is ranged over.
func values[T any](open func() memdb.ResultIterator) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := open()
		for v := it.Next(); v != nil && yield(v.(*T)); v = it.Next() {
		}
	}
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
	for _, x := range t.unique {
		if k := x.one(v); k != "" {
			if other := First(t.By(tx, nil, x, k)); other != nil && t.key(other) != key {
				return errs.Newf(errs.Conflict, "%s: another value has the same %s", t.name, x.name)
			}
		}
	}
	must(tx.mem.Insert(t.name, v))
	tx.touch(t.name)
	return nil
}

// Delete removes the value at key and returns it, or nil if there is none.
func (t Table[T]) Delete(tx *Tx, key Key) *T {
	v := t.Get(tx, nil, key)
	if v != nil {
		must(tx.mem.Delete(t.name, v))
		tx.touch(t.name)
	}
	return v
}

// LastIndex returns the log index of the last commit that changed the table, or
// 0. ws fires at the next one.
func (t Table[T]) LastIndex(tx *Tx, ws WatchSet) uint64 { return tx.lastIndex(ws, t.name) }

// must passes on what can only be a mistake in the program.
func must(err error) {
	if err != nil {
		panic("table: " + err.Error())
	}
}
