package command

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// An agentLog is where an agent's log goes: to the output, once the head is
// printed, and into a file.
type agentLog struct {
	logger hclog.InterceptLogger

	mu   sync.Mutex
	out  io.Writer
	held []byte // before release
	open bool
	json bool
	file *logFile // nil without one
}

func newAgentLog(c *config.Config, w IO) (*agentLog, error) {
	l := &agentLog{out: w.Out, json: c.LogJSON}
	if c.LogFile != "" {
		l.file = &logFile{path: c.LogFile, rotate: c.LogRotate, now: w.Now}
		if err := l.file.open(); err != nil {
			return nil, fmt.Errorf("open the log file: %w: name another with log_file", err)
		}
	}
	l.logger = hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: "nomadlike", Level: c.Level(), JSONFormat: c.LogJSON, IncludeLocation: c.LogIncludeLocation, Output: l,
	})
	return l, nil
}

// Write takes whole lines. What the file does not take is no reason to lose it on
// the output.
func (l *agentLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_, _ = l.file.Write(p)
	}
	shown := p
	if !l.json {
		shown = indented(p)
	}
	if !l.open {
		l.held = append(l.held, shown...)
		return len(p), nil
	}
	_, err := l.out.Write(shown)
	return len(p), err
}

// indented sets a log line off from what the command itself says.
func indented(p []byte) []byte {
	body := bytes.TrimSuffix(p, []byte("\n"))
	return append(append([]byte("    "), bytes.ReplaceAll(body, []byte("\n"), []byte("\n    "))...), '\n')
}

// release prints what was held back, and lets the rest through.
func (l *agentLog) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = true
	_, _ = l.out.Write(l.held) // the output is all there is to complain to
	l.held = nil
}

// reload takes over the level, and begins the file anew if it was moved away.
func (l *agentLog) reload(c *config.Config) error {
	l.logger.SetLevel(c.Level())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.open()
}

// Close closes the file.
func (l *agentLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
