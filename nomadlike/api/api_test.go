package api

import (
	"reflect"
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestRows checks of every row what the compiler can not.
func TestRows(t *testing.T) {
	request := reflect.TypeFor[n.Request]()
	names, routes := map[string]bool{}, map[string]string{}
	for _, r := range Rows() {
		if names[r.Name] {
			t.Errorf("%s: two rows of that name", r.Name)
		}
		names[r.Name] = true
		if reflect.DeepEqual(r.Rule, Rule{}) {
			t.Errorf("%s: nobody may make it", r.Name)
		}
		if !reflect.PointerTo(r.Req).Implements(request) {
			t.Errorf("%s: %s does not carry RequestOptions", r.Name, r.Req)
		}
		if r.Kind == Read && !reflect.PointerTo(r.Req).Implements(reflect.TypeFor[n.QueryRequest]()) {
			t.Errorf("%s: %s does not carry QueryOptions", r.Name, r.Req)
		}
		if r.Where == Node && !reflect.PointerTo(r.Req).Implements(reflect.TypeFor[n.NodeTarget]()) {
			t.Errorf("%s: %s does not say which node", r.Name, r.Req)
		}
		if r.Verb == "" {
			continue
		}
		for _, route := range append([]string{r.Route()}, r.Also...) {
			if other := routes[route]; other != "" {
				t.Errorf("%s: %s has that route too", r.Name, other)
			}
			routes[route] = r.Name
			checkPath(t, r, route)
		}
	}
	t.Logf("%d calls, %d routes", len(names), len(routes))
}

// checkPath wants a field for every variable of the path.
func checkPath(t *testing.T, r *Row, route string) {
	for _, part := range strings.Split(route, "/") {
		name, ok := strings.CutPrefix(part, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "...")
		if f, found := r.Req.FieldByName(name); !found || f.Tag.Get("path") != name {
			t.Errorf("%s: %s has no field %s with that path tag", r.Name, r.Req, name)
		}
	}
}
