package rpc

import (
	"context"
	"net"
)

// tunnelChunk is how much is sent in one message, in bytes.
const tunnelChunk = 32 << 10

// Tunnel returns a connection whose bytes travel in messages, such as those of a
// stream that the other side opened; so a server calls a client that it can not
// dial. done ends when either end was closed. send and recv are each called by
// one goroutine; recv must fail once ctx ends.
func Tunnel(ctx context.Context, send func([]byte) error, recv func() ([]byte, error)) (conn net.Conn, done <-chan struct{}) {
	near, far := net.Pipe()
	over := make(chan struct{})
	go func() {
		defer far.Close()
		for {
			b, err := recv()
			if err != nil {
				return
			}
			if _, err := far.Write(b); err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(over)
		defer far.Close()
		buf := make([]byte, tunnelChunk)
		for {
			n, err := far.Read(buf)
			if n > 0 {
				if err := send(append([]byte(nil), buf[:n]...)); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	context.AfterFunc(ctx, func() { _ = far.Close() })
	return near, over
}
