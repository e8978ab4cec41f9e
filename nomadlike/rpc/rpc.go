// Package rpc owns how our processes talk: typed calls and typed streams in both
// directions, over gRPC with the msgpack encoding of package wire, on one TCP
// port that raft shares. It knows no call by name and no rule about who may make
// one: methods are declared above, and one Interceptor sees every call before its
// handler does.
//
// # One port
//
// With a TLS configuration every connection begins with a TLS handshake; without,
// none may. The first byte inside tells what follows: gRPC's preface begins with
// 'P', raft's connections with raftByte. Nothing here opens a socket: listeners
// and dialers come from outside.
//
// # What may be relied on
//
//   - Deadlines and cancellation of a context reach the other side.
//   - An error arrives as the errs.Kind and errs.Text it left with.
//   - A peer that cannot be reached is noticed: a call fails at once if no
//     connection can be made. A network cut under a call or stream in progress
//     fails it after at most Keepalive.Every + Keepalive.Timeout (20 s by
//     default), measured from the last byte received; the server notices likewise
//     and cancels the handler's context.
//   - A message above the limit fails that call with TooLarge and no other.
//   - A call that failed with Unavailable may or may not have been carried out.
package rpc

import (
	"context"
	"time"
)

// A Method names a call and fixes its types. Name has two parts, such as
// "Job.Register".
type Method[Req, Resp any] struct{ Name string }

// A StreamMethod names a stream and fixes what flows: In towards the server, Out
// towards the client.
type StreamMethod[In, Out any] struct{ Name string }

// A Caller is a server to call: Pool.To(address).
type Caller interface {
	invoke(ctx context.Context, method string, req, resp any) error
	open(ctx context.Context, method string) (rawStream, error)
}

// Call makes one call and waits for its answer. Errors carry the kind the handler
// gave them; those of the transport are Unavailable, TooLarge, Unsupported (the
// server does not know the method), Canceled and Timeout.
func Call[Req, Resp any](ctx context.Context, c Caller, m Method[Req, Resp], req *Req) (*Resp, error) {
	resp := new(Resp)
	if err := c.invoke(ctx, m.Name, req, resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// OpenStream opens a stream. It lives until its handler returns, ctx ends or
// Close is called, one of which must happen. An unreachable server shows here or
// at the first Recv.
func OpenStream[In, Out any](ctx context.Context, c Caller, m StreamMethod[In, Out]) (*Stream[In, Out], error) {
	ctx, cancel := context.WithCancel(ctx)
	raw, err := c.open(ctx, m.Name)
	if err != nil {
		cancel()
		return nil, err
	}
	return &Stream[In, Out]{raw: raw, cancel: cancel}, nil
}

// Keepalive says how fast a dead connection is noticed. The zero value stands for
// the defaults.
type Keepalive struct {
	Every   time.Duration // silence before asking; default 15 s, at least 10 s on clients
	Timeout time.Duration // silence after asking; default 5 s
}

// DefaultMaxMessage is the default limit of one message, in bytes.
const DefaultMaxMessage = 64 << 20

func (k Keepalive) orDefault() Keepalive {
	if k.Every == 0 {
		k.Every = 15 * time.Second
	}
	if k.Timeout == 0 {
		k.Timeout = 5 * time.Second
	}
	return k
}
