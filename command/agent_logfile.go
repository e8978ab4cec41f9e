package command

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// A logFile is a file that is set aside when it is old or long, and begun anew.
// Its users take turns.
type logFile struct {
	path   string
	rotate config.LogRotate
	now    func() time.Time

	file  *os.File
	size  int64
	begun time.Time
}

// open opens the file, or the one that has its name by now.
func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if l.file != nil {
		_ = l.file.Close() // all that was written is there
	}
	l.file, l.size, l.begun = f, info.Size(), l.now()
	return nil
}

// Write appends whole lines.
func (l *logFile) Write(p []byte) (int, error) {
	if l.due(len(p)) {
		if err := l.setAside(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

func (l *logFile) due(more int) bool {
	r := l.rotate
	return l.size > 0 && (r.Bytes > 0 && l.size+int64(more) > int64(r.Bytes) || r.Duration > 0 && l.now().Sub(l.begun) >= r.Duration)
}

// setAside renames the file and begins another.
func (l *logFile) setAside() error {
	base, ext := l.parts()
	if err := os.Rename(l.path, base+"-"+strconv.FormatInt(l.now().UnixNano(), 10)+ext); err != nil {
		return err
	}
	if err := l.open(); err != nil {
		return err
	}
	return l.prune()
}

func (l *logFile) parts() (base, ext string) {
	if ext = filepath.Ext(l.path); ext == "" {
		return l.path, ".log"
	}
	return strings.TrimSuffix(l.path, ext), ext
}

// prune removes the oldest of those set aside.
func (l *logFile) prune() error {
	if l.rotate.MaxFiles == 0 {
		return nil
	}
	base, ext := l.parts()
	entries, err := os.ReadDir(filepath.Dir(l.path))
	if err != nil {
		return err
	}
	var old []int64
	prefix := filepath.Base(base) + "-"
	for _, e := range entries {
		stamp := strings.TrimSuffix(strings.TrimPrefix(e.Name(), prefix), ext)
		if ns, err := strconv.ParseInt(stamp, 10, 64); err == nil && e.Name() == prefix+stamp+ext {
			old = append(old, ns)
		}
	}
	slices.Sort(old)
	for _, ns := range old[:max(len(old)-max(l.rotate.MaxFiles, 0), 0)] {
		err = errors.Join(err, os.Remove(base+"-"+strconv.FormatInt(ns, 10)+ext))
	}
	return err
}

// Close closes the file.
func (l *logFile) Close() error { return l.file.Close() }
