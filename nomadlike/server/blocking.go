package server

import (
	"context"
	"math/rand/v2"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

// maxQueryTime is how long a read waits for a newer answer, when the caller does
// not say, and at most.
const maxQueryTime = 5 * time.Minute

// A look reads an answer and its index, and watches what it was read from.
type look[T any] func(v *state.View, ws table.WatchSet) (value T, index uint64, err error)

// query answers a read; a blocking one when the answer's index is above
// MinQueryIndex or its time is up.
func query[T any](ctx context.Context, s *Server, o *n.QueryOptions, fn look[T]) (*n.Reply[T], error) {
	value, index, err := wait(ctx, s, o, fn)
	if err != nil {
		return nil, err
	}
	return &n.Reply[T]{QueryMeta: n.QueryMeta{Index: max(index, 1)}, Value: value}, nil
}

func wait[T any](ctx context.Context, s *Server, o *n.QueryOptions, fn look[T]) (T, uint64, error) {
	if o.MinQueryIndex == 0 {
		return fn(s.store.Read(), nil)
	}
	limit := o.MaxQueryTime
	if limit <= 0 || limit > maxQueryTime {
		limit = maxQueryTime
	}
	// Spread the answers of many that began to wait together.
	ctx, cancel := context.WithTimeout(ctx, limit+rand.N(limit/16+1))
	defer cancel()
	for {
		ws := table.NewWatchSet()
		value, index, err := fn(s.store.Read(), ws)
		if err == nil && index > o.MinQueryIndex {
			return value, index, nil
		}
		if ws.Wait(ctx, s.closing) != nil { // the time is up, or the caller is gone
			return value, index, err
		}
		select {
		case <-s.closing:
			return value, index, errClosing
		default:
		}
	}
}
