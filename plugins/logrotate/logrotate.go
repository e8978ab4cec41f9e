// Package logrotate owns the files that a task's output is kept in, for drivers
// that write them in the agent's own process: "<name>.<n>", with n counting up,
// and only the newest kept. The executor's shim writes the same files without
// this package, because it does without most of Go's library.
//
// The directory belongs to the task, which may have put anything there. What is
// not a plain file of a single name is removed, never followed.
package logrotate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// splitWindow is how far before the size limit a file is cut at a newline.
const splitWindow = 32 << 10

// Config says where output is kept and how much of it.
type Config struct {
	Dir      string
	Name     string // "web.stdout"
	MaxFiles int    // at least 1
	MaxSize  int64  // of a file, in bytes; no limit when 0
}

// A Position is a place in the output: a file and how much of it is written.
type Position struct {
	Index uint64
	Size  int64
}

// A Writer appends to the newest file. It is for one goroutine.
type Writer struct {
	config  Config
	root    *os.Root
	file    *os.File // nil after a failure, until the next write
	at      Position
	lineEnd bool // the file is empty or the last write ended with a newline
}

// Open finds the newest file and goes on with it.
func Open(c Config) (*Writer, error) {
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("log directory: %w", err)
	}
	w := &Writer{config: c, root: root}
	indexes, err := w.existing()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("log directory: %w", err), root.Close())
	}
	if len(indexes) > 0 {
		w.at.Index = indexes[len(indexes)-1]
	}
	for _, i := range indexes {
		if i+uint64(max(c.MaxFiles, 1)) <= w.at.Index {
			_ = root.Remove(w.name(i))
		}
	}
	if err := w.open(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return w, nil
}

// Close closes the file.
func (w *Writer) Close() error {
	var err error
	if w.file != nil {
		err = w.file.Close()
	}
	return errors.Join(err, w.root.Close())
}

// Position is where the next byte goes, unless it begins a new file.
func (w *Writer) Position() Position { return w.at }

// Since returns what was written after a position, as far as it is still there,
// and at most limit bytes.
func (w *Writer) Since(p Position, limit int64) ([]byte, error) {
	var out []byte
	for ; p.Index <= w.at.Index && int64(len(out)) < limit; p = (Position{Index: p.Index + 1}) {
		f, err := w.root.Open(w.name(p.Index))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(io.NewSectionReader(f, p.Size, limit-int64(len(out))))
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// Write appends, beginning new files where the size demands it. After an error
// the first n bytes are written; the rest may be tried again.
func (w *Writer) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if w.file == nil {
			if err := w.open(); err != nil {
				return n, err
			}
		}
		piece := p[n:]
		if limit := w.config.MaxSize; limit > 0 && w.at.Size+int64(len(piece)) > limit {
			piece = piece[:w.cut(piece)]
			if len(piece) == 0 {
				if err := w.rotate(); err != nil {
					return n, err
				}
				continue
			}
		}
		m, err := w.file.Write(piece)
		n += m
		w.at.Size += int64(m)
		if m > 0 {
			w.lineEnd = piece[m-1] == '\n'
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// cut says how much of p, which is too long for the file, goes into it still:
// up to the last newline near the limit, nothing where a line would be torn
// that the next file can begin with, and up to the limit when there is no other
// way.
func (w *Writer) cut(p []byte) int {
	room := w.config.MaxSize - w.at.Size
	if room <= 0 {
		return 0
	}
	near := max(room-splitWindow, 0)
	if i := slices.Index(reversed(p[near:room]), '\n'); i >= 0 {
		return int(room) - i
	}
	if w.lineEnd && w.at.Size > 0 && room <= splitWindow {
		return 0
	}
	return int(room)
}

func reversed(p []byte) []byte {
	out := slices.Clone(p)
	slices.Reverse(out)
	return out
}

func (w *Writer) rotate() error {
	_ = w.file.Close()
	w.file = nil
	w.at = Position{Index: w.at.Index + 1}
	if keep := uint64(max(w.config.MaxFiles, 1)); w.at.Index >= keep {
		_ = w.root.Remove(w.name(w.at.Index - keep))
	}
	return w.open()
}

// open opens the file of the current index for appending.
func (w *Writer) open() error {
	name := w.name(w.at.Index)
	f, err := w.plain(name)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.file, w.at.Size, w.lineEnd = f, st.Size(), true
	return nil
}

// plain opens or makes a plain file of a single name.
func (w *Writer) plain(name string) (*os.File, error) {
	for range 3 {
		st, err := w.root.Lstat(name)
		if err == nil && (!st.Mode().IsRegular() || linked(st)) {
			if err := w.root.Remove(name); err != nil {
				return nil, fmt.Errorf("log file: %w", err)
			}
			continue
		}
		flags := os.O_WRONLY | os.O_APPEND | nonblock
		if err != nil {
			flags |= os.O_CREATE | os.O_EXCL
		}
		f, err := w.root.OpenFile(name, flags, 0o644)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
				continue
			}
			return nil, fmt.Errorf("log file: %w", err)
		}
		opened, err := f.Stat()
		if err == nil && opened.Mode().IsRegular() && !linked(opened) && (st == nil || os.SameFile(st, opened)) {
			// Whatever our umask is, the log is to be read by others.
			_ = f.Chmod(0o644)
			return f, nil
		}
		_ = f.Close()
	}
	return nil, fmt.Errorf("log file: %s is no plain file and comes back when it is removed", name)
}

func (w *Writer) name(index uint64) string {
	return w.config.Name + "." + strconv.FormatUint(index, 10)
}

// existing lists the indexes of the files that are there, sorted.
func (w *Writer) existing() ([]uint64, error) {
	dir, err := w.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	var found []uint64
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, w.config.Name+".")
		if !ok {
			continue
		}
		i, err := strconv.ParseUint(digits, 10, 50)
		if err == nil && strconv.FormatUint(i, 10) == digits {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return found, err
}
