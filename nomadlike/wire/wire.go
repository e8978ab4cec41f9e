// Package wire owns the one binary encoding below HTTP: msgpack with field
// names, used alike by RPC, the raft log, snapshots and the client's journal.
//
// What may be relied on:
//
//   - Structs are maps keyed by Go field name, so adding a field is safe in both
//     directions: unknown names are skipped, absent ones stay zero. JSON tags
//     have no say; `wire:"-"` leaves a field out, `wire:"name"` renames it.
//   - Equal values encode to equal bytes: map keys are sorted.
//   - time.Time keeps its instant to the nanosecond and comes back in UTC,
//     time.Duration is exact, []byte is bin and string is str.
//   - nil and empty slices, maps and byte slices stay apart.
//   - Decoded values share no memory with the input.
//
// It applies no defaults and validates nothing: what is in the log is complete.
// Framing, checksums and versions belong to its callers.
package wire

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/hashicorp/go-msgpack/v2/codec"
)

// maxDepth bounds the nesting of a decoded value. Ours nest less than 20 deep.
const maxDepth = 128

// keepBuffer is the largest buffer, in bytes, that a pooled encoder holds on to.
const keepBuffer = 1 << 20

var handle = newHandle()

func newHandle() *codec.MsgpackHandle {
	h := &codec.MsgpackHandle{WriteExt: true}
	h.TypeInfos = codec.NewTypeInfos([]string{"wire"})
	h.Canonical = true
	h.MaxDepth = maxDepth
	h.RawToString = true
	h.MapType = reflect.TypeFor[map[string]any]()
	h.MapValueReset = true
	h.SliceElementReset = true
	h.InterfaceReset = true
	return h
}

// Encode returns v as msgpack. It fails only for types that cannot be encoded,
// such as complex numbers.
func Encode(v any) ([]byte, error) { return Append(nil, v) }

// Append appends v as msgpack to dst and returns the longer slice; on an error
// it returns dst as it was.
func Append(dst []byte, v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	b, err := e.encode(v)
	if err != nil {
		return dst, err
	}
	return append(dst, b...), nil
}

// Decode sets *v, which should be zero, to the value in b. Bytes left over after
// the value are an error, as is anything malformed; hostile input costs at most
// memory in proportion to its length.
func Decode(b []byte, v any) error {
	if len(b) == 0 {
		return fmt.Errorf("wire: decode %T: no bytes", v)
	}
	d := decoders.Get().(*codec.Decoder)
	defer func() {
		d.ResetBytes(nothing) // let go of b
		decoders.Put(d)
	}()
	d.ResetBytes(b)
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("wire: decode %T: %w", v, err)
	}
	if n := len(b) - d.NumBytesRead(); n != 0 {
		return fmt.Errorf("wire: decode %T: %d bytes after the value", v, n)
	}
	return nil
}

var nothing = []byte{}

var decoders = sync.Pool{New: func() any { return codec.NewDecoderBytes(nothing, handle) }}

// An encoder is a codec.Encoder with the buffer it writes to.
type encoder struct {
	enc *codec.Encoder
	buf []byte
}

var encoders = sync.Pool{New: func() any {
	e := &encoder{buf: make([]byte, 0, 512)}
	e.enc = codec.NewEncoderBytes(&e.buf, handle)
	return e
}}

// encode returns v in a buffer that is valid until release.
func (e *encoder) encode(v any) ([]byte, error) {
	e.enc.ResetBytes(&e.buf)
	if err := e.enc.Encode(v); err != nil {
		return nil, fmt.Errorf("wire: encode %T: %w", v, err)
	}
	return e.buf, nil
}

func (e *encoder) release() {
	if cap(e.buf) <= keepBuffer {
		encoders.Put(e)
	}
}
