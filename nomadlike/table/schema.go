// Package table owns typed tables over go-memdb: keys and indexes declared by
// functions, reads that return values rather than any, the log index at which
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
	"strings"

	"github.com/hashicorp/go-memdb"
	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// primary is the name under which go-memdb wants the unique index.
const primary = "id"

// A Schema collects the tables of one database. Declare all of them before Open.
type Schema struct {
	mem    memdb.DBSchema
	tables []stored // in order of declaration
}

// stored is what saving and restoring needs to know of a table.
type stored struct {
	name string
	read func(row []byte) (any, error) // a decoded, valid value
}

// A Table holds values of type T.
type Table[T any] struct {
	name   string
	key    func(*T) Key
	unique []Index[T]
}

// New adds a table to the schema. key must return the same Key for a value for
// ever; values with the empty Key are refused. New panics if the name is taken.
func New[T any](s *Schema, name string, key func(*T) Key, indexes ...Index[T]) Table[T] {
	if s.mem.Tables == nil {
		s.mem.Tables = map[string]*memdb.TableSchema{lastIndexes: lastIndexSchema}
	}
	if s.mem.Tables[name] != nil || name == "" {
		panic(fmt.Sprintf("table: a second table %q", name))
	}
	t := Table[T]{name: name, key: key}
	schemas := map[string]*memdb.IndexSchema{
		primary: {Name: primary, Unique: true, Indexer: single[T]{key}},
	}
	for _, x := range indexes {
		if schemas[x.name] != nil || strings.HasSuffix(x.name, "_prefix") { // a suffix of go-memdb's own
			panic(fmt.Sprintf("table: %s cannot have an index %q", name, x.name))
		}
		schemas[x.name] = x.schema()
		if x.unique {
			t.unique = append(t.unique, x)
		}
	}
	s.mem.Tables[name] = &memdb.TableSchema{Name: name, Indexes: schemas}
	s.tables = append(s.tables, stored{name, t.read})
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
