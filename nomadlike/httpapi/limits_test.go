package httpapi

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// serveLimited runs Serve on a socket of its own.
func serveLimited(t *testing.T, lim Limits, f *fake) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, New(Options{Caller: f, Limits: lim}), lim, nil, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func TestBodyLimit(t *testing.T) {
	addr := serveLimited(t, Limits{MaxBody: 1 << 20}, &fake{})
	c, err := NewClient(Config{Address: addr})
	if err != nil {
		t.Fatal(err)
	}
	req := &n.JobParse{JobHCL: strings.Repeat("x", 2<<20)}
	_, err = api.Do(context.Background(), c, api.JobParse, req)
	if !errs.Is(err, errs.TooLarge) || !strings.Contains(err.Error(), "413") || !strings.Contains(err.Error(), "1 MiB") {
		t.Fatal(err)
	}
}

func TestConnectionLimit(t *testing.T) {
	addr := serveLimited(t, Limits{MaxConnsPerClient: 1}, &fake{})
	first, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(first, "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if res, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	second, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	res, err := http.ReadResponse(bufio.NewReader(second), nil)
	if err != nil || res.StatusCode != http.StatusTooManyRequests {
		t.Fatal(res, err)
	}
	first.Close()
	for try := 0; ; try++ { // the server notices in its own time
		if res, err := http.Get("http://" + addr + "/v1/status/leader"); err == nil && res.StatusCode == 200 {
			res.Body.Close()
			return
		}
		if try > 200 {
			t.Fatal("no room after the first client left")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	addr := serveLimited(t, Limits{HeaderTimeout: 50 * time.Millisecond}, &fake{})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /v1/jobs HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Fatalf("still connected: %v", err)
	}
}

// TestServeEndsBlockingCalls: the end of the agent does not wait for them.
func TestServeEndsBlockingCalls(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := New(Options{Caller: &fake{call: func(ctx context.Context, r *api.Row, _ any) (any, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}}})
	go func() { _, _ = http.Get("http://" + ln.Addr().String() + "/v1/jobs") }()
	if err := Serve(ctx, ln, h, Limits{}, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestGzip(t *testing.T) {
	srv, _ := serveFake(t, &fake{call: func(_ context.Context, r *api.Row, _ any) (any, error) {
		resp := &n.Reply[string]{Value: strings.Repeat("leader", 1000)}
		return resp, nil
	}})
	req, _ := http.NewRequest("GET", srv.URL+"/v1/status/leader", nil)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal(res.Header)
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || len(b) != 6002 {
		t.Fatal(len(b), err)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	_, c := serveFake(t, &fake{call: func(context.Context, *api.Row, any) (any, error) { panic("oh") }})
	_, err := api.Do(context.Background(), c, api.JobList, &n.JobListRequest{})
	if !errs.Is(err, errs.Internal) || !strings.Contains(err.Error(), "500") {
		t.Fatal(err)
	}
}
