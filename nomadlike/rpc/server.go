package rpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Options configure a Server. All are optional.
type Options struct {
	TLS        *tls.Config // nil: no TLS; ClientAuth decides whether clients show a certificate
	MaxMessage int         // bytes in one message, default DefaultMaxMessage
	Keepalive  Keepalive
	Grace      time.Duration // how long calls in progress may take when Serve ends; default none
	Intercept  Interceptor
	AllowRaft  func(Peer) error // nil allows every peer that passes TLS
	Logger     hclog.Logger     // failed handshakes and panics; default silent
}

// An Interceptor stands before every handler. It may refuse, change the context,
// call next or forward. For a stream req is opaque: hand it on as it is.
type Interceptor func(ctx context.Context, info *Info, req any, next Next) (any, error)

// Next carries on with a call: the interceptor's request to its handler.
type Next func(ctx context.Context, req any) (any, error)

// A Server serves calls and hands raft its connections.
type Server struct {
	opts     Options
	services map[string]*grpc.ServiceDesc
	raft     *raftLayer // nil if raft is not here
}

// NewServer returns a server without methods. Add them with Handle and
// HandleStream, then call Serve.
func NewServer(opts Options) *Server {
	if opts.MaxMessage == 0 {
		opts.MaxMessage = DefaultMaxMessage
	}
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	if opts.Intercept == nil {
		opts.Intercept = func(ctx context.Context, _ *Info, req any, next Next) (any, error) { return next(ctx, req) }
	}
	return &Server{opts: opts, services: map[string]*grpc.ServiceDesc{}}
}

// Handle registers the handler of m. fn must not keep or change req once it has
// returned an answer that refers to it. Handle panics if m has a handler.
func Handle[Req, Resp any](s *Server, m Method[Req, Resp], fn func(context.Context, *Req) (*Resp, error)) {
	info := &Info{Method: m.Name, newReply: func() any { return new(Resp) }}
	next := func(ctx context.Context, req any) (any, error) { return fn(ctx, req.(*Req)) }
	service, name := s.service(m.Name)
	service.Methods = append(service.Methods, grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			req := new(Req)
			if err := receive(decode, req); err != nil {
				return nil, s.fail(ctx, err)
			}
			resp, err := s.run(ctx, info, req, next)
			if err != nil {
				return nil, s.fail(ctx, err)
			}
			return resp, nil
		},
	})
}

// HandleStream registers the handler of m. The stream ends when fn returns; ctx
// ends when the client or the connection is gone. It panics like Handle.
func HandleStream[In, Out any](s *Server, m StreamMethod[In, Out], fn func(ctx context.Context, stream *Stream[Out, In]) error) {
	info := &Info{Method: m.Name, Stream: true, newIn: func() any { return new(In) }, newReply: func() any { return new(Out) }}
	next := func(ctx context.Context, raw any) (any, error) { //nolint:unparam // the shape of every handler; a stream answers on itself
		return nil, fn(ctx, &Stream[Out, In]{raw: raw.(serverStream)})
	}
	service, name := s.service(m.Name)
	service.Streams = append(service.Streams, grpc.StreamDesc{
		StreamName: name, ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, raw grpc.ServerStream) error {
			if _, err := s.run(raw.Context(), info, serverStream{raw, m.Name}, next); err != nil {
				return s.fail(raw.Context(), err)
			}
			return nil
		},
	})
}

// service returns where to register the method, by its two names.
func (s *Server) service(method string) (*grpc.ServiceDesc, string) {
	noun, verb := split(method)
	d := s.services[noun]
	if d == nil {
		d = &grpc.ServiceDesc{ServiceName: noun, HandlerType: (*any)(nil)}
		s.services[noun] = d
	}
	for _, m := range d.Methods {
		if m.MethodName == verb {
			panic("rpc: two handlers for " + method)
		}
	}
	for _, m := range d.Streams {
		if m.StreamName == verb {
			panic("rpc: two handlers for " + method)
		}
	}
	return d, verb
}

// split takes a method name apart.
func split(method string) (noun, verb string) {
	i := strings.LastIndexByte(method, '.')
	if i <= 0 || i == len(method)-1 || strings.Contains(method, "/") {
		panic(fmt.Sprintf("rpc: %q is no method name: want Noun.Verb", method))
	}
	return method[:i], method[i+1:]
}

// run passes a call through the interceptor. A panic ends the call, not the
// server.
func (s *Server) run(ctx context.Context, info *Info, req any, next Next) (resp any, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.opts.Logger.Error("panic in a handler", "method", info.Method, "panic", r, "stack", string(debug.Stack()))
			err = errs.Newf(errs.Internal, "%s: internal error", info.Method)
		}
	}()
	return s.opts.Intercept(ctx, info, req, next)
}

// fail is how every call that fails ends.
func (s *Server) fail(ctx context.Context, err error) error {
	st, trailer := toStatus(err)
	_ = grpc.SetTrailer(ctx, trailer) // fails only if the stream is gone
	return st
}

// Serve accepts connections from l until ctx ends, then closes l and every
// connection, cancels the handlers and waits for them. It returns an error only
// if l fails. It may be called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.raft != nil {
		defer s.raft.hangUp()
	}
	srv := grpc.NewServer(serverOptions(s.opts)...)
	for _, d := range s.services {
		srv.RegisterService(d, struct{}{})
	}
	calls := newHandover(l.Addr())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(calls) // ends when stopped
	}()
	err := s.accept(ctx, l, calls)
	s.shutdown(srv)
	<-done
	return err
}

// shutdown gives calls in progress their grace.
func (s *Server) shutdown(srv *grpc.Server) {
	if s.opts.Grace > 0 {
		defer time.AfterFunc(s.opts.Grace, srv.Stop).Stop()
		srv.GracefulStop()
	}
	srv.Stop()
}
