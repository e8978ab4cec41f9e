package table

import "strings"

// A Key names a value in a table or an index. It is a sequence of parts, and
// keys sort part by part, each by its bytes. Make keys with K, K2 and K3: what a
// part contains can never be mistaken for the end of it, so no user-chosen name
// reaches into another's range. The empty Key names nothing.
type Key string

// A part ends in end; a zero byte within it is written as zero.
const (
	end  = "\x00\x01"
	zero = "\x00\xff"
)

// K returns the key of one part.
func K[A ~string](a A) Key { return Key(part(a) + end) }

// K2 returns the key of two parts, such as a namespace and an id. All keys that
// begin with the first part lie within Prefix(K(a)).
func K2[A, B ~string](a A, b B) Key { return Key(part(a) + end + part(b) + end) }

// K3 returns the key of three parts.
func K3[A, B, C ~string](a A, b B, c C) Key {
	return Key(part(a) + end + part(b) + end + part(c) + end)
}

// Open returns k with its last part unfinished: as a prefix, K2(ns, "ab").Open()
// is found in every key whose first part is ns and whose second begins with ab.
func (k Key) Open() Key { return Key(strings.TrimSuffix(string(k), end)) }

// Uint returns n as a key part that sorts as n does.
func Uint(n uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[n&15]
		n >>= 4
	}
	return string(b[:])
}

func part[A ~string](a A) string {
	if strings.IndexByte(string(a), 0) < 0 {
		return string(a)
	}
	return strings.ReplaceAll(string(a), "\x00", zero)
}
