package rpc

import (
	"context"
	"errors"
	"io"
)

// Info describes the call that an Interceptor sees.
type Info struct {
	Method string // such as Job.Register
	Stream bool

	newIn    func() any // a message from the client, for streams
	newReply func() any // a message to the client
}

// Forward makes the call again on another server and returns its answer, headers,
// deadline and error included. Headers added to ctx with WithHeader go along.
func (i *Info) Forward(ctx context.Context, to Caller, req any) (any, error) {
	ctx = passOn(ctx)
	if i.Stream {
		return nil, i.relay(ctx, to, req.(serverStream))
	}
	resp := i.newReply()
	if err := to.invoke(ctx, i.Method, req, resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// relay joins two streams until the far one ends. The near one's end cancels it.
func (i *Info) relay(ctx context.Context, to Caller, near serverStream) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	far, err := to.open(ctx, i.Method)
	if err != nil {
		return err
	}
	go func() {
		for {
			m := i.newIn()
			err := near.RecvMsg(m)
			if errors.Is(err, io.EOF) {
				_ = far.CloseSend()
				return
			}
			if err != nil || far.SendMsg(m) != nil {
				return // the other direction learns of it
			}
		}
	}()
	for {
		m := i.newReply()
		if err := far.RecvMsg(m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := near.SendMsg(m); err != nil {
			return err
		}
	}
}
