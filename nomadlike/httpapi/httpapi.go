// Package httpapi serves the table of calls over HTTP and is its client: routes
// and their decoding, headers, bodies and status codes are derived from
// api.Rows, so a new row is on the network without a line here. Both ends share
// one view of a request, see shape.
//
// It owns what is HTTP's alone: paths, compression, limits against slow or greedy
// clients, and the few pages that are no call. It does not own who may call or
// where a call is answered; that is the Caller's.
package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Options are what a handler needs. Only Caller is required.
type Options struct {
	Caller  api.Caller
	Logger  hclog.Logger
	Headers map[string]string // added to every answer
	Limits  Limits
	// Health says how the agent's parts are; nil answers that nothing runs.
	Health func(context.Context) n.AgentHealth
	// Metrics is what /v1/metrics shows; nil shows nothing.
	Metrics prometheus.Gatherer
	// PrometheusFormat allows /v1/metrics?format=prometheus.
	PrometheusFormat bool
	// Pprof serves /debug/pprof/.
	Pprof bool
	// UI answers everything below /ui/; nil is a page that says there is none.
	UI http.Handler
}

// server answers requests. It does not change once made.
type server struct {
	Options
	routes *router
}

// New returns the handler of the whole API.
func New(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	o.Limits = o.Limits.withDefaults()
	s := &server{Options: o, routes: newRouter()}
	for _, row := range api.Rows() {
		if row.Verb == "" {
			continue
		}
		h := s.call(row)
		for _, r := range slices.Concat([]string{row.Route()}, row.Also) {
			s.routes.add(r, h, row.OnlyVerb)
		}
	}
	s.pages()
	s.missing()
	s.routes.ready()
	return s.guard(http.HandlerFunc(s.serve))
}

// call returns the handler of one row.
func (s *server) call(row *api.Row) http.HandlerFunc {
	sh := shapeOf(row)
	if row.Kind == api.Stream {
		return func(w http.ResponseWriter, r *http.Request) {
			req, err := sh.decode(w, r, s.Limits.MaxBody)
			if err == nil {
				err = s.stream(w, r, row, req)
			}
			s.fail(w, r, err)
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		req, err := sh.decode(w, r, s.Limits.MaxBody)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		resp, err := s.Caller.Call(r.Context(), row, req)
		if err == nil {
			err = s.answer(w, r, row, resp)
		}
		s.fail(w, r, err)
	}
}

// serve finds the route and follows it.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if to := cleaned(r.URL); to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if crossOrigin(r.URL.Path) && allowOrigin(w, r) {
		return
	}
	rt, vars := s.routes.find(r.URL.Path)
	if rt == nil {
		s.notFound(w, r)
		return
	}
	h := rt.handler(r.Method)
	if h == nil {
		plain(w, http.StatusMethodNotAllowed, "Invalid method")
		return
	}
	for name, value := range vars {
		r.SetPathValue(name, value)
	}
	h(w, r)
}

// guard adds what every answer has, and answers for handlers that panic.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // of the answer before this one
		for k, v := range s.Headers {
			w.Header().Set(k, v)
		}
		w.Header().Add("Vary", "Accept-Encoding")
		defer func() {
			p := recover()
			if p == nil {
				s.Logger.Trace("request", "method", r.Method, "path", r.URL.Path, "duration", time.Since(start))
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // a panic's value, as net/http compares it
				panic(p)
			}
			s.Logger.Error("panic while answering", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			plain(w, http.StatusInternalServerError, "internal error: the agent's log has the details")
		}()
		next.ServeHTTP(w, r)
	})
}

// fail answers with an error. Nobody is left to read the answer to a request
// that was given up.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil || r.Context().Err() != nil && errs.Is(err, errs.Canceled) {
		return
	}
	code := statusOf(err)
	if code >= 500 {
		s.Logger.Debug("request failed", "method", r.Method, "path", r.URL.Path, "code", code, "error", err)
	}
	plain(w, code, errs.Text(err))
}

func plain(w http.ResponseWriter, code int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Del("Content-Encoding")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the client may be gone
}
