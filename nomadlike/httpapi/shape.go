package httpapi

import (
	"reflect"
	"strings"

	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// A shape says where HTTP finds each field of a request: in the path, in the
// query string or in the body. Server and client both follow it.
type shape struct {
	row    *api.Row
	path   []place
	query  []place
	raw    *place // the field that is the whole body, as it is
	body   bool   // some field comes with the body, as JSON
	needed bool   // and the request makes no sense without one
}

// A place is a field and its name in the path or query string.
type place struct {
	name  string
	index []int
	typ   reflect.Type
}

// optionalBody lists the calls that mean something without the body they could
// have.
var optionalBody = map[string]bool{
	"Job.Evaluate": true, "Client.RestartAlloc": true, "Deployment.Fail": true,
}

func shapeOf(row *api.Row) *shape {
	sh := &shape{row: row}
	for _, f := range reflect.VisibleFields(row.Req) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, inPath := f.Tag.Lookup("path")
		if inPath {
			sh.path = append(sh.path, place{name, f.Index, f.Type})
			continue
		}
		if name, ok := f.Tag.Lookup("query"); ok {
			sh.query = append(sh.query, place{name, f.Index, f.Type})
			continue
		}
		if f.Tag.Get("body") == "raw" {
			sh.raw = &place{f.Name, f.Index, f.Type}
			continue
		}
		if jsonName, _, _ := strings.Cut(f.Tag.Get("json"), ","); jsonName != "-" {
			sh.body = true
		}
	}
	sh.body = sh.body && sh.raw == nil && row.Verb != "GET"
	sh.needed = sh.body && !optionalBody[row.Name]
	return sh
}

// field returns the field of req, a pointer to a request.
func (p place) field(req any) reflect.Value {
	return reflect.ValueOf(req).Elem().FieldByIndex(p.index)
}
