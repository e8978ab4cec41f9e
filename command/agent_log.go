package command

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// An agentLog is where an agent's log goes: to the output, once the head is
// printed, and into a file.
type agentLog struct {
	logger hclog.InterceptLogger
	path   string

	mu   sync.Mutex
	out  io.Writer
	held []byte // before release
	open bool
	json bool
	file *os.File
}

func newAgentLog(c *config.Config, out io.Writer) (*agentLog, error) {
	l := &agentLog{out: out, json: c.LogJSON, path: c.LogFile}
	if err := l.openFile(); err != nil {
		return nil, err
	}
	l.logger = hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: "nomadlike", Level: c.Level(), JSONFormat: c.LogJSON, Output: l,
	})
	return l, nil
}

func (l *agentLog) openFile() error {
	if l.path == "" {
		return nil
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the log file: %w: name another with log_file", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close() // it was moved away and all is in it
	}
	l.file = f
	return nil
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
	return l.openFile()
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
