// Package table owns typed tables in memory: keys and indexes declared by
// functions, reads of one moment while others write, the log index at which
// each table last changed, watching, and one way to save and restore all tables.
// It does not own what is stored, nor the rule by which commands change it.
//
// A database is declared once, as package variables:
//
//	var schema table.Schema
//	var jobs = table.New(&schema, "jobs", func(j *Job) table.Key { return table.K2(j.Namespace, j.ID) })
//	var allocsByNode = table.By("node", func(a *Alloc) table.Key { return table.K(a.NodeID) })
//	var allocs = table.New(&schema, "allocs", func(a *Alloc) table.Key { return table.K(a.ID) }, allocsByNode)
//
// The one rule for users: a value is never changed after Put, by anybody, since
// every reader holds the same pointer. Change a walk.Clone and Put that.
//
// Asking a table for an index it does not have, or a table of another database,
// is a mistake in the program and panics.
package table

import (
	"fmt"

	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// A Schema collects the tables of one database. Declare all of them before Open.
type Schema struct {
	tables []stored // in order of declaration
}

// stored is what can be done with a table whatever its values are.
type stored struct {
	name    string
	indexes int
	empty   func() any                                    // a *rows[T]
	read    func(row []byte) (any, error)                 // a decoded, valid value
	add     func(rows, value any)                         // to rows that nobody reads
	each    func(rows any, fn func(any) bool)             // by key
	keys    func(value any, index int) []Key              // in a tree
	differ  func(was, is any, index int, prefix Key) bool // under a prefix
}

// A Table holds values of type T.
type Table[T any] struct {
	name    string
	number  int // in its schema
	key     func(*T) Key
	indexes []Index[T]
}

// New adds a table to the schema. key must return the same Key for a value for
// ever; values with the empty Key are refused. New panics if the name is taken.
func New[T any](s *Schema, name string, key func(*T) Key, indexes ...Index[T]) Table[T] {
	for _, other := range s.tables {
		if other.name == name {
			panic(fmt.Sprintf("table: a second table %q", name))
		}
	}
	names := map[string]bool{"": true}
	for _, x := range indexes {
		if names[x.name] {
			panic(fmt.Sprintf("table: %s cannot have an index %q", name, x.name))
		}
		names[x.name] = true
	}
	if name == "" {
		panic("table: a table without a name")
	}
	t := Table[T]{name: name, number: len(s.tables), key: key, indexes: indexes}
	s.tables = append(s.tables, stored{
		name: name, indexes: len(indexes), read: t.read, keys: t.keys, differ: t.differ,
		empty: func() any { return newRows[T](len(indexes)) },
		add:   func(rs, v any) { t.put(rs.(*rows[T]), t.key(v.(*T)), v.(*T)) },
		each:  func(rs any, fn func(any) bool) { rs.(*rows[T]).primary.under("", func(v *T) bool { return fn(v) }) },
	})
	return t
}

// keys are those under which a tree has a value.
func (t Table[T]) keys(value any, index int) []Key {
	if index == primary {
		return []Key{t.key(value.(*T))}
	}
	return t.indexes[index].keys(value.(*T))
}

// differ reports whether a tree has other values under a prefix than it had.
func (t Table[T]) differ(was, is any, index int, prefix Key) bool {
	var old []*T
	was.(*rows[T]).tree(index).under(prefix, func(v *T) bool { old = append(old, v); return true })
	i, same := 0, true
	is.(*rows[T]).tree(index).under(prefix, func(v *T) bool {
		same = i < len(old) && old[i] == v
		i++
		return same
	})
	return !same || i != len(old)
}

// Restored lets fn change each value of a snapshot before it is stored.
func (t Table[T]) Restored(s *Schema, fn func(*T)) Table[T] {
	read := t.read
	s.tables[t.number].read = func(row []byte) (any, error) {
		v, err := read(row)
		if err == nil {
			fn(v.(*T))
		}
		return v, err
	}
	return t
}

// Name returns the name the table was declared with.
func (t Table[T]) Name() string { return t.name }

// read decodes a row of a snapshot.
func (t Table[T]) read(row []byte) (any, error) {
	v := new(T)
	if err := wire.Decode(row, v); err != nil {
		return nil, err
	}
	if t.key(v) == "" {
		return nil, fmt.Errorf("a value without a key")
	}
	return v, nil
}
