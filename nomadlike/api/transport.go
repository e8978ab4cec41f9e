package api

import (
	"context"
	"errors"
	"io"

	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// A transport carries a row's calls over RPC; the row's types are fixed in it.
type transport struct {
	serve  func(*rpc.Server, Caller)
	call   func(context.Context, rpc.Caller, any) (any, error)
	stream func(context.Context, rpc.Caller, any, func(any) error) error
}

func unary[Req, Resp any](r *Row) transport {
	m := rpc.Method[Req, Resp]{Name: r.Name}
	return transport{
		serve: func(s *rpc.Server, by Caller) {
			rpc.Handle(s, m, func(ctx context.Context, req *Req) (*Resp, error) {
				resp, err := by.Call(ctx, r, req)
				if err != nil {
					return nil, err
				}
				return resp.(*Resp), nil
			})
		},
		call: func(ctx context.Context, to rpc.Caller, req any) (any, error) {
			resp, err := rpc.Call(ctx, to, m, req.(*Req))
			if err != nil {
				return nil, err
			}
			return resp, nil
		},
	}
}

func streaming[Req, Frame any](r *Row) transport {
	m := rpc.StreamMethod[Req, Frame]{Name: r.Name}
	return transport{
		serve: func(s *rpc.Server, by Caller) {
			rpc.HandleStream(s, m, func(ctx context.Context, stream *rpc.Stream[Frame, Req]) error {
				req, err := stream.Recv()
				if err != nil {
					return err
				}
				return by.Stream(ctx, r, req, func(f any) error { return stream.Send(f.(*Frame)) })
			})
		},
		stream: func(ctx context.Context, to rpc.Caller, req any, send func(any) error) error {
			stream, err := rpc.OpenStream(ctx, to, m)
			if err != nil {
				return err
			}
			defer stream.Close()
			if err := stream.Send(req.(*Req)); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if err := stream.CloseSend(); err != nil {
				return err
			}
			for {
				f, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if err := send(f); err != nil {
					return err
				}
			}
		},
	}
}

// Serve lets s answer the row's calls by what by answers.
func (r *Row) Serve(s *rpc.Server, by Caller) { r.transport.serve(s, by) }

// Remote makes calls to another process.
func Remote(to rpc.Caller) Caller { return remote{to} }

type remote struct{ to rpc.Caller }

func (c remote) Call(ctx context.Context, r *Row, req any) (any, error) {
	return r.transport.call(ctx, c.to, req)
}

func (c remote) Stream(ctx context.Context, r *Row, req any, send func(any) error) error {
	return r.transport.stream(ctx, c.to, req, send)
}
