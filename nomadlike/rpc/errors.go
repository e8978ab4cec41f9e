package rpc

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// kindTrailer carries the kind of an error, which status codes are too few for.
const kindTrailer = "nomadlike-kind"

// codeOf gives the status code that describes a kind best, for foreign tools and
// for gRPC itself; our own side reads the trailer.
func codeOf(kind errs.Kind) codes.Code {
	switch kind {
	case errs.Invalid:
		return codes.InvalidArgument
	case errs.NotFound:
		return codes.NotFound
	case errs.Permission:
		return codes.PermissionDenied
	case errs.Unauthorized:
		return codes.Unauthenticated
	case errs.Conflict:
		return codes.Aborted
	case errs.NotLeader, errs.NoLeader:
		return codes.FailedPrecondition
	case errs.Unavailable:
		return codes.Unavailable
	case errs.Unsupported:
		return codes.Unimplemented
	case errs.TooLarge, errs.RateLimited:
		return codes.ResourceExhausted
	case errs.Canceled:
		return codes.Canceled
	case errs.Timeout:
		return codes.DeadlineExceeded
	}
	return codes.Internal
}

// toStatus turns a handler's error into what gRPC sends. The error chain stays
// behind; kind and text travel.
func toStatus(err error) (error, metadata.MD) { //nolint:revive,staticcheck // gRPC's own order
	kind := errs.KindOf(err)
	return status.Error(codeOf(kind), errs.Text(err)), metadata.Pairs(kindTrailer, string(kind))
}

// fromStatus turns what gRPC returned for a call to addr into an *errs.Error.
func fromStatus(ctx context.Context, addr, method string, err error, trailer metadata.MD) error {
	s := status.Convert(err)
	e := &errs.Error{Op: method, Text: s.Message()}
	if kind := trailer.Get(kindTrailer); len(kind) == 1 {
		e.Kind = errs.Kind(kind[0])
		return e
	}
	// No handler said this: it comes from gRPC here or there.
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded:
		e.Kind = errs.Timeout
		e.Err = context.DeadlineExceeded
		if s.Code() == codes.Canceled {
			e.Kind, e.Err = errs.Canceled, context.Canceled
		}
		if cause := context.Cause(ctx); cause != nil {
			e.Err = cause
		}
		e.Text = ""
	case codes.ResourceExhausted:
		e.Kind, e.Text = errs.TooLarge, tooLarge(s.Message())
	case codes.Unavailable:
		e.Kind, e.Text = errs.Unavailable, fmt.Sprintf("cannot reach %s: %s", addr, reason(s.Message()))
	case codes.Unimplemented:
		e.Kind, e.Text = errs.Unsupported, fmt.Sprintf("server %s does not know the call %s: it may be older than this one", addr, method)
	default:
		e.Kind = errs.Internal
	}
	return e
}

// tooLarge rewords gRPC's "… larger than max (12 vs. 10)".
func tooLarge(text string) string {
	var size, limit int
	if i := strings.LastIndexByte(text, '('); i >= 0 {
		if n, _ := fmt.Sscanf(text[i:], "(%d vs. %d)", &size, &limit); n == 2 {
			return fmt.Sprintf("message of %d bytes is above the limit of %d bytes", size, limit)
		}
	}
	return text
}

// reason leaves out how gRPC came to hear of a connection error.
func reason(text string) string {
	for _, noise := range []string{"Error while dialing: ", "desc = "} {
		if _, after, ok := strings.Cut(text, noise); ok {
			text = strings.Trim(after, `"`)
		}
	}
	return text
}
