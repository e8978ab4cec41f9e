// Package logs owns the reading of a task's output: the files
// "alloc/logs/<task>.<type>.<n>" in an allocation's directory, which are one
// text in the order of their numbers, of which the oldest part may be gone. It
// does not write them; that is the business of drivers.
//
// The directory belongs to the task, which may have put anything there. Links
// are not followed and only regular files are read.
package logs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// A Query says what to read.
type Query struct {
	Task, Type string // Type is "stdout" or "stderr"
	Offset     int64  // bytes from the oldest that is kept, or back from the newest
	FromEnd    bool
	Follow     bool // go on with what is written later, until the context ends
}

// frameSize is the most data in a frame.
const frameSize = 64 << 10

// Read sends what there is, in frames of at most 64 KiB; a frame never holds
// data of two files. With Follow it goes on until ctx ends or the directory is
// removed. Without, it ends at what was there when it began.
func Read(ctx context.Context, allocDir string, q Query, send func(*n.StreamFrame) error) error {
	root, err := os.OpenRoot(allocDir)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.NotFound, "the allocation's directory has been removed")
	}
	if err != nil {
		return err
	}
	defer root.Close()
	r := &reader{root: root, dir: path.Join("alloc", "logs"), name: q.Task + "." + q.Type, send: send, buf: make([]byte, frameSize)}
	defer r.close()
	if !q.Follow {
		return r.readAll(ctx, q)
	}
	w, err := watch(path.Join(allocDir, r.dir), r.name+".")
	if err != nil {
		return err
	}
	defer w.close()
	return r.follow(ctx, q, w)
}

// A reader is somewhere in the text.
type reader struct {
	root *os.Root
	dir  string // of the files, below root
	name string // of the files, without their numbers
	send func(*n.StreamFrame) error
	buf  []byte

	file   *os.File // nil while there is none to read
	index  int64
	offset int64
	from   int64 // the lowest number that comes after file
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

func (r *reader) path(index int64) string {
	return path.Join(r.dir, r.name+"."+strconv.FormatInt(index, 10))
}

// A piece is one of the files.
type piece struct{ index, size int64 }

// pieces lists the files, oldest first.
func (r *reader) pieces() ([]piece, error) {
	d, err := r.root.Open(r.dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var out []piece
	for _, e := range entries {
		index, ok := number(e.Name(), r.name)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil {
			out = append(out, piece{index, info.Size()})
		}
	}
	slices.SortFunc(out, func(a, b piece) int { return int(a.index - b.index) })
	return out, nil
}

// number takes "web.stdout.12" apart.
func number(file, name string) (int64, bool) {
	digits, ok := strings.CutPrefix(file, name+".")
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	return v, err == nil && v >= 0 && strconv.FormatInt(v, 10) == digits
}

// locate finds the file and the offset in it at which to begin. Positions beyond
// either end are at that end.
func locate(pieces []piece, offset int64, fromEnd bool) (index, at int64) {
	if len(pieces) == 0 {
		return 0, 0
	}
	offset = max(offset, 0)
	if !fromEnd {
		for _, p := range pieces {
			if offset <= p.size {
				return p.index, offset
			}
			offset -= p.size
		}
		last := pieces[len(pieces)-1]
		return last.index, last.size
	}
	for _, p := range slices.Backward(pieces) {
		if offset <= p.size {
			return p.index, p.size - offset
		}
		offset -= p.size
	}
	return pieces[0].index, 0
}

// readAll reads what is there now.
func (r *reader) readAll(ctx context.Context, q Query) error {
	pieces, err := r.pieces()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // not made yet
	}
	if err != nil {
		return err
	}
	index, at := locate(pieces, q.Offset, q.FromEnd)
	for _, p := range pieces {
		if p.index < index {
			continue
		}
		if err := r.open(p.index); errors.Is(err, fs.ErrNotExist) {
			continue // rotated away meanwhile
		} else if err != nil {
			return err
		}
		if p.index == index {
			r.offset = at
		}
		if err := r.drain(ctx, p.size); err != nil {
			return err
		}
	}
	return nil
}

// open opens a file at its beginning.
func (r *reader) open(index int64) error {
	name := r.path(index)
	for _, dir := range []string{"alloc", r.dir} {
		if info, err := r.root.Lstat(dir); err != nil {
			return err
		} else if !info.IsDir() {
			return errs.Newf(errs.Permission, "%s is not a directory", dir)
		}
	}
	before, err := r.root.Lstat(name)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return errs.Newf(errs.Permission, "%s is not a regular file", name)
	}
	f, err := r.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return err
	}
	// What was looked at and what was opened must be the same.
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		_ = f.Close()
		return fs.ErrNotExist
	}
	r.close()
	r.file, r.index, r.offset, r.from = f, index, 0, index+1
	return nil
}

// drain sends what is in the file from the offset on, up to limit if that is not
// negative.
func (r *reader) drain(ctx context.Context, limit int64) error {
	for ctx.Err() == nil {
		buf := r.buf
		if limit >= 0 {
			buf = buf[:min(int64(len(buf)), max(limit-r.offset, 0))]
		}
		k, err := r.file.ReadAt(buf, r.offset)
		if k > 0 {
			r.offset += int64(k)
			frame := &n.StreamFrame{Data: slices.Clone(buf[:k]), File: r.path(r.index), Offset: r.offset}
			if err := r.send(frame); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || len(buf) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
