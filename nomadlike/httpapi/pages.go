package httpapi

import (
	"net/http"
	"net/http/pprof"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// pages adds the routes that are no call: they are about this process alone.
func (s *server) pages() {
	s.routes.add("GET /", s.root, false)
	s.routes.add("GET /ui", s.root, false)
	ui := s.UI
	if ui == nil {
		ui = http.HandlerFunc(noUI)
	}
	s.routes.add("GET /ui/", ui.ServeHTTP, false)
	s.routes.add("GET /ui/{path...}", ui.ServeHTTP, false)
	s.routes.add("GET /v1/agent/health", s.health, false)
	s.routes.add("GET /v1/metrics", s.metrics, false)
	s.routes.add("GET /v1/operator/license", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, false)
	if s.Pprof {
		s.routes.add(anyVerb+" /debug/pprof/", pprof.Index, false)
		s.routes.add(anyVerb+" /debug/pprof/cmdline", pprof.Cmdline, false)
		s.routes.add(anyVerb+" /debug/pprof/profile", pprof.Profile, false)
		s.routes.add(anyVerb+" /debug/pprof/symbol", pprof.Symbol, false)
		s.routes.add(anyVerb+" /debug/pprof/trace", pprof.Trace, false)
		s.routes.add(anyVerb+" /debug/pprof/{name}", pprof.Index, false)
	}
}

// root leads people to the web UI.
func (s *server) root(w http.ResponseWriter, r *http.Request) {
	to := "/ui/"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

const noUIPage = `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Nomadlike</title></head>
<body><h1>Nomadlike</h1><p>This agent was built without the web UI. Its API answers below <a href="/v1/agent/health">/v1/</a>.</p></body></html>
`

func noUI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, r, http.StatusOK, []byte(noUIPage))
}

// health answers 200 when every part that was asked for works, else 500.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	var h n.AgentHealth
	if s.Health != nil {
		h = s.Health(r.Context())
	}
	if types := r.URL.Query()["type"]; len(types) > 0 {
		h = n.AgentHealth{Client: asked(types, "client", h.Client), Server: asked(types, "server", h.Server)}
	}
	code := http.StatusOK
	for _, p := range []*n.PartHealth{h.Client, h.Server} {
		if p != nil && !p.OK {
			code = http.StatusInternalServerError
		}
	}
	if err := sendJSON(w, r, code, &h); err != nil {
		s.fail(w, r, err)
	}
}

func asked(types []string, part string, health *n.PartHealth) *n.PartHealth {
	for _, t := range types {
		if t != part {
			continue
		}
		if health == nil {
			return &n.PartHealth{Message: part + " not enabled"}
		}
		return health
	}
	return nil
}

// notFound answers for a path that nothing has.
func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	for _, noun := range []string{"/v1/node/", "/v1/allocation/", "/v1/evaluation/", "/v1/deployment/", "/v1/namespace/"} {
		if rest, ok := strings.CutPrefix(r.URL.Path, noun); ok && strings.Contains(strings.Trim(rest, "/"), "/") {
			plain(w, http.StatusNotFound, "resource not found")
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
