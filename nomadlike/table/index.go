package table

import (
	"fmt"

	"github.com/hashicorp/go-memdb"
)

// An Index finds values of type T by something other than their key.
type Index[T any] struct {
	name   string
	unique bool
	one    func(*T) Key
	many   func(*T) []Key
}

// By declares an index under which any number of values may share a Key. Values
// with the empty Key are left out of it.
func By[T any](name string, key func(*T) Key) Index[T] { return Index[T]{name: name, one: key} }

// ByUnique is By where no two values may share a Key: Put refuses the second.
func ByUnique[T any](name string, key func(*T) Key) Index[T] {
	return Index[T]{name: name, one: key, unique: true}
}

// ByMany is By where a value appears under several Keys, each once.
func ByMany[T any](name string, keys func(*T) []Key) Index[T] {
	return Index[T]{name: name, many: keys}
}

func (x Index[T]) schema() *memdb.IndexSchema {
	s := &memdb.IndexSchema{Name: x.name, AllowMissing: true, Unique: x.unique}
	if x.many != nil {
		s.Indexer = several[T]{x.many}
	} else {
		s.Indexer = single[T]{x.one}
	}
	return s
}

// fromArgs reads a Key as go-memdb passes it; every indexer here takes one.
type fromArgs struct{}

func (fromArgs) FromArgs(args ...any) ([]byte, error) {
	if len(args) == 1 {
		if k, ok := args[0].(Key); ok {
			return []byte(k), nil
		}
	}
	return nil, fmt.Errorf("table: want one Key, not %v", args)
}

// single indexes a value under at most one Key.
type single[T any] struct{ key func(*T) Key }

func (s single[T]) FromArgs(args ...any) ([]byte, error) { return fromArgs{}.FromArgs(args...) }

func (s single[T]) FromObject(v any) (bool, []byte, error) {
	k := s.key(v.(*T))
	return k != "", []byte(k), nil
}

// several indexes a value under any number of Keys.
type several[T any] struct{ keys func(*T) []Key }

func (s several[T]) FromArgs(args ...any) ([]byte, error) { return fromArgs{}.FromArgs(args...) }

func (s several[T]) FromObject(v any) (bool, [][]byte, error) {
	var out [][]byte
	for _, k := range s.keys(v.(*T)) {
		if k != "" {
			out = append(out, []byte(k))
		}
	}
	return len(out) > 0, out, nil
}
