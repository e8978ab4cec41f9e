package httpapi

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A router finds the route of a path. Paths are matched decoded, so that a job
// ID may contain slashes whether or not the client escaped them.
type router struct {
	byPath map[string]*route
	// sorted holds the routes of each noun, the second part of the path, the
	// most particular first.
	sorted map[string][]*route
}

// A route is a pattern and its handlers by verb.
type route struct {
	parts []part
	verbs map[string]http.HandlerFunc
}

// A part of a pattern is a literal, or a variable of one or several segments.
type part struct {
	name   string
	isVar  bool
	greedy bool
}

func newRouter() *router {
	return &router{byPath: map[string]*route{}, sorted: map[string][]*route{}}
}

// add answers "VERB /path" with h, unless something else does. PUT means POST
// as well unless onlyVerb.
func (t *router) add(pattern string, h http.HandlerFunc, onlyVerb bool) {
	verb, path, _ := strings.Cut(pattern, " ")
	key := shapeOfPath(path)
	rt := t.byPath[key]
	if rt == nil {
		rt = &route{parts: parse(path), verbs: map[string]http.HandlerFunc{}}
		t.byPath[key] = rt
		noun := rt.noun()
		t.sorted[noun] = append(t.sorted[noun], rt)
	}
	rt.set(verb, h)
	if verb == http.MethodPut && !onlyVerb {
		rt.set(http.MethodPost, h)
	}
}

// anyVerb stands for all of them.
const anyVerb = "ANY"

func (rt *route) set(verb string, h http.HandlerFunc) {
	if rt.verbs[verb] == nil && rt.verbs[anyVerb] == nil {
		rt.verbs[verb] = h
	}
}

func (rt *route) handler(verb string) http.HandlerFunc {
	if h := rt.verbs[verb]; h != nil {
		return h
	}
	return rt.verbs[anyVerb]
}

func (rt *route) noun() string {
	if len(rt.parts) > 1 && !rt.parts[1].isVar {
		return rt.parts[1].name
	}
	return ""
}

// ready puts the most particular routes first: more literals, and among equals
// the one whose literal comes earlier.
func (t *router) ready() {
	for _, routes := range t.sorted {
		slices.SortStableFunc(routes, func(a, b *route) int {
			if c := cmp.Compare(b.literals(), a.literals()); c != 0 {
				return c
			}
			return strings.Compare(a.rank(), b.rank())
		})
	}
}

func (rt *route) literals() (count int) {
	for _, p := range rt.parts {
		if !p.isVar {
			count++
		}
	}
	return count
}

func (rt *route) rank() string {
	var b strings.Builder
	for _, p := range rt.parts {
		switch {
		case p.greedy:
			b.WriteByte('c')
		case p.isVar:
			b.WriteByte('b')
		default:
			b.WriteByte('a')
		}
	}
	return b.String()
}

// find returns the route of a decoded path and the values of its variables.
func (t *router) find(path string) (*route, map[string]string) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	nouns := []string{""}
	if len(segments) > 1 {
		nouns = []string{segments[1], ""}
	}
	for _, noun := range nouns {
		for _, rt := range t.sorted[noun] {
			if vars, ok := match(rt.parts, segments); ok {
				return rt, vars
			}
		}
	}
	return nil, nil
}

// match lets a greedy variable take all that the parts after it leave; there is
// at most one in a pattern. No variable is empty.
func match(parts []part, segments []string) (map[string]string, bool) {
	if len(segments) < len(parts) {
		return nil, false
	}
	extra := len(segments) - len(parts)
	vars, at := map[string]string{}, 0
	for _, p := range parts {
		size := 1
		if p.greedy {
			size, extra = 1+extra, 0
		}
		value := strings.Join(segments[at:at+size], "/")
		at += size
		switch {
		case !p.isVar && value != p.name:
			return nil, false
		case p.isVar && (value == "" || strings.HasSuffix(value, "/")):
			return nil, false
		case p.isVar:
			vars[p.name] = value
		}
	}
	return vars, at == len(segments)
}

func parse(path string) (parts []part) {
	for s := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		name, isVar := strings.CutPrefix(s, "{")
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "...")
		parts = append(parts, part{name, isVar, greedy})
	}
	return parts
}

// shapeOfPath is the pattern without the names of its variables, so that routes
// which match the same paths are one.
func shapeOfPath(path string) string {
	var b strings.Builder
	for _, p := range parse(path) {
		switch {
		case p.greedy:
			b.WriteString("/{...}")
		case p.isVar:
			b.WriteString("/{}")
		default:
			b.WriteString("/" + p.name)
		}
	}
	return b.String()
}

// cleaned returns where a path with empty or dot segments leads, or "".
func cleaned(u *url.URL) string {
	p := path.Clean("/" + u.Path)
	if strings.HasSuffix(u.Path, "/") && p != "/" {
		p += "/"
	}
	if p == u.Path {
		return ""
	}
	return (&url.URL{Path: p, RawQuery: u.RawQuery}).String()
}
