// Package api is the table of calls: every request that an agent answers, with
// its name, its route, its types, who answers it and who may make it. HTTP
// routes, RPC methods, forwarding, access rules, metrics, the Go client and the
// documents are all derived from it.
//
// A new call is a row in one of the files named after the nouns, and a handler
// bound to it with Bind where it is answered.
package api

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Where says who answers a call.
type Where int

const (
	Leader Where = iota // the region's leader; a read with AllowStale: any server
	Server              // any server
	Agent               // the agent that was asked
	Node                // the client of the node or allocation that the request names
)

func (w Where) String() string { return [...]string{"leader", "server", "agent", "node"}[w] }

// Kind says how a call is answered.
type Kind int

const (
	Read   Kind = iota // a Reply: its value in the body, its meta in headers
	Write              // one answer
	Stream             // any number of answers, until the caller hangs up
)

// A Row is a call without its types.
type Row struct {
	Name  string // "Job.Register": the RPC method, and the name in metrics
	Verb  string // "GET", "PUT" (POST does as well) or "DELETE"; empty without a route
	Path  string // "/v1/job/{JobID...}/plan"; {x...} matches slashes as well
	Kind  Kind
	Where Where
	Rule  Rule
	// Also lists further routes to the same call, as "PUT /v1/job/{JobID...}".
	Also []string
	// Blocking reads wait for a newer answer when asked with MinQueryIndex.
	Blocking bool
	// OnlyVerb refuses POST in place of PUT.
	OnlyVerb bool

	Req, Resp reflect.Type // the structs, not pointers to them
	transport transport
}

// Route returns "VERB /path", or "" for a call without one.
func (r *Row) Route() string {
	if r.Verb == "" {
		return ""
	}
	return r.Verb + " " + r.Path
}

// NewReq returns a pointer to an empty request.
func (r *Row) NewReq() any { return reflect.New(r.Req).Interface() }

// NewResp returns a pointer to an empty answer.
func (r *Row) NewResp() any { return reflect.New(r.Resp).Interface() }

// A Call is a row with its types.
type Call[Req, Resp any] struct{ *Row }

// Rows is the whole table, in the order of its files and lines.
func Rows() []*Row { return slices.Clone(rows) }

var rows []*Row

type option func(*Row)

func also(routes ...string) option { return func(r *Row) { r.Also = routes } }
func blocking(r *Row)              { r.Blocking = true }

// read declares a call that changes nothing.
func read[Req, T any](name, route string, where Where, rule Rule, opts ...option) Call[Req, n.Reply[T]] {
	return Call[Req, n.Reply[T]]{add[Req, n.Reply[T]](Read, name, route, where, rule, opts)}
}

// readAs is read for the few answers that carry their meta in the body.
func readAs[Req, Resp any](name, route string, where Where, rule Rule, opts ...option) Call[Req, Resp] {
	return Call[Req, Resp]{add[Req, Resp](Read, name, route, where, rule, opts)}
}

func write[Req, Resp any](name, route string, where Where, rule Rule, opts ...option) Call[Req, Resp] {
	return Call[Req, Resp]{add[Req, Resp](Write, name, route, where, rule, opts)}
}

func stream[Req, Frame any](name, route string, where Where, rule Rule, opts ...option) Call[Req, Frame] {
	return Call[Req, Frame]{add[Req, Frame](Stream, name, route, where, rule, opts)}
}

func add[Req, Resp any](kind Kind, name, route string, where Where, rule Rule, opts []option) *Row {
	r := &Row{Name: name, Kind: kind, Where: where, Rule: rule, Req: reflect.TypeFor[Req](), Resp: reflect.TypeFor[Resp]()}
	r.Verb, r.Path, _ = strings.Cut(route, " ")
	for _, o := range opts {
		o(r)
	}
	if kind == Stream {
		r.transport = streaming[Req, Resp](r)
	} else {
		r.transport = unary[Req, Resp](r)
	}
	rows = append(rows, r)
	return r
}

// A Handler answers a call: req is a pointer to the row's Req, the answer one
// to its Resp.
type Handler func(ctx context.Context, req any) (any, error)

// A StreamHandler answers a call with any number of answers.
type StreamHandler func(ctx context.Context, req any, send func(any) error) error

// Handlers are the calls that something answers; a Caller of these alone.
type Handlers struct {
	calls   map[string]Handler
	streams map[string]StreamHandler
}

// NewHandlers answers nothing yet.
func NewHandlers() *Handlers {
	return &Handlers{calls: map[string]Handler{}, streams: map[string]StreamHandler{}}
}

// Bind makes h answer c with fn.
func Bind[Req, Resp any](h *Handlers, c Call[Req, Resp], fn func(context.Context, *Req) (*Resp, error)) {
	h.once(c.Row)
	h.calls[c.Name] = func(ctx context.Context, req any) (any, error) {
		resp, err := fn(ctx, req.(*Req))
		if err != nil {
			return nil, err
		}
		return resp, nil
	}
}

// BindStream makes h answer c with fn.
func BindStream[Req, Frame any](h *Handlers, c Call[Req, Frame], fn func(context.Context, *Req, func(*Frame) error) error) {
	h.once(c.Row)
	h.streams[c.Name] = func(ctx context.Context, req any, send func(any) error) error {
		return fn(ctx, req.(*Req), func(f *Frame) error { return send(f) })
	}
}

func (h *Handlers) once(r *Row) {
	if h.Has(r) {
		panic(fmt.Sprintf("api: %s is bound twice", r.Name))
	}
}

// Has reports whether h answers r.
func (h *Handlers) Has(r *Row) bool {
	return h.calls[r.Name] != nil || h.streams[r.Name] != nil
}

// Call answers a call, or says that nothing here does.
func (h *Handlers) Call(ctx context.Context, r *Row, req any) (any, error) {
	fn := h.calls[r.Name]
	if fn == nil {
		return nil, errs.Newf(errs.Unsupported, "%s is not answered here", r.Name)
	}
	return fn(ctx, req)
}

// Stream answers a call with any number of answers.
func (h *Handlers) Stream(ctx context.Context, r *Row, req any, send func(any) error) error {
	fn := h.streams[r.Name]
	if fn == nil {
		return errs.Newf(errs.Unsupported, "%s is not answered here", r.Name)
	}
	return fn(ctx, req, send)
}

// A Caller makes calls, wherever they are answered.
type Caller interface {
	Call(ctx context.Context, r *Row, req any) (any, error)
	Stream(ctx context.Context, r *Row, req any, send func(any) error) error
}

// Do makes a call with its types.
func Do[Req, Resp any](ctx context.Context, by Caller, c Call[Req, Resp], req *Req) (*Resp, error) {
	resp, err := by.Call(ctx, c.Row, req)
	if err != nil {
		return nil, err
	}
	return resp.(*Resp), nil
}

// DoStream makes a call with its types and hands every answer to fn.
func DoStream[Req, Frame any](ctx context.Context, by Caller, c Call[Req, Frame], req *Req, fn func(*Frame) error) error {
	return by.Stream(ctx, c.Row, req, func(f any) error { return fn(f.(*Frame)) })
}
