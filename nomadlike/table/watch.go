package table

import (
	"context"
	"sync"
)

// A WatchSet collects what a reader has looked at, and fires when any of it has
// changed. nil collects nothing.
type WatchSet = *Watch

// A Watch is a WatchSet that collects. What was looked at costs nothing until
// somebody waits for it: only then are commits compared with it.
type Watch struct {
	db   *DB
	seen []sight
}

// NewWatchSet returns a WatchSet that has seen nothing.
func NewWatchSet() WatchSet { return &Watch{} }

// A sight is what a reader has looked at, in a content.
type sight struct {
	aspect
	prefix  Key
	content *content
}

// An aspect of a table is one of its indexes, primary, or newest: nothing but when it
// last changed.
type aspect struct{ table, index int }

const (
	primary = -1
	newest  = -2
)

func (tx *Tx) see(ws WatchSet, table, index int, prefix Key) {
	if ws != nil {
		ws.db = tx.db
		ws.seen = append(ws.seen, sight{aspect{table, index}, prefix, tx.content})
	}
}

// Wait returns nil once something that was seen has changed since, or also is
// closed, and ctx's error when that ends before.
func (w *Watch) Wait(ctx context.Context, also <-chan struct{}) error {
	wake := make(chan struct{}, 1)
	if w.db != nil {
		for _, s := range w.seen {
			w.db.watches.add(s, wake)
		}
		defer func() {
			for _, s := range w.seen {
				w.db.watches.remove(s, wake)
			}
		}()
		// What came between the look and now has woken nobody.
		now := w.db.current.Load()
		for _, s := range w.seen {
			if w.db.schema.changed(s, now) {
				return nil
			}
		}
	}
	select {
	case <-wake:
		return nil
	case <-also:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changed reports whether what was seen is different now.
func (s *Schema) changed(seen sight, now *content) bool {
	was := seen.content
	switch {
	case was.restores != now.restores:
		return true
	case was.last[seen.table] == now.last[seen.table] && was.rows[seen.table] == now.rows[seen.table]:
		return false
	case seen.index == newest:
		return was.last[seen.table] != now.last[seen.table]
	}
	return s.tables[seen.table].differ(was.rows[seen.table], now.rows[seen.table], seen.index, seen.prefix)
}

// watches are what somebody waits for. Prefixes are kept by their length, so that
// a key is compared with all of them by looking up its beginnings.
type watches struct {
	mu      sync.Mutex
	aspects map[aspect]map[int]byPrefix
}

type byPrefix map[Key]map[chan<- struct{}]int // how often a waiter has seen it

func (w *watches) add(s sight, wake chan<- struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aspects == nil {
		w.aspects = map[aspect]map[int]byPrefix{}
	}
	lengths := w.aspects[s.aspect]
	if lengths == nil {
		lengths = map[int]byPrefix{}
		w.aspects[s.aspect] = lengths
	}
	prefixes := lengths[len(s.prefix)]
	if prefixes == nil {
		prefixes = byPrefix{}
		lengths[len(s.prefix)] = prefixes
	}
	waiters := prefixes[s.prefix]
	if waiters == nil {
		waiters = map[chan<- struct{}]int{}
		prefixes[s.prefix] = waiters
	}
	waiters[wake]++
}

func (w *watches) remove(s sight, wake chan<- struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lengths := w.aspects[s.aspect]
	prefixes := lengths[len(s.prefix)]
	waiters := prefixes[s.prefix]
	if waiters[wake]--; waiters[wake] > 0 {
		return
	}
	if delete(waiters, wake); len(waiters) > 0 {
		return
	}
	if delete(prefixes, s.prefix); len(prefixes) > 0 {
		return
	}
	if delete(lengths, len(s.prefix)); len(lengths) == 0 {
		delete(w.aspects, s.aspect)
	}
}

// committed wakes those who have seen what a transaction changed.
func (w *watches) committed(tx *Tx) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.aspects) == 0 {
		return
	}
	for i, own := range tx.writes.own {
		if own {
			w.wake(aspect{i, newest}, "")
		}
	}
	for _, c := range tx.writes.changes {
		t := &tx.db.schema.tables[c.table]
		for index := primary; index < t.indexes; index++ {
			at := aspect{c.table, index}
			if w.aspects[at] == nil {
				continue
			}
			for _, v := range []any{c.Before, c.After} {
				if v == nil {
					continue
				}
				for _, key := range t.keys(v, index) {
					w.wake(at, key)
				}
			}
		}
	}
}

// restored wakes everybody.
func (w *watches) restored() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, lengths := range w.aspects {
		for _, prefixes := range lengths {
			for _, waiters := range prefixes {
				wakeAll(waiters)
			}
		}
	}
}

// wake wakes who waits for a key; the caller holds mu.
func (w *watches) wake(at aspect, key Key) {
	for length, prefixes := range w.aspects[at] {
		if length <= len(key) {
			wakeAll(prefixes[key[:length]])
		}
	}
}

func wakeAll(waiters map[chan<- struct{}]int) {
	for wake := range waiters {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}
