package agent

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// tlsConfigs are nil where TLS is off.
type tlsConfigs struct {
	server *tls.Config // for RPC that comes in
	client *tls.Config // for RPC that goes out
	http   *tls.Config
	own    *certificate
}

// reload reads the certificate again; connections made from now on show it.
func (t tlsConfigs) reload() error {
	if t.own == nil {
		return nil
	}
	return t.own.read()
}

// A certificate is read from its files when the agent starts, and again when it
// is told to.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

func (c *certificate) read() error {
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("tls.cert_file and tls.key_file: %w", err)
	}
	c.current.Store(&cert)
	return nil
}

// shownIn makes a configuration show the certificate, to servers and to clients.
func (c *certificate) shownIn(t *tls.Config) {
	t.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }
	t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.current.Load(), nil }
}

func (t tlsConfigs) wrapHTTP(l net.Listener) net.Listener {
	if t.http == nil {
		return l
	}
	return tls.NewListener(l, t.http)
}

// openTLS reads the certificates.
func (a *Agent) openTLS() error {
	c := a.config.TLS
	if !c.HTTP && !c.RPC {
		return nil
	}
	a.tls.own = &certificate{certFile: c.CertFile, keyFile: c.KeyFile}
	if err := a.tls.own.read(); err != nil {
		return err
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return fmt.Errorf("tls.ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("tls.ca_file: %s holds no certificate in PEM form", c.CAFile)
	}
	base := &tls.Config{RootCAs: roots, ClientCAs: roots, MinVersion: tls.VersionTLS12}
	a.tls.own.shownIn(base)
	if c.RPC {
		a.tls.server = base.Clone()
		a.tls.server.ClientAuth = tls.RequireAndVerifyClientCert
		a.tls.client = rpcClientTLS(base, "server."+a.config.Region+".nomad", c.VerifyServerHostname)
	}
	if c.HTTP {
		a.tls.http = base.Clone()
		if c.VerifyHTTPSClient {
			a.tls.http.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	return nil
}

// rpcClientTLS trusts whoever has a certificate of the cluster's authority; with
// verifyName only those whose certificate says that they are a server.
func rpcClientTLS(base *tls.Config, name string, verifyName bool) *tls.Config {
	c := base.Clone()
	c.ServerName = name
	if verifyName {
		return c
	}
	c.InsecureSkipVerify = true // the chain is verified below, the name is not
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server showed no certificate")
		}
		o := x509.VerifyOptions{Roots: c.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
	return c
}
