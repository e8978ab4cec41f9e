package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// An authority signs certificates for tests.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(50, 0, 0),
	}}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return a
}

func (a *authority) pool() *x509.CertPool {
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

func (a *authority) issue(name string) tls.Certificate {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(50, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) server(name string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.issue(name)}, ClientCAs: a.pool(), RootCAs: a.pool(), ClientAuth: tls.RequireAndVerifyClientCert, ServerName: name}
}

func (a *authority) client(name, server string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.issue(name)}, RootCAs: a.pool(), ServerName: server}
}

const serverName = "server.global.nomad"

func TestMutualTLS(t *testing.T) {
	inBubble(t, func(w *world) {
		ca, other := newAuthority(w.t), newAuthority(w.t)
		srv := rpc.NewServer(rpc.Options{TLS: ca.server(serverName)})
		rpc.Handle(srv, echo, func(ctx context.Context, _ *ask) (*answer, error) {
			peer, _ := rpc.PeerFrom(ctx)
			return &answer{Text: fmt.Sprint(peer.Names(), strings.HasPrefix(peer.Addr.String(), "c:"))}, nil
		})
		w.serve("s", srv)
		call := func(config *tls.Config) (string, error) {
			p := w.newPool("c", rpc.PoolOptions{TLS: config})
			got, err := rpc.Call(w.t.Context(), p.To("s:1"), echo, &ask{})
			if err != nil {
				return "", err
			}
			return got.Text, nil
		}
		if got, err := call(ca.client("client.global.nomad", serverName)); err != nil || got != "[client.global.nomad] true" {
			w.t.Error(got, err)
		}
		noCert := ca.client("x", serverName)
		noCert.Certificates = nil
		for name, config := range map[string]*tls.Config{
			"no TLS":             nil,
			"no certificate":     noCert,
			"another CA":         {Certificates: []tls.Certificate{other.issue("x")}, RootCAs: ca.pool(), ServerName: serverName},
			"server not trusted": other.client("x", serverName),
			"server misnamed":    ca.client("x", "server.other.nomad"),
			"host not named":     ca.client("x", ""),
		} {
			if got, err := call(config); !errs.Is(err, errs.Unavailable) {
				w.t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	})
}

// echoFSM keeps what was applied.
type echoFSM struct{ applied []string }

func (f *echoFSM) Apply(l *raft.Log) any               { f.applied = append(f.applied, string(l.Data)); return nil }
func (f *echoFSM) Snapshot() (raft.FSMSnapshot, error) { return nil, errors.New("none") }
func (f *echoFSM) Restore(io.ReadCloser) error         { return nil }

// TestRaftSharesThePort elects a leader among three servers that also answer
// calls, with mutual TLS, cuts it off and elects another.
func TestRaftSharesThePort(t *testing.T) {
	inBubble(t, func(w *world) {
		ca := newAuthority(w.t)
		nodes := map[string]*raft.Raft{}
		fsms := map[string]*echoFSM{}
		var members raft.Configuration
		for _, host := range []string{"s1", "s2", "s3"} {
			members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(host), Address: raft.ServerAddress(host + ":1")})
		}
		for _, m := range members.Servers {
			host := string(m.ID)
			srv := echoServer(rpc.Options{TLS: ca.server(serverName), AllowRaft: onlyServers})
			pool := w.newPool(host, rpc.PoolOptions{TLS: ca.server(serverName)})
			layer := srv.Raft(pool, address(m.Address))
			w.serve(host, srv)
			transport := raft.NewNetworkTransport(layer, 3, 5*time.Second, io.Discard)
			config := raft.DefaultConfig()
			config.LocalID, config.Logger = m.ID, hclog.NewNullLogger()
			store, snaps := raft.NewInmemStore(), raft.NewInmemSnapshotStore()
			if err := raft.BootstrapCluster(config, store, store, snaps, transport, members); err != nil {
				w.t.Fatal(err)
			}
			fsms[host] = &echoFSM{}
			r, err := raft.NewRaft(config, fsms[host], store, store, snaps, transport)
			if err != nil {
				w.t.Fatal(err)
			}
			nodes[host] = r
			w.t.Cleanup(func() { r.Shutdown().Error(); transport.Close() })
		}
		first := w.leader(nodes, "")
		if err := nodes[first].Apply([]byte("one"), time.Second).Error(); err != nil {
			w.t.Fatal(err)
		}
		p := w.newPool("c", rpc.PoolOptions{TLS: ca.client("client.global.nomad", serverName)})
		if got, err := rpc.Call(w.t.Context(), p.To(first+":1"), echo, &ask{"x"}); err != nil || got.Text != "x" {
			w.t.Error(got, err)
		}
		w.net.Isolate(first)
		second := w.leader(nodes, first)
		if err := nodes[second].Apply([]byte("two"), time.Second).Error(); err != nil {
			w.t.Fatal(err)
		}
		w.net.Heal()
		time.Sleep(time.Minute)
		synctest.Wait()
		for host, f := range fsms {
			if fmt.Sprint(f.applied) != "[one two]" {
				w.t.Errorf("%s applied %v", host, f.applied)
			}
		}
		refused, err := tls.Client(mustDial(w, "c", first+":1"), ca.client("client.global.nomad", serverName)), error(nil)
		if _, err = refused.Write([]byte{1}); err == nil {
			_, err = refused.Read(make([]byte, 1))
		}
		if err != io.EOF {
			w.t.Error("a client may speak raft:", err)
		}
		refused.Close()
	})
}

func onlyServers(p rpc.Peer) error {
	for _, name := range p.Names() {
		if name == serverName {
			return nil
		}
	}
	return fmt.Errorf("%v is no server", p.Names())
}

func mustDial(w *world, from, to string) net.Conn {
	w.t.Helper()
	conn, err := w.net.Host(from).Dial(w.t.Context(), to)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// leader waits for a leader other than the one named.
func (w *world) leader(nodes map[string]*raft.Raft, but string) string {
	w.t.Helper()
	for range 120 {
		time.Sleep(time.Second)
		synctest.Wait()
		for host, r := range nodes {
			if host != but && r.State() == raft.Leader {
				return host
			}
		}
	}
	w.t.Fatal("no leader")
	return ""
}

type address string

func (address) Network() string  { return "sim" }
func (a address) String() string { return string(a) }
