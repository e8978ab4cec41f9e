package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// DefaultAddress is where an agent listens unless told otherwise.
const DefaultAddress = "http://127.0.0.1:4646"

// Config says how to reach an agent and as whom. The zero value asks the local
// one, as nobody.
type Config struct {
	Address   string // "http://…", "https://…" or "unix:///path"; a path in it is kept
	Token     string
	Region    string // for requests that name none
	Namespace string // likewise
	BasicAuth string // "user:password" of a proxy in between
	TLS       TLS
	// Transport replaces the network, for tests.
	Transport http.RoundTripper
}

// A Client makes calls over HTTP. It is an api.Caller.
type Client struct {
	Config
	base url.URL
	http *http.Client
}

// A StatusError is an answer that is an error. Its kind and text are found with
// errs.KindOf and in Text.
type StatusError struct {
	Code int
	Text string
}

// Error is in the words that scripts look for.
func (e *StatusError) Error() string {
	return fmt.Sprintf("Unexpected response code: %d (%s)", e.Code, e.Text)
}

// Unwrap makes the kind known.
func (e *StatusError) Unwrap() error { return errs.New(kindOf(e.Code, e.Text), e.Text) }

// NewClient returns a client. It connects only when it is used.
func NewClient(c Config) (*Client, error) {
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if !strings.Contains(c.Address, "://") {
		c.Address = "http://" + c.Address
	}
	u, err := url.Parse(c.Address)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "invalid address %q: %v", c.Address, err)
	}
	cl := &Client{Config: c, base: *u, http: &http.Client{Transport: c.Transport}}
	if c.Transport != nil {
		return cl, nil
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: 10 * time.Second, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	}
	switch u.Scheme {
	case "http":
	case "https":
		t.TLSClientConfig, err = c.TLS.config()
	case "unix":
		path := u.Path
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
		t.Proxy = nil
		cl.base = url.URL{Scheme: "http", Host: "127.0.0.1"}
	default:
		err = errs.Newf(errs.Invalid, "invalid address %q: want http://, https:// or unix://", c.Address)
	}
	cl.http.Transport = t
	return cl, err
}

// Call makes one call.
func (c *Client) Call(ctx context.Context, row *api.Row, req any) (any, error) {
	hr, err := c.request(ctx, row, req)
	if err != nil {
		return nil, err
	}
	res, err := c.do(hr)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, errs.Newf(errs.Unavailable, "reading the answer of %s: %v", c.Address, err)
	}
	resp := row.NewResp()
	if err := decodeAnswer(body, resp); err != nil {
		return nil, errs.Newf(errs.Internal, "%s %s: the answer is not what this version expects: %v", hr.Method, hr.URL.Path, err)
	}
	readHeaders(res.Header, resp)
	return resp, nil
}

// Stream makes a call and hands on every frame of its answer, heartbeats too.
// Frames are asked for even if the request wants the plain form.
func (c *Client) Stream(ctx context.Context, row *api.Row, req any, send func(any) error) error {
	if logs, ok := req.(*n.LogsRequest); ok && logs.Plain {
		framed := *logs
		framed.Plain = false
		req = &framed
	}
	hr, err := c.request(ctx, row, req)
	if err != nil {
		return err
	}
	res, err := c.do(hr)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	dec := json.NewDecoder(res.Body)
	for {
		frame := row.NewResp()
		switch err := dec.Decode(frame); {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return errs.Newf(errs.Unavailable, "the stream broke off: %v", err)
		}
		if err := send(frame); err != nil {
			return err
		}
	}
}

// do sends a request and turns answers that are errors into such.
func (c *Client) do(hr *http.Request) (*http.Response, error) {
	res, err := c.http.Do(hr)
	if err != nil {
		if ctxErr := hr.Context().Err(); ctxErr != nil {
			return nil, ctxErr
		}
		return nil, errs.As(errs.Unavailable, err)
	}
	if res.StatusCode == http.StatusOK || res.StatusCode == http.StatusNoContent {
		return res, nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16)) // what there is will do
	return nil, &StatusError{res.StatusCode, strings.TrimSpace(string(text))}
}

// decodeAnswer fills resp from a body, which may be empty.
func decodeAnswer(body []byte, resp any) error {
	if len(body) == 0 {
		return nil
	}
	if _, ok := resp.(bodied); ok {
		return json.Unmarshal(body, reflect.ValueOf(resp).Elem().FieldByName("Value").Addr().Interface())
	}
	return json.Unmarshal(body, resp)
}

// readHeaders is the reverse of setHeaders.
func readHeaders(h http.Header, resp any) {
	index, err := strconv.ParseUint(h.Get("X-Nomad-Index"), 10, 64)
	if m, ok := resp.(meta); ok {
		q := m.Meta()
		if err == nil {
			q.Index = index
		}
		if known := h.Get("X-Nomad-Knownleader"); known != "" {
			q.KnownLeader = known == "true"
		}
		if ms, err := strconv.ParseInt(h.Get("X-Nomad-Lastcontact"), 10, 64); err == nil {
			q.LastContact = time.Duration(ms) * time.Millisecond
		}
		if next := h.Get("X-Nomad-Nexttoken"); next != "" {
			q.NextToken = next
		}
		return
	}
	if f := reflect.ValueOf(resp).Elem(); f.Kind() == reflect.Struct && err == nil {
		if _, ok := resp.(indexed); ok {
			f.FieldByName("Index").SetUint(index)
		}
	}
}

// request builds the request of a call by its row's shape.
func (c *Client) request(ctx context.Context, row *api.Row, req any) (*http.Request, error) {
	if row.Verb == "" {
		return nil, errs.Newf(errs.Unsupported, "%s can not be called over HTTP", row.Name)
	}
	sh := shapeOf(row)
	u := c.base
	path, err := sh.fillPath(req)
	if err != nil {
		return nil, err
	}
	setEscaped(&u, path)
	q := sh.params(req)
	if r, ok := req.(*n.JobSubmissionQuery); ok { // its zero is meant, see check
		q.Set("version", strconv.FormatUint(r.Version, 10))
	}
	opts := req.(n.Request).Common()
	c.defaults(q, opts)
	u.RawQuery = q.Encode()
	var body io.Reader
	content := "application/json"
	if sh.raw != nil {
		content = "application/octet-stream"
		body = bytes.NewReader(sh.raw.field(req).Bytes())
	}
	if sh.body {
		b, err := json.Marshal(req)
		if err != nil {
			return nil, errs.As(errs.Invalid, err)
		}
		body = bytes.NewReader(b)
	}
	hr, err := http.NewRequestWithContext(ctx, row.Verb, u.String(), body)
	if err != nil {
		return nil, errs.As(errs.Invalid, err)
	}
	if body != nil {
		hr.Header.Set("Content-Type", content)
	}
	c.sign(hr, opts.AuthToken)
	return hr, nil
}
