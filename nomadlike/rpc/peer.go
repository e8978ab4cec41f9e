package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// A Peer is the other end of a connection.
type Peer struct {
	Addr net.Addr
	TLS  *tls.ConnectionState // nil without TLS
}

// Names returns the DNS names in the peer's verified certificate; none if it
// showed none or nobody verified it.
func (p Peer) Names() []string {
	if p.TLS == nil || len(p.TLS.VerifiedChains) == 0 {
		return nil
	}
	return p.TLS.VerifiedChains[0][0].DNSNames
}

// PeerFrom returns who is calling, in the context of a handler.
func PeerFrom(ctx context.Context) (Peer, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Peer{}, false
	}
	info, _ := p.AuthInfo.(identity)
	return Peer{p.Addr, info.tls}, true
}

// peerOf returns the other end of a connection that has done its handshake.
func peerOf(conn net.Conn) Peer { return Peer{conn.RemoteAddr(), identify(conn).tls} }

// handshaken is gRPC's view of our connections, which come to it with TLS done.
type handshaken struct{}

func (handshaken) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, identify(conn), nil
}

func (handshaken) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, identify(conn), nil
}

func (handshaken) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "nomadlike"}
}

func (h handshaken) Clone() credentials.TransportCredentials { return h }

func (handshaken) OverrideServerName(string) error {
	return errors.New("rpc: the TLS configuration names the server")
}

// identity is what the handshake found out.
type identity struct{ tls *tls.ConnectionState }

func (identity) AuthType() string { return "nomadlike" }

func identify(conn net.Conn) identity {
	if s, ok := conn.(*sniffed); ok {
		conn = s.Conn
	}
	if t, ok := conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		return identity{&state}
	}
	return identity{}
}
