package httpapi

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

var rawHook = walk.Make(func(seed int) n.Raw {
	raw, err := n.NewRaw(map[string]int{"seed": seed})
	if err != nil {
		panic(err)
	}
	return raw
})

// TestEverythingSurvives sends every request with every field set through
// client and server, and every answer back.
func TestEverythingSurvives(t *testing.T) {
	var got any
	var frames []any
	var resp any
	_, c := serveFake(t, &fake{
		call: func(_ context.Context, _ *api.Row, req any) (any, error) {
			got = req
			return resp, nil
		},
		stream: func(_ context.Context, _ *api.Row, req any, send func(any) error) error {
			got = req
			return send(resp)
		},
	})
	for _, row := range api.Rows() {
		if row.Verb == "" {
			continue
		}
		req := row.NewReq()
		walk.Fill(req, 1, rawHook)
		tame(req)
		resp = row.NewResp()
		walk.Fill(resp, 1000, rawHook)
		if m, ok := resp.(meta); ok {
			m.Meta().LastContact = 7_000_000 // whole milliseconds
		}
		var back any
		var err error
		if row.Kind == api.Stream {
			frames = nil
			err = c.Stream(context.Background(), row, req, func(f any) error { frames = append(frames, f); return nil })
			if len(frames) == 1 {
				back = frames[0]
			}
		} else {
			back, err = c.Call(context.Background(), row, req)
		}
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		if d := cmp.Diff(req, got); d != "" {
			t.Errorf("%s: the request changed on its way (-sent +received):\n%s", row.Name, d)
		}
		if d := cmp.Diff(resp, back); d != "" {
			t.Errorf("%s: the answer changed on its way (-sent +received):\n%s", row.Name, d)
		}
	}
}

// tame makes a filled request one that the routes accept.
func tame(req any) {
	req.(n.Request).Common().Forwarded = false // never leaves the servers
	if r, ok := req.(n.QueryRequest); ok {
		r.Query().MaxQueryTime = 1e9
	}
	if job := jobOf(req); job != nil {
		job.Namespace = req.(n.Request).Common().Namespace
		if f := reflect.ValueOf(req).Elem().FieldByName("JobID"); f.IsValid() {
			f.SetString(string(job.ID))
		}
	}
	switch r := req.(type) {
	case *n.JobRegister:
		r.JobID = "" // PUT /v1/jobs names it in the job alone
	case *n.JobDeregister:
		r.EvalPriority = 42
	case *n.EvalListRequest:
		r.Filter = ""
	case *n.LogsRequest:
		r.Type, r.Origin, r.Plain = "stderr", "end", false
	case *n.SearchRequest:
		r.QueryOptions.Prefix = ""
	}
}
