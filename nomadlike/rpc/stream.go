package rpc

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// A Stream carries messages both ways until one side ends it. One goroutine may
// send while another receives, but no two may do the same.
type Stream[Send, Recv any] struct {
	raw    rawStream
	cancel context.CancelFunc // nil on the server, where returning ends the stream
}

// rawStream is what gRPC's two kinds of streams have in common here.
type rawStream interface {
	Context() context.Context
	SendMsg(m any) error
	RecvMsg(m any) error
	CloseSend() error
}

// Context ends with the stream: when the client cancels, the handler returns or
// the connection is lost.
func (s *Stream[Send, Recv]) Context() context.Context { return s.raw.Context() }

// Send sends one message. It waits while the other side is far behind in
// receiving. On a client io.EOF means that the stream has ended and Recv will say
// why.
func (s *Stream[Send, Recv]) Send(m *Send) error { return s.raw.SendMsg(m) }

// Recv waits for the next message. io.EOF means the end: on a client, the handler
// has returned without an error; on a server, the client has sent its last.
func (s *Stream[Send, Recv]) Recv() (*Recv, error) {
	m := new(Recv)
	if err := s.raw.RecvMsg(m); err != nil {
		return nil, err
	}
	return m, nil
}

// CloseSend tells the server that this client has sent its last message; it may
// go on receiving. On a server it does nothing.
func (s *Stream[Send, Recv]) CloseSend() error { return s.raw.CloseSend() }

// Close ends the stream at once; the handler sees its context canceled. It may be
// called at any time, more than once, and from any goroutine.
func (s *Stream[Send, Recv]) Close() {
	if s.cancel != nil {
		s.cancel()
	}
}

// clientStream gives errors of gRPC their kinds.
type clientStream struct {
	grpc.ClientStream
	addr, method string
}

func (c clientStream) SendMsg(m any) error { return c.wrap(c.ClientStream.SendMsg(m)) }
func (c clientStream) RecvMsg(m any) error { return c.wrap(c.ClientStream.RecvMsg(m)) }

func (c clientStream) wrap(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fromStatus(c.Context(), c.addr, c.method, err, c.Trailer())
}

// serverStream is the same for a handler.
type serverStream struct {
	grpc.ServerStream
	method string
}

func (s serverStream) SendMsg(m any) error { return s.wrap(s.ServerStream.SendMsg(m)) }
func (s serverStream) RecvMsg(m any) error { return s.wrap(receive(s.ServerStream.RecvMsg, m)) }
func (s serverStream) CloseSend() error    { return nil }

func (s serverStream) wrap(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errs.Is(err, errs.Invalid) {
		return err
	}
	return fromStatus(s.Context(), "the client", s.method, err, nil)
}

// receive reads a message from a client into v. Left to itself gRPC would answer
// for us what it cannot decode.
func receive(read func(any) error, v any) error {
	m := message{v: v}
	if err := read(&m); err != nil {
		return err
	}
	return m.err
}

// A message is decoded without gRPC looking on.
type message struct {
	v   any
	err error
}

func (m *message) Receive(b []byte) error {
	if err := wire.Decode(b, m.v); err != nil {
		m.err = errs.Newf(errs.Invalid, "the message cannot be read: %w", err)
	}
	return nil
}
