package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// FuzzRequest: whatever comes in, the answer is one that HTTP knows, and nothing
// panics.
func FuzzRequest(f *testing.F) {
	for _, row := range api.Rows() {
		if row.Verb != "" {
			target, body := example(row, row.Path)
			path, query, _ := strings.Cut(target, "?")
			f.Add(row.Verb, path, query, body)
		}
	}
	f.Add("GET", "/v1//../job/%2F/plan", "index=&wait=-1s&pretty", "null")
	h := New(Options{Caller: &fake{}})
	f.Fuzz(func(t *testing.T, verb, path, query, body string) {
		p, err := url.PathUnescape(path)
		if err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = verb, &url.URL{Path: p, RawQuery: query}
		w := ask(h, r)
		if http.StatusText(w.Code) == "" || strings.Contains(w.Body.String(), "the agent's log has the details") {
			t.Fatalf("%s %s?%s: %d %s", verb, path, query, w.Code, w.Body)
		}
	})
}

// FuzzJobPath: a job of any ID is reached by its escaped ID, by whichever
// sub-route.
func FuzzJobPath(f *testing.F) {
	f.Add("web")
	f.Add("team/web/plan")
	f.Add("ü %2F?#")
	t := newRouter()
	for _, row := range api.Rows() {
		if row.Verb != "" {
			t.add(row.Route(), func(http.ResponseWriter, *http.Request) {}, false)
		}
	}
	t.ready()
	f.Fuzz(func(tt *testing.T, id string) {
		if id == "" || strings.HasSuffix(id, "/") {
			return
		}
		u, err := url.Parse("http://x/v1/job/" + url.PathEscape(id) + "/summary")
		if err != nil {
			tt.Fatal(err)
		}
		_, vars := t.find(u.Path)
		if vars["JobID"] != id {
			tt.Fatalf("%q became %q", id, vars["JobID"])
		}
	})
}
