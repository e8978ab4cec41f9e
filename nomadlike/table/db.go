package table

import (
	"sync/atomic"

	"github.com/hashicorp/go-memdb"
)

// A DB is a database in memory. Any number may read while one writes.
type DB struct {
	schema  *Schema
	current atomic.Pointer[generation]
}

// A generation is the content of a DB between two restores.
type generation struct {
	mem *memdb.MemDB
	// over is closed when a restore puts another generation in place, and then
	// wakes all who watch this one.
	over chan struct{}
}

// Open returns an empty database. It panics if the schema is not valid.
func (s *Schema) Open() *DB {
	db := &DB{schema: s}
	db.current.Store(s.generation())
	return db
}

func (s *Schema) generation() *generation {
	mem, err := memdb.NewMemDB(&s.mem)
	must(err)
	return &generation{mem, make(chan struct{})}
}

// Read returns a transaction that sees the database as it is now, for as long as
// it is held. It needs no Commit and may be shared by goroutines.
func (db *DB) Read() *Tx {
	g := db.current.Load()
	return &Tx{mem: g.mem.Txn(false), over: g.over, schema: db.schema}
}

// Write returns the transaction that carries out the log entry at index. It
// blocks while another is open; end it with Commit or Abort. It is for one
// goroutine.
func (db *DB) Write(index uint64) *Tx {
	g := db.current.Load()
	tx := &Tx{mem: g.mem.Txn(true), over: g.over, schema: db.schema, index: index, touched: map[string]bool{}}
	tx.mem.TrackChanges()
	return tx
}

// A Tx is a transaction.
type Tx struct {
	mem     *memdb.Txn
	over    <-chan struct{}
	schema  *Schema
	index   uint64          // of the log entry being applied
	touched map[string]bool // tables written to
	changes []Change        // set by Commit
}

// Index returns the log index the transaction writes at; 0 for a reader.
func (tx *Tx) Index() uint64 { return tx.index }

// Commit makes the writes visible, and records the index for each table that was
// written to. After Commit or Abort it does nothing.
func (tx *Tx) Commit() {
	tx.changes = tx.Changes()
	for name := range tx.touched {
		tx.setLastIndex(name, tx.index)
	}
	tx.touched = nil
	tx.mem.Commit()
}

// Abort drops the writes. After Commit it does nothing, so it can be deferred.
func (tx *Tx) Abort() {
	tx.mem.Abort()
	tx.touched = nil
}

// A Change is one value that a transaction put or deleted.
type Change struct {
	Table  string
	Before any // a *T, nil if the value is new
	After  any // a *T, nil if it was deleted
}

// Changes returns what the transaction has written so far, in order, with one
// Change for each value. It may be called after Commit.
func (tx *Tx) Changes() []Change {
	if tx.touched == nil {
		return tx.changes
	}
	var out []Change
	for _, c := range tx.mem.Changes() {
		out = append(out, Change{c.Table, c.Before, c.After})
	}
	return out
}

func (tx *Tx) touch(table string) { tx.touched[table] = true }

func (tx *Tx) watch(ws WatchSet, changed <-chan struct{}) {
	ws.Add(changed)
	ws.Add(tx.over)
}
