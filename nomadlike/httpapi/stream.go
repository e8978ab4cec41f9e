package httpapi

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

const (
	heartbeatEvery = time.Second
	// quiet is how long a stream may be silent before its first frame until the
	// client is told that it lives; until then an error still has a status code.
	quiet = 5 * time.Second
	// stalled is how long a client may take to read a frame.
	stalled = 40 * time.Second
)

// A pump writes frames to a client, one at a time, and a heartbeat when there
// are none.
type pump struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	rc    *http.ResponseController
	plain bool
	begun bool
	last  time.Time
	err   error // of the connection; nothing is written after it
}

// stream answers with any number of frames. An error after the first of them
// just ends the body.
func (s *server) stream(w http.ResponseWriter, r *http.Request, row *api.Row, req any) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	p := &pump{w: w, rc: http.NewResponseController(w), last: time.Now()}
	if logs, ok := req.(*n.LogsRequest); ok {
		p.plain = logs.Plain
	}
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		p.beat(ctx, cancel)
	}()
	err := s.Caller.Stream(ctx, row, req, p.send)
	cancel()
	<-beats
	if p.begun {
		if err != nil && r.Context().Err() == nil {
			s.Logger.Debug("stream ended early", "call", row.Name, "error", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return p.write(nil) // an empty stream is still an answer
}

// send writes one frame.
func (p *pump) send(frame any) error {
	if !p.plain {
		b, err := encodeJSON(frame, false)
		if err != nil {
			return err
		}
		return p.write(b)
	}
	f, ok := frame.(*n.StreamFrame)
	if !ok {
		return errors.New("this stream has no plain form")
	}
	return p.write(f.Data)
}

func (p *pump) write(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writeLocked(b)
}

func (p *pump) writeLocked(b []byte) error {
	if p.err != nil {
		return p.err
	}
	if !p.begun {
		p.begun = true
		contentType := "application/json"
		if p.plain {
			contentType = "text/plain; charset=utf-8"
		}
		p.w.Header().Set("Content-Type", contentType)
		p.w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	p.last = time.Now()
	_ = p.rc.SetWriteDeadline(p.last.Add(stalled))
	if _, p.err = p.w.Write(b); p.err == nil {
		p.err = p.rc.Flush()
	}
	return p.err
}

// beat tells a client that waits that the stream lives, and ends the stream of
// a client that is gone.
func (p *pump) beat(ctx context.Context, stop context.CancelFunc) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.heartbeat(); err != nil {
			stop()
			return
		}
	}
}

func (p *pump) heartbeat() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := heartbeatEvery
	if !p.begun {
		wait = quiet
	}
	if p.plain || time.Since(p.last) < wait {
		return nil
	}
	return p.writeLocked([]byte("{}"))
}
