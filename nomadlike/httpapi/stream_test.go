package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

func TestStreamFollowsUntilTheClientLeaves(t *testing.T) {
	ended := make(chan error, 1)
	_, c := serveFake(t, &fake{stream: func(ctx context.Context, _ *api.Row, _ any, send func(any) error) error {
		if err := send(&n.StreamFrame{Data: []byte("one")}); err != nil {
			return err
		}
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}})
	ctx, cancel := context.WithCancel(context.Background())
	req := &n.LogsRequest{AllocID: "a", Task: "web", Type: "stdout", Follow: true}
	err := api.DoStream(ctx, c, api.AllocLogs, req, func(f *n.StreamFrame) error {
		if string(f.Data) == "one" {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the client got %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the call ended with %v", err)
	}
}

func TestStreamErrors(t *testing.T) {
	for _, frames := range []int{0, 1} {
		_, c := serveFake(t, &fake{stream: func(_ context.Context, _ *api.Row, _ any, send func(any) error) error {
			for range frames {
				if err := send(&n.StreamFrame{Data: []byte("x")}); err != nil {
					return err
				}
			}
			return errs.New(errs.NotFound, `task "web" not started yet. No logs available`)
		}})
		req := &n.LogsRequest{AllocID: "a", Task: "web", Type: "stdout"}
		err := api.DoStream(context.Background(), c, api.AllocLogs, req, func(*n.StreamFrame) error { return nil })
		if got := errs.Is(err, errs.NotFound); got != (frames == 0) {
			t.Errorf("after %d frames: %v", frames, err)
		}
	}
}

// TestHeartbeat: a silent stream says that it lives, a plain one has no words
// for that.
func TestHeartbeat(t *testing.T) {
	for target, want := range map[string]string{"": "{}{}{}", "&plain=true": ""} {
		synctest.Test(t, func(t *testing.T) {
			h := New(Options{Caller: &fake{stream: func(ctx context.Context, _ *api.Row, _ any, _ func(any) error) error {
				time.Sleep(quiet + 2*heartbeatEvery + heartbeatEvery/2)
				return nil
			}}})
			w := &recorder{header: http.Header{}}
			r, _ := http.NewRequestWithContext(t.Context(), "GET", "/v1/client/fs/logs/a?task=t&type=stdout"+target, nil)
			h.ServeHTTP(w, r)
			if got := w.body.String(); got != want {
				t.Errorf("%q: %q", target, got)
			}
		})
	}
}

// A recorder is a ResponseWriter that can be flushed.
type recorder struct {
	header http.Header
	body   strings.Builder
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(int)             {}
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }
func (w *recorder) Flush()                      {}

var _ io.Writer = (*recorder)(nil)
