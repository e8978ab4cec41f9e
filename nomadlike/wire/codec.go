package wire

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// CodecName is the gRPC content subtype under which the encoding is registered.
const CodecName = "msgpack"

func init() { encoding.RegisterCodecV2(grpcCodec{}) }

// grpcCodec lends the encoding to gRPC.
type grpcCodec struct{}

func (grpcCodec) Name() string { return CodecName }

// Marshal encodes into an encoder's own buffer, which goes back to the pool when
// gRPC has written it out.
func (grpcCodec) Marshal(v any) (mem.BufferSlice, error) {
	e := encoders.Get().(*encoder)
	b, err := e.encode(v)
	if err != nil {
		e.release()
		return nil, err
	}
	return mem.BufferSlice{mem.NewBuffer(&b, lent{e})}, nil
}

// A Receiver takes a gRPC message as it came, instead of being decoded into. It
// must not keep b.
type Receiver interface{ Receive(b []byte) error }

func (grpcCodec) Unmarshal(data mem.BufferSlice, v any) error {
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	if r, ok := v.(Receiver); ok {
		return r.Receive(buf.ReadOnlyData())
	}
	return Decode(buf.ReadOnlyData(), v)
}

// lent is a pool of one buffer: freeing it releases the encoder it came from.
type lent struct{ e *encoder }

func (l lent) Get(n int) *[]byte { b := make([]byte, n); return &b }
func (l lent) Put(*[]byte)       { l.e.release() }
