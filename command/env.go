package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/httpapi"
)

// An env is what a command acts in: its world, and the agent it asks.
type env struct {
	IO
	ctx     context.Context
	general *general
	paint
	made *httpapi.Client
	line string // the command line, without a page token
}

func newEnv(ctx context.Context, w IO, g *general) *env {
	return &env{IO: w, ctx: ctx, general: g, paint: paint(colours(w, g))}
}

// setting is a flag, or else a variable of the environment.
func (e *env) setting(flag, variable string) string {
	if flag != "" {
		return flag
	}
	return e.Env(variable)
}

func (e *env) address() string {
	if a := e.setting(e.general.address, "NOMAD_ADDR"); a != "" {
		return a
	}
	return httpapi.DefaultAddress
}

func (e *env) namespace() string {
	if ns := e.setting(e.general.namespace, "NOMAD_NAMESPACE"); ns != "" {
		return ns
	}
	return n.DefaultNamespace
}

// config says how to reach the agent.
func (e *env) config() (httpapi.Config, error) {
	g := e.general
	c := httpapi.Config{
		Address: e.address(), Token: e.setting(g.token, "NOMAD_TOKEN"), Region: e.setting(g.region, "NOMAD_REGION"),
		Namespace: e.setting(g.namespace, "NOMAD_NAMESPACE"), BasicAuth: e.Env("NOMAD_HTTP_AUTH"),
		TLS: httpapi.TLS{
			CACert: e.setting(g.caCert, "NOMAD_CACERT"), CAPath: e.setting(g.caPath, "NOMAD_CAPATH"),
			ClientCert: e.setting(g.clientCert, "NOMAD_CLIENT_CERT"), ClientKey: e.setting(g.clientKey, "NOMAD_CLIENT_KEY"),
			ServerName: e.setting(g.sni, "NOMAD_TLS_SERVER_NAME"), Insecure: g.skipVerify || g.insecure,
		},
	}
	if v := e.Env("NOMAD_SKIP_VERIFY"); v != "" && !c.TLS.Insecure {
		skip, err := strconv.ParseBool(v)
		if err != nil {
			return c, failf("NOMAD_SKIP_VERIFY is %q, want true or false", v)
		}
		c.TLS.Insecure = skip
	}
	return c, nil
}

// client returns the client of the agent, made at the first call.
func (e *env) client() (*httpapi.Client, error) {
	if e.made != nil {
		return e.made, nil
	}
	c, err := e.config()
	if err != nil {
		return nil, err
	}
	if e.made, err = httpapi.NewClient(c); err != nil {
		e.made = nil
		return nil, failf("Error initializing client: %s", errs.Text(err))
	}
	return e.made, nil
}

// call makes a call to the agent.
func call[Req, Resp any](e *env, c api.Call[Req, Resp], req *Req) (*Resp, error) {
	cl, err := e.client()
	if err != nil {
		return nil, err
	}
	return api.Do(e.ctx, cl, c, req)
}

// read makes a call and returns the value of its reply.
func read[Req, T any](e *env, c api.Call[Req, n.Reply[T]], req *Req) (T, error) {
	reply, err := call(e, c, req)
	if err != nil {
		var zero T
		return zero, err
	}
	return reply.Value, nil
}

// trouble ends a command that could not do what it was about to do.
func (e *env) trouble(doing string, err error) error {
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	if e.ctx.Err() != nil {
		return e.ctx.Err()
	}
	return failf("%s: %s", doing, e.explain(err))
}

// explain adds to an error what can be done about it.
func (e *env) explain(err error) string {
	text := errs.Text(err)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return text + "\n\n" + e.unreachable()
	case errs.Is(err, errs.Permission), errs.Is(err, errs.Unauthorized):
		if e.setting(e.general.token, "NOMAD_TOKEN") == "" {
			return text + "\n\nNo token was sent: set NOMAD_TOKEN, or give one with -token."
		}
		return text + "\n\nThe token that was sent does not allow this."
	case errs.Is(err, errs.NoLeader):
		return text + "\n\nThe servers have not agreed on a leader. See who is there: " + Name + " server members"
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return text + "\n\nThe agent at " + e.address() + " speaks plain HTTP: use an http:// address."
	case strings.Contains(text, "Client sent an HTTP request to an HTTPS server"):
		return text + "\n\nThe agent at " + e.address() + " speaks TLS: use an https:// address."
	}
	return text
}

// unreachable says what was tried and how to get an agent.
func (e *env) unreachable() string {
	where := "the default address"
	switch {
	case e.general.address != "":
		where = "from -address"
	case e.Env("NOMAD_ADDR") != "":
		where = "from NOMAD_ADDR"
	}
	text := fmt.Sprintf("No agent answers at %s (%s).\n", e.address(), where)
	if u, err := url.Parse(e.address()); err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost") {
		text += "Start one for trying things out:  " + Name + " agent -dev\nor name another:                  "
	} else {
		text += "Name another: "
	}
	return text + "export NOMAD_ADDR=http://<host>:4646"
}

// pause waits for the time between two looks.
func (e *env) pause() error {
	select {
	case <-time.After(e.Poll):
		return nil
	case <-e.ctx.Done():
		return e.ctx.Err()
	}
}
