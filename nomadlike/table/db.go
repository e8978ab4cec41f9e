package table

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A DB is a database in memory. Any number may read while one writes.
type DB struct {
	schema  *Schema
	writing sync.Mutex
	current atomic.Pointer[content]
	watches watches
}

// A content is what a DB holds at one moment. It never changes.
type content struct {
	rows []any    // a *rows[T] for each table
	last []uint64 // the log index at which each table last changed
	// restores counts how often the whole content was replaced.
	restores int
}

// Open returns an empty database.
func (s *Schema) Open() *DB {
	db := &DB{schema: s}
	db.current.Store(s.empty(0))
	return db
}

func (s *Schema) empty(restores int) *content {
	c := &content{rows: make([]any, len(s.tables)), last: make([]uint64, len(s.tables)), restores: restores}
	for i := range s.tables {
		c.rows[i] = s.tables[i].empty()
	}
	return c
}

// change returns a content that may be written, and shares all that is not.
func (c *content) change() *content {
	return &content{rows: append([]any(nil), c.rows...), last: append([]uint64(nil), c.last...), restores: c.restores}
}

// Read returns a transaction that sees the database as it is now, for as long as
// it is held. It needs no Commit and may be shared by goroutines.
func (db *DB) Read() *Tx { return &Tx{db: db, content: db.current.Load()} }

// Write returns the transaction that carries out the log entry at index. It
// blocks while another is open; end it with Commit or Abort. It is for one
// goroutine.
func (db *DB) Write(index uint64) *Tx {
	db.writing.Lock()
	return db.writer(db.current.Load().change(), index)
}

func (db *DB) writer(c *content, index uint64) *Tx {
	return &Tx{db: db, content: c, index: index, writes: &writes{own: make([]bool, len(c.rows)), changed: map[place]int{}}}
}

// A Tx is a transaction.
type Tx struct {
	db      *DB
	content *content
	index   uint64 // of the log entry being applied
	writes  *writes
}

// writes are what belongs to a transaction that writes.
type writes struct {
	own     []bool // tables whose rows are the transaction's own
	changes []Change
	changed map[place]int // where in changes a value stands
	passing bool          // a value was new, and was deleted
	ended   bool
}

// A place is a value's, or of a part of an index, in one of the tables.
type place struct {
	table int
	key   Key
}

// Index returns the log index the transaction writes at; 0 for a reader.
func (tx *Tx) Index() uint64 { return tx.index }

// Commit makes the writes visible, and records the index for each table that was
// written to. After Commit or Abort it does nothing.
func (tx *Tx) Commit() {
	w := tx.writes
	if w == nil || w.ended {
		return
	}
	for i, own := range w.own {
		if own {
			tx.content.last[i] = tx.index
		}
	}
	w.ended = true
	tx.db.current.Store(tx.content)
	tx.db.writing.Unlock()
	tx.db.watches.committed(tx)
}

// Abort drops the writes. After Commit it does nothing, so it can be deferred.
func (tx *Tx) Abort() {
	w := tx.writes
	if w == nil || w.ended {
		return
	}
	w.ended = true
	tx.content = tx.db.current.Load()
	tx.db.writing.Unlock()
}

// A Change is one value that a transaction put or deleted.
type Change struct {
	Table  string
	Before any // a *T, nil if the value is new
	After  any // a *T, nil if it was deleted

	table int
}

// Changes returns what the transaction has written so far, in order, with one
// Change for each value. It may be called after Commit, and must not be changed.
func (tx *Tx) Changes() []Change {
	if tx.writes == nil {
		return nil
	}
	if tx.writes.passing {
		return slices.DeleteFunc(slices.Clone(tx.writes.changes), func(c Change) bool { return c.Before == nil && c.After == nil })
	}
	return tx.writes.changes
}

// note adds to the changes.
func (tx *Tx) note(t int, key Key, before, after any) {
	w := tx.writes
	at := place{t, key}
	if i, ok := w.changed[at]; ok {
		w.changes[i].After = after
		w.passing = w.passing || after == nil && w.changes[i].Before == nil
		return
	}
	w.changed[at] = len(w.changes)
	w.changes = append(w.changes, Change{Table: tx.db.schema.tables[t].name, Before: before, After: after, table: t})
}

// LastIndex returns the highest LastIndex of all tables.
func (tx *Tx) LastIndex() uint64 {
	var last uint64
	for _, index := range tx.content.last {
		last = max(last, index)
	}
	return last
}
