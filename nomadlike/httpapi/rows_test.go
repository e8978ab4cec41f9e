package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// TestEveryRoute asks every route of the table as it is meant, and in each way
// that it must refuse.
func TestEveryRoute(t *testing.T) {
	var reached *api.Row
	h := New(Options{Caller: &fake{
		call: func(_ context.Context, r *api.Row, _ any) (any, error) {
			reached = r
			return r.NewResp(), nil
		},
		stream: func(_ context.Context, r *api.Row, _ any, _ func(any) error) error {
			reached = r
			return nil
		},
	}})
	try := func(verb, target, body string) (int, *api.Row) {
		reached = nil
		w := ask(h, httptest.NewRequest(verb, target, strings.NewReader(body)))
		return w.Code, reached
	}
	for _, row := range api.Rows() {
		if row.Verb == "" {
			continue
		}
		for _, route := range slices.Concat([]string{row.Route()}, row.Also) {
			verb, pattern, _ := strings.Cut(route, " ")
			target, body := example(row, pattern)
			code, got := try(verb, target, body)
			if got != row || code != http.StatusOK && code != http.StatusNotFound {
				t.Errorf("%s: %s %s gave %d and reached %v", row.Name, verb, target, code, got)
			}
			if verb == "PUT" {
				if code, _ := try("POST", target, body); (code == http.StatusMethodNotAllowed) != row.OnlyVerb {
					t.Errorf("%s: POST gave %d", row.Name, code)
				}
			}
			if code, got := try("PATCH", target, body); code != http.StatusMethodNotAllowed || got != nil {
				t.Errorf("%s: PATCH gave %d", row.Name, code)
			}
			refusals(t, row, verb, target, body, try)
		}
	}
}

// refusals sends what can not be decoded.
func refusals(t *testing.T, row *api.Row, verb, target, body string, try func(verb, target, body string) (int, *api.Row)) {
	t.Helper()
	sh := shapeOf(row)
	if sh.body {
		for _, bad := range []string{"{", "[]", `"x"`} {
			if code, got := try(verb, target, bad); code != http.StatusBadRequest || got != nil {
				t.Errorf("%s: body %s gave %d", row.Name, bad, code)
			}
		}
	}
	if sh.needed {
		if code, got := try(verb, target, ""); code != http.StatusBadRequest || got != nil {
			t.Errorf("%s: no body gave %d", row.Name, code)
		}
	}
	for _, p := range sh.query {
		typ := p.typ
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.String || typ.Kind() == reflect.Slice || p.name == "reverse" {
			continue
		}
		path, query, _ := strings.Cut(target, "?")
		code, got := try(verb, path+"?"+p.name+"=zork&"+query, body)
		if code != http.StatusBadRequest && code != http.StatusInternalServerError || got != nil {
			t.Errorf("%s: %s=zork gave %d", row.Name, p.name, code)
		}
	}
}

// example returns a target and a body that a row accepts.
func example(row *api.Row, pattern string) (target, body string) {
	target = strings.NewReplacer("{JobID...}", url.PathEscape("team/web"), "{JobID}", "web").Replace(pattern)
	for _, p := range shapeOf(row).path {
		target = strings.ReplaceAll(target, "{"+p.name+"}", "0b67a2f5-0000-4000-8000-00000000000a")
	}
	switch row.Name {
	case "Client.Logs":
		target += "?task=web&type=stdout"
	case "Job.Submission":
		target += "?version=0"
	case "Job.Deregister":
		target += "?eval_priority=50"
	}
	body = "{}"
	if f, ok := row.Req.FieldByName("Job"); ok && f.Type.Kind() == reflect.Pointer {
		body = `{"Job": {"ID": "team/web", "Name": "web"}}`
	}
	return target, body
}
