package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// fillPath writes the fields of req into the row's path, escaped.
func (sh *shape) fillPath(req any) (string, error) {
	path := sh.row.Path
	for _, p := range sh.path {
		if !strings.Contains(path, "{"+p.name) {
			continue // of another route of the call
		}
		value := p.field(req).String()
		if value == "" {
			return "", errs.Newf(errs.Invalid, "%s needs a %s", sh.row.Name, p.name)
		}
		for _, v := range []string{"{" + p.name + "}", "{" + p.name + "...}"} {
			path = strings.Replace(path, v, url.PathEscape(value), 1)
		}
	}
	return path, nil
}

// params writes the fields that are not empty as query parameters.
func (sh *shape) params(req any) url.Values {
	q := url.Values{}
	for _, p := range sh.query {
		if values := param(p.field(req)); values != nil {
			q[p.name] = values
		}
	}
	return q
}

// defaults adds the client's own region and namespace.
func (c *Client) defaults(q url.Values, opts *n.RequestOptions) {
	if opts.Region == "" && c.Region != "" {
		q.Set("region", c.Region)
	}
	if opts.Namespace == "" && c.Namespace != "" {
		q.Set("namespace", c.Namespace)
	}
}

func (c *Client) sign(r *http.Request, token string) {
	if token == "" {
		token = c.Token
	}
	if token != "" {
		r.Header.Set("X-Nomad-Token", token)
	}
	if user, password, _ := strings.Cut(c.BasicAuth, ":"); user != "" {
		r.SetBasicAuth(user, password)
	}
}

// Raw makes a request to a path that no call stands for and returns its body.
func (c *Client) Raw(ctx context.Context, verb, path string, body io.Reader) ([]byte, error) {
	u := c.base
	p, query, _ := strings.Cut(path, "?")
	setEscaped(&u, p)
	u.RawQuery = query
	r, err := http.NewRequestWithContext(ctx, verb, u.String(), body)
	if err != nil {
		return nil, errs.As(errs.Invalid, err)
	}
	c.sign(r, "")
	res, err := c.do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// setEscaped appends an escaped path to the address's own.
func setEscaped(u *url.URL, escaped string) {
	base := strings.TrimSuffix(u.EscapedPath(), "/")
	u.Path, _ = url.PathUnescape(base + escaped) // it was escaped by us
	u.RawPath = base + escaped
}

// TLS says whom to trust and how to prove who we are.
type TLS struct {
	CACert     string // a PEM file; wins over CAPath
	CAPath     string // a directory of such
	ClientCert string
	ClientKey  string
	ServerName string
	Insecure   bool // trust anybody
}

func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.Insecure, MinVersion: tls.VersionTLS12}
	if t.CACert != "" || t.CAPath != "" {
		pool, err := t.roots()
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if (t.ClientCert == "") != (t.ClientKey == "") {
		return nil, errs.New(errs.Invalid, "Both client cert and client key must be provided")
	}
	if t.ClientCert == "" {
		return c, nil
	}
	cert, err := tls.LoadX509KeyPair(t.ClientCert, t.ClientKey)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "failed to load the client certificate: %v", err)
	}
	c.Certificates = []tls.Certificate{cert}
	return c, nil
}

func (t TLS) roots() (*x509.CertPool, error) {
	files := []string{t.CACert}
	if t.CACert == "" {
		var err error
		if files, err = filepath.Glob(filepath.Join(t.CAPath, "*")); err != nil {
			return nil, err
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, errs.Newf(errs.Invalid, "failed to load CA certificates: %v", err)
		}
		found = pool.AppendCertsFromPEM(b) || found
	}
	if !found {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("no certificate in %s", t.CACert+t.CAPath))
	}
	return pool, nil
}
