package errs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

func TestKindAndText(t *testing.T) {
	notFound := errs.Newf(errs.NotFound, "job %q not found", "web")
	for _, c := range []struct {
		name string
		err  error
		kind errs.Kind
		text string
		log  string
	}{
		{"nil", nil, "", "", ""},
		{"plain", io.EOF, errs.Internal, "EOF", "EOF"},
		{"leaf", notFound, errs.NotFound, `job "web" not found`, `job "web" not found`},
		{"operation", errs.E("job.stop", notFound), errs.NotFound, `job "web" not found`, `job.stop: job "web" not found`},
		{"two operations", errs.E("http", errs.E("job.stop", notFound)), errs.NotFound, `job "web" not found`, `http: job.stop: job "web" not found`},
		{"wrapped by fmt", fmt.Errorf("stop: %w", errs.E("state", notFound)), errs.NotFound, `stop: job "web" not found`, `stop: state: job "web" not found`},
		{"operation around plain", errs.E("open", io.EOF), errs.Internal, "EOF", "open: EOF"},
		{"another kind", errs.As(errs.Unavailable, errs.E("dial", io.EOF)), errs.Unavailable, "EOF", "dial: EOF"},
		{"newf keeps cause", errs.Newf(errs.Invalid, "read body: %w", io.ErrUnexpectedEOF), errs.Invalid, "read body: unexpected EOF", "read body: unexpected EOF"},
		{"newf hides kind", errs.Newf(errs.Invalid, "parent: %w", notFound), errs.Invalid, `parent: job "web" not found`, `parent: job "web" not found`},
		{"no leader", errs.New(errs.NoLeader, ""), errs.NoLeader, "No cluster leader", "No cluster leader"},
		{"not leader in an operation", errs.E("raft", errs.New(errs.NotLeader, "")), errs.NotLeader, "No cluster leader", "raft: No cluster leader"},
		{"canceled", fmt.Errorf("wait: %w", context.Canceled), errs.Canceled, "wait: context canceled", "wait: context canceled"},
		{"deadline", errs.E("wait", context.DeadlineExceeded), errs.Timeout, "context deadline exceeded", "wait: context deadline exceeded"},
		{"kind only", &errs.Error{Op: "x", Kind: errs.Conflict}, errs.Conflict, "conflict", "x: conflict"},
		{"empty", &errs.Error{}, errs.Internal, "unknown error", "unknown error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := errs.KindOf(c.err); got != c.kind {
				t.Errorf("kind %q, want %q", got, c.kind)
			}
			if got := errs.Text(c.err); got != c.text {
				t.Errorf("text %q, want %q", got, c.text)
			}
			if c.err != nil && c.err.Error() != c.log {
				t.Errorf("log %q, want %q", c.err, c.log)
			}
		})
	}
}

func TestChainIsKept(t *testing.T) {
	err := errs.E("a", errs.Newf(errs.Invalid, "b: %w", errs.As(errs.Timeout, io.EOF)))
	if !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
	if !errs.Is(err, errs.Invalid) || errs.Is(err, errs.Timeout) || errs.Is(nil, errs.Internal) {
		t.Error("Is disagrees with KindOf")
	}
	if errs.E("x", nil) != nil || errs.As(errs.Invalid, nil) != nil {
		t.Error("nil became an error")
	}
}

func TestHTTPCodes(t *testing.T) {
	want := map[errs.Kind]int{
		errs.Invalid: 400, errs.NotFound: 404, errs.Permission: 403, errs.Unauthorized: 401,
		errs.Conflict: 409, errs.NotLeader: 500, errs.NoLeader: 500, errs.Unavailable: 503,
		errs.Unsupported: 501, errs.TooLarge: 413, errs.RateLimited: 429, errs.Internal: 500,
		errs.Canceled: 499, errs.Timeout: 504, "from the future": 500,
	}
	for _, k := range append(errs.Kinds, "from the future") {
		if code, ok := want[k]; !ok || k.HTTP() != code {
			t.Errorf("%s is %d, want %d", k, k.HTTP(), code)
		}
		delete(want, k)
	}
	if len(want) != 0 {
		t.Errorf("not among Kinds: %v", want)
	}
}
