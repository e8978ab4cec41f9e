package table

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

// keys are those under which the index has a value.
func (x Index[T]) keys(v *T) []Key {
	if x.many == nil {
		if k := x.one(v); k != "" {
			return []Key{k}
		}
		return nil
	}
	var out []Key
	for _, k := range x.many(v) {
		if k != "" {
			out = append(out, k)
		}
	}
	return out
}

// has reports whether the index has a value under a key.
func (x Index[T]) has(v *T, key Key) bool {
	if x.many == nil {
		return x.one(v) == key
	}
	for _, k := range x.many(v) {
		if k == key {
			return true
		}
	}
	return false
}
