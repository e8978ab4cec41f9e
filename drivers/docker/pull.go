package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
)

// Progress of a pull is told after a while and then again and again.
const progressInterval = 2 * time.Minute

// pulls are the pulls under way, one for each image and credentials.
type pulls struct {
	mu      sync.Mutex
	running map[pullKey]*pull
}

type pullKey struct{ ref, auth string }

// A pull goes on as long as somebody waits for it.
type pull struct {
	cancel  context.CancelCauseFunc
	waiters int
	done    chan struct{}
	err     error // once done

	mu     sync.Mutex
	layers map[string]layer
	began  time.Time
}

// layer is how far the engine has come with a part of an image.
type layer struct {
	status         string
	current, total int64
}

// pullRequest is what an image is pulled with.
type pullRequest struct {
	cli      *client.Client
	key      pullKey
	timeout  time.Duration
	activity time.Duration // without any news for so long the pull is given up
	progress func(message string)
}

// errPullTimeout and errPullStalled end a pull.
var (
	errPullTimeout = errors.New("image pull timed out; image_pull_timeout can be raised")
	errPullStalled = errors.New("image pull made no progress; the registry may be slow or out of reach")
)

// pull pulls an image, or waits for somebody else's pull of it. When the last
// who waits gives up, so does the engine.
func (p *pulls) pull(ctx context.Context, r pullRequest) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("%w (it is %s)", errPullTimeout, r.timeout))
	defer cancel()
	one := p.join(ctx, r)
	defer p.leave(r.key, one)
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for {
		select {
		case <-one.done:
			return one.err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
			r.progress(one.message(time.Now()))
		}
	}
}

func (p *pulls) join(ctx context.Context, r pullRequest) *pull {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.running[r.key]; one != nil {
		one.waiters++
		return one
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	one := &pull{cancel: cancel, waiters: 1, done: make(chan struct{}), layers: map[string]layer{}, began: time.Now()}
	if p.running == nil {
		p.running = map[pullKey]*pull{}
	}
	p.running[r.key] = one
	go func() {
		one.err = one.run(ctx, r)
		p.mu.Lock()
		if p.running[r.key] == one {
			delete(p.running, r.key)
		}
		p.mu.Unlock()
		close(one.done)
		cancel(nil)
	}()
	return one
}

func (p *pulls) leave(key pullKey, one *pull) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.waiters--
	if one.waiters == 0 {
		one.cancel(context.Canceled)
		if p.running[key] == one {
			delete(p.running, key)
		}
	}
}

func (p *pull) run(ctx context.Context, r pullRequest) error {
	stalled := time.AfterFunc(r.activity, func() { p.cancel(fmt.Errorf("%w (for %s)", errPullStalled, r.activity)) })
	defer stalled.Stop()
	cause := func(err error) error {
		if c := context.Cause(ctx); c != nil {
			return c
		}
		return err
	}
	stream, err := r.cli.ImagePull(ctx, r.key.ref, client.ImagePullOptions{RegistryAuth: r.key.auth})
	if err != nil {
		return cause(err)
	}
	defer stream.Close()
	for m, err := range stream.JSONMessages(ctx) {
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return cause(err)
		}
		if m.Error != nil {
			return m.Error
		}
		if p.note(&m) {
			stalled.Reset(r.activity)
		}
	}
	return cause(nil)
}

// note takes a message of the engine and reports whether anything has changed.
func (p *pull) note(m *jsonstream.Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := layer{status: m.Status}
	if m.Progress != nil {
		now.current, now.total = m.Progress.Current, m.Progress.Total
	}
	changed := p.layers[m.ID] != now
	p.layers[m.ID] = now
	return changed
}

// message says how far the pull has come.
func (p *pull) message(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var complete, downloading, all int
	var current, total int64
	for id, l := range p.layers {
		if id == "" || l.status == "" {
			continue
		}
		all++
		switch l.status {
		case "Pull complete", "Already exists", "Download complete", "Extracting", "Verifying Checksum":
			complete++
		case "Downloading":
			downloading++
		}
		current, total = current+l.current, total+l.total
	}
	return fmt.Sprintf("Docker image pull progress: %d of %d layers downloaded, %d in progress, %s of %s, for %s",
		complete, all, downloading, units.HumanSize(float64(current)), units.HumanSize(float64(total)), now.Sub(p.began).Round(time.Second))
}
