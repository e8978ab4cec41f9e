package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
)

// Headers travel beside the request: who asks, where it was forwarded from. Keys
// are lower-case words; values are any bytes. The suffix lets gRPC carry those,
// the prefix keeps ours apart from its own.
const (
	headerPrefix = "nl-"
	headerSuffix = "-bin"
)

// WithHeader returns a context whose calls carry the header.
func WithHeader(ctx context.Context, key, value string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, headerPrefix+key+headerSuffix, value)
}

// Header returns a header of the call that a handler is serving, or "".
func Header(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, headerPrefix+key+headerSuffix); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// passOn gives the calls made in ctx the headers of the call being served, before
// any that were added since.
func passOn(ctx context.Context) context.Context {
	in, ok := metadata.FromIncomingContext(ctx)
	if !ok {
		return ctx
	}
	out := metadata.MD{}
	for key, values := range in {
		if strings.HasPrefix(key, headerPrefix) {
			out[key] = values
		}
	}
	added, _ := metadata.FromOutgoingContext(ctx)
	return metadata.NewOutgoingContext(ctx, metadata.Join(out, added))
}
