package table

import "github.com/hashicorp/go-memdb"

// lastIndexes is the table of lastIndex rows. No declared table can have its name.
const lastIndexes = " last index"

// A lastIndex is the log index at which a table last changed.
type lastIndex struct {
	Table string
	Index uint64
}

var lastIndexSchema = &memdb.TableSchema{
	Name: lastIndexes,
	Indexes: map[string]*memdb.IndexSchema{
		primary: {Name: primary, Unique: true, Indexer: single[lastIndex]{func(r *lastIndex) Key { return K(r.Table) }}},
	},
}

func (tx *Tx) lastIndex(ws WatchSet, table string) uint64 {
	changed, v, err := tx.mem.FirstWatch(lastIndexes, primary, K(table))
	must(err)
	tx.watch(ws, changed)
	if v == nil {
		return 0
	}
	return v.(*lastIndex).Index
}

func (tx *Tx) setLastIndex(table string, index uint64) {
	must(tx.mem.Insert(lastIndexes, &lastIndex{table, index}))
}

// LastIndex returns the highest LastIndex of all tables.
func (tx *Tx) LastIndex() uint64 {
	var last uint64
	for _, t := range tx.schema.tables {
		last = max(last, tx.lastIndex(nil, t.name))
	}
	return last
}
