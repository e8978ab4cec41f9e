package raftlog

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A large entry is compressed: a plan or a report of many nodes says the same names
// over and over, and what is written is also what is sent to the other servers and
// kept in memory for those that are behind. It begins with a zero, which is no kind,
// and the length of the entry as a varint.
const (
	compressed   = 0
	compressFrom = 2 << 10 // bytes; small entries are not worth the time
	// expansion is more than deflate ever makes of a byte; what claims more is
	// damaged.
	expansion = 1100
)

var (
	deflaters = sync.Pool{New: func() any {
		w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
		if err != nil { // the level is one of the package's own
			panic(err)
		}
		return w
	}}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
)

// compress returns the entry in the form in which it is logged.
func compress(entry []byte) ([]byte, error) {
	if len(entry) < compressFrom {
		return entry, nil
	}
	var out bytes.Buffer
	out.Grow(len(entry) / 8)
	out.WriteByte(compressed)
	out.Write(binary.AppendUvarint(nil, uint64(len(entry))))
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if _, err := w.Write(entry); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(out.Bytes()), nil // it is kept for a while: without what was too much
}

// plain returns the entry as it was before compress.
func plain(logged []byte) ([]byte, error) {
	if len(logged) == 0 || logged[0] != compressed {
		return logged, nil
	}
	size, n := binary.Uvarint(logged[1:])
	body := logged[1+max(n, 0):]
	if n <= 0 || size > uint64(len(body))*expansion {
		return nil, fmt.Errorf("%d compressed bytes that claim to be %d", len(body), size)
	}
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(body), nil); err != nil {
		return nil, err
	}
	entry := make([]byte, size)
	if _, err := io.ReadFull(r, entry); err != nil {
		return nil, fmt.Errorf("compressed: %w", err)
	}
	if m, err := r.Read(make([]byte, 1)); m != 0 || !errors.Is(err, io.EOF) {
		return nil, errors.New("compressed: it is longer than it says")
	}
	return entry, nil
}

// KindOf returns the kind of an entry, for tools that show the log.
func KindOf(entry []byte) (Kind, error) {
	entry, err := plain(entry)
	if err != nil {
		return 0, &Unreadable{Err: err}
	}
	kind, _, err := split(entry)
	return kind, err
}

// split takes an entry apart.
func split(entry []byte) (Kind, []byte, error) {
	kind, n := binary.Uvarint(entry)
	if n <= 0 || kind > uint64(^Kind(0)) {
		return 0, nil, &Unreadable{Err: fmt.Errorf("%d bytes that begin with no kind", len(entry))}
	}
	return Kind(kind), entry[n:], nil
}
