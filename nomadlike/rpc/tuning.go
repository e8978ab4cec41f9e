package rpc

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// Thousands of mostly idle connections end at one server, so buffers are small,
// and write buffers belong to a connection only while it writes. Windows are
// fixed, since gRPC would otherwise measure each connection with pings.
const (
	readBuffer       = 2 << 10   // bytes
	writeBuffer      = 4 << 10   // bytes
	streamWindow     = 256 << 10 // bytes unread before the sender waits
	connectionWindow = 1 << 20

	maxStreams       = 1 << 14 // at once on one connection
	handshakeTimeout = 10 * time.Second
	connectTimeout   = 5 * time.Second
)

func serverOptions(o Options) []grpc.ServerOption {
	k := o.Keepalive.orDefault()
	return []grpc.ServerOption{
		grpc.Creds(handshaken{}),
		grpc.MaxRecvMsgSize(o.MaxMessage),
		grpc.MaxSendMsgSize(o.MaxMessage),
		grpc.ReadBufferSize(readBuffer),
		grpc.WriteBufferSize(writeBuffer),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connectionWindow),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: k.Every, Timeout: k.Timeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
}

func dialOptions(o PoolOptions) []grpc.DialOption {
	k := o.Keepalive.orDefault()
	delay := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(handshaken{}),
		grpc.WithDefaultCallOptions(
			grpc.CallContentSubtype(wire.CodecName),
			grpc.MaxCallRecvMsgSize(o.MaxMessage),
			grpc.MaxCallSendMsgSize(o.MaxMessage),
		),
		grpc.WithReadBufferSize(readBuffer),
		grpc.WithWriteBufferSize(writeBuffer),
		grpc.WithStaticStreamWindowSize(streamWindow),
		grpc.WithStaticConnWindowSize(connectionWindow),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: k.Every, Timeout: k.Timeout}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: delay, MinConnectTimeout: connectTimeout}),
		grpc.WithIdleTimeout(o.Idle),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableHealthCheck(),
	}
}
