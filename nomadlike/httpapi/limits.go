package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Limits protect the agent from clients that are greedy or slow. Zero is the
// default, a negative number no limit.
type Limits struct {
	MaxBody           int64         // bytes of a request's body; 16 MiB
	MaxConnsPerClient int           // open connections of one address; 100
	HeaderTimeout     time.Duration // for a request's header, and for the TLS handshake; 10 s
	IdleTimeout       time.Duration // between two requests; 2 min
}

const (
	bodyTimeout  = 2 * time.Minute // for a request's body
	writeTimeout = 2 * time.Minute // for an answer that is no stream
	defaultBody  = 16 << 20
	defaultConns = 100
)

func (l Limits) withDefaults() Limits {
	or := func(d *time.Duration, def time.Duration) {
		switch {
		case *d == 0:
			*d = def
		case *d < 0:
			*d = 0
		}
	}
	or(&l.HeaderTimeout, 10*time.Second)
	or(&l.IdleTimeout, 2*time.Minute)
	if l.MaxBody == 0 {
		l.MaxBody = defaultBody
	} else if l.MaxBody < 0 {
		l.MaxBody = 1 << 62
	}
	if l.MaxConnsPerClient == 0 {
		l.MaxConnsPerClient = defaultConns
	}
	return l
}

// Serve answers what comes in on ln, with TLS unless config is nil, until ctx
// ends. Open requests then get a moment to finish; blocking ones are cut off.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, lim Limits, config *tls.Config, log hclog.Logger) error {
	if log == nil {
		log = hclog.NewNullLogger()
	}
	lim = lim.withDefaults()
	ln = &fairListener{Listener: ln, limit: lim.MaxConnsPerClient, open: map[string]int{}}
	if config != nil {
		config = config.Clone()
		config.NextProtos = []string{"http/1.1"}
		ln = tls.NewListener(ln, config)
	}
	base, cutOff := context.WithCancel(context.Background())
	defer cutOff()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: lim.HeaderTimeout, IdleTimeout: lim.IdleTimeout, Protocols: &protocols,
		ErrorLog:    log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
		BaseContext: func(net.Listener) context.Context { return base },
	}
	down := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(down)
		cutOff()
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(ln)
	if !stop() {
		<-down
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
