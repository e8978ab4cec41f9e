// Package agent is one process of the cluster: it opens the ports, starts a
// server, a client or both as the configuration says, answers HTTP for them,
// and stops everything in order. What it composes knows nothing of it.
package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/client"
	"github.com/nomadlike/nomadlike/nomadlike/httpapi"
	"github.com/nomadlike/nomadlike/nomadlike/server"
)

// Version says what was built.
type Version struct {
	Version  string // of this program, such as "0.1.0"
	Revision string // of its source
}

// An Agent is a process's parts, made by New and run by Run.
type Agent struct {
	config  *config.Config
	version Version
	logger  hclog.InterceptLogger
	metrics *prometheus.Registry

	server   *server.Server // nil where none runs
	client   *client.Client // nil where none runs
	calls    *api.Handlers  // that the agent answers itself
	listen   config.Endpoints
	announce config.Addresses
	http     []net.Listener
	rpc      net.Listener // nil without a server
	tls      tlsConfigs
	lock     *os.File // on the data directory
	temp     string   // the data directory of -dev, removed at the end
	fatal    chan error
}

// New opens ports and directories and starts nothing that needs to be stopped
// but by Run or Close.
func New(c *config.Config, v Version, logger hclog.InterceptLogger) (*Agent, error) {
	a := &Agent{config: c, version: v, logger: logger, metrics: prometheus.NewRegistry(), fatal: make(chan error, 1)}
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range []func() error{a.openDir, a.openTLS, a.openPorts, a.openServer, a.openClient} {
		if err := step(); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	a.bind()
	return a, nil
}

// openDir makes the data directory and keeps other agents out of it.
func (a *Agent) openDir() error {
	if a.config.Dev && a.config.DataDir == "" {
		dir, err := os.MkdirTemp("", "nomadlike-dev-")
		if err != nil {
			return fmt.Errorf("make a directory for the dev agent: %w", err)
		}
		// Tasks of other users must be able to reach their own directories.
		if err := os.Chmod(dir, 0o711); err != nil {
			return err
		}
		a.temp, a.config.DataDir = dir, dir
	}
	if err := os.MkdirAll(a.config.DataDir, 0o711); err != nil {
		return fmt.Errorf("make the data directory: %w: give it to the user that runs the agent, or name another with data_dir", err)
	}
	f, err := lockDir(a.config.DataDir)
	if err != nil {
		return err
	}
	a.lock = f
	return nil
}

// openPorts listens on all ports before anything else begins, so that an agent
// that can not have them changes nothing.
func (a *Agent) openPorts() (err error) {
	if a.listen, err = a.config.Listen(); err != nil {
		return err
	}
	if a.announce, err = a.config.Announce(); err != nil {
		return err
	}
	for _, addr := range a.listen.HTTP {
		l, err := openPort("http", addr)
		if err != nil {
			return err
		}
		a.http = append(a.http, l)
	}
	if a.config.Server.Enabled {
		a.rpc, err = openPort("rpc", a.listen.RPC)
	}
	return err
}

func openPort(name, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the %s port %s: %w: is another agent running? choose another with ports { %s = … }", name, addr, err, name)
	}
	return l, nil
}

// Run works until ctx ends, or until a part of the agent fails.
func (a *Agent) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		select {
		case err := <-a.fatal:
			return err
		case <-ctx.Done():
			return nil
		}
	})
	// A server outlives the client beside it, so that the client's last words
	// are heard, and HTTP outlives both.
	serverCtx, stopServer := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServer()
	clientDone := make(chan struct{})
	if a.server != nil {
		g.Go(func() error { return a.server.Run(serverCtx) })
	}
	g.Go(func() error {
		defer close(clientDone)
		if a.client == nil {
			<-ctx.Done()
			return nil
		}
		return a.client.Run(ctx)
	})
	g.Go(func() error { return a.serveHTTP(clientDone) })
	g.Go(func() error {
		<-clientDone
		stopServer()
		return nil
	})
	err := g.Wait()
	return errors.Join(err, a.Close())
}

// Close releases what New opened.
func (a *Agent) Close() error {
	var err error
	for _, l := range append(a.http, a.rpc) {
		if l != nil {
			_ = l.Close() // its server may have closed it already
		}
	}
	if a.lock != nil {
		err = errors.Join(err, a.lock.Close())
		a.lock = nil
	}
	if a.temp != "" {
		err = errors.Join(err, os.RemoveAll(a.temp))
		a.temp = ""
	}
	return err
}

// httpGrace is how long requests may take to end when the agent stops.
const httpGrace = 2 * time.Second

func (a *Agent) serveHTTP(until <-chan struct{}) error {
	srv := &http.Server{
		Handler: httpapi.New(httpapi.Options{
			Caller: a, Logger: a.logger.Named("http"), Headers: a.config.HTTPHeaders, Health: a.health,
			Metrics: a.metrics, PrometheusFormat: a.config.Telemetry.PrometheusMetrics, Pprof: a.config.EnableDebug,
		}),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       5 * time.Minute,
		ErrorLog:          a.logger.Named("http").StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	go func() {
		<-until
		ctx, cancel := context.WithTimeout(context.Background(), httpGrace)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			_ = srv.Close() // those who still wait are cut off
		}
	}()
	var g errgroup.Group
	for _, l := range a.http {
		g.Go(func() error {
			if err := srv.Serve(a.tls.wrapHTTP(l)); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	return g.Wait()
}

// HTTPAddr is where the agent answers HTTP.
func (a *Agent) HTTPAddr() string { return a.http[0].Addr().String() }

// health says how the agent's parts are.
func (a *Agent) health(ctx context.Context) n.AgentHealth {
	var h n.AgentHealth
	if a.server != nil {
		h.Server = &n.PartHealth{OK: true, Message: "ok"}
		if _, err := api.Do(ctx, a.server, api.StatusLeader, &n.ListRequest{}); err != nil {
			h.Server = &n.PartHealth{Message: err.Error()}
		}
	}
	if a.client != nil {
		h.Client = &n.PartHealth{OK: true, Message: "ok"}
		if len(a.client.Servers()) == 0 {
			h.Client = &n.PartHealth{Message: "no known servers"}
		}
	}
	return h
}

// dir names a directory of the agent's own below the data directory, unless it
// was written.
func (a *Agent) dir(written, name string) string {
	if written != "" {
		return written
	}
	return filepath.Join(a.config.DataDir, name)
}
