package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// A fake answers every call with what the test says.
type fake struct {
	call   func(ctx context.Context, r *api.Row, req any) (any, error)
	stream func(ctx context.Context, r *api.Row, req any, send func(any) error) error
}

func (f *fake) Call(ctx context.Context, r *api.Row, req any) (any, error) {
	if f.call == nil {
		return r.NewResp(), nil
	}
	return f.call(ctx, r, req)
}

func (f *fake) Stream(ctx context.Context, r *api.Row, req any, send func(any) error) error {
	if f.stream == nil {
		return nil
	}
	return f.stream(ctx, r, req, send)
}

// serveFake serves f and returns a client of it.
func serveFake(t testing.TB, f *fake) (*httptest.Server, *Client) {
	t.Helper()
	srv := httptest.NewServer(New(Options{Caller: f}))
	t.Cleanup(srv.Close)
	c, err := NewClient(Config{Address: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return srv, c
}

// ask makes one request without a network.
func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
