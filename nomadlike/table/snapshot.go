package table

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"

	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// A snapshot is the magic and a version, then frames, then a checksum of all
// that. A frame is its type, its length as a varint and its body. Rows follow
// the frame that names their table, in key order, so equal databases give equal
// snapshots.
const (
	magic   = "nomadlike tables"
	version = 1

	frameTable = 't' // a table's name
	frameIndex = 'i' // the lastIndex of the table
	frameRow   = 'r' // a value of the table
	frameEnd   = 'e' // empty; the checksum follows, 8 bytes, big endian

	maxFrame = 1 << 30 // bytes
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// A lastIndex is the log index at which a table last changed.
type lastIndex struct {
	Table string
	Index uint64
}

// Save writes all tables as tx sees them. It streams: memory use is that of the
// largest value.
func (tx *Tx) Save(w io.Writer) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	s := &saver{sum: crc64.New(crcTable)}
	s.w = io.MultiWriter(buf, s.sum)
	s.write([]byte(magic))
	s.write([]byte{version})
	for i, t := range tx.db.schema.tables {
		s.frame(frameTable, []byte(t.name))
		s.value(frameIndex, &lastIndex{t.name, tx.content.last[i]})
		t.each(tx.content.rows[i], func(v any) bool {
			s.value(frameRow, v)
			return s.err == nil
		})
	}
	s.frame(frameEnd, nil)
	s.write(s.sum.Sum(nil))
	if s.err == nil {
		s.err = buf.Flush()
	}
	if s.err != nil {
		return fmt.Errorf("save snapshot: %w", s.err)
	}
	return nil
}

// A saver writes frames until something fails.
type saver struct {
	w   io.Writer
	sum hash.Hash
	row []byte // reused
	err error
}

func (s *saver) write(b []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
}

func (s *saver) frame(kind byte, body []byte) {
	var head [1 + binary.MaxVarintLen64]byte
	head[0] = kind
	s.write(head[:1+binary.PutUvarint(head[1:], uint64(len(body)))])
	s.write(body)
}

func (s *saver) value(kind byte, v any) {
	if s.err == nil {
		s.row, s.err = wire.Append(s.row[:0], v)
		s.frame(kind, s.row)
	}
}

// Restore replaces the whole content of db by a snapshot and wakes all watchers;
// on an error it changes nothing. It must not run while a write transaction is
// open. It may read beyond the end of the snapshot.
func (db *DB) Restore(r io.Reader) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	next := db.schema.empty(db.current.Load().restores + 1)
	s := &restorer{schema: db.schema, next: next, sum: crc64.New(crcTable), r: bufio.NewReaderSize(r, 1<<16)}
	if err := s.run(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("it is cut short: %w", io.ErrUnexpectedEOF)
		}
		return fmt.Errorf("restore snapshot: after %d values: %w", s.rows, err)
	}
	db.current.Store(next)
	db.watches.restored()
	return nil
}

// A restorer reads frames into a content.
type restorer struct {
	schema *Schema
	next   *content
	r      *bufio.Reader
	sum    hash.Hash64
	body   bytes.Buffer // of the last frame
	table  int          // that rows belong to, plus one
	rows   int
}

func (s *restorer) run() error {
	if err := s.header(); err != nil {
		return err
	}
	for {
		kind, err := s.frame()
		if err != nil {
			return err
		}
		if kind == frameEnd {
			return s.trailer()
		}
		if err := s.store(kind); err != nil {
			return err
		}
	}
}

func (s *restorer) header() error {
	head := make([]byte, len(magic)+1)
	if _, err := io.ReadFull(s.r, head); err != nil {
		return err
	}
	s.sum.Write(head)
	if string(head[:len(magic)]) != magic {
		return errors.New("this is no snapshot")
	}
	if v := head[len(magic)]; v != version {
		return fmt.Errorf("it has version %d and this server reads version %d", v, version)
	}
	return nil
}

// frame reads the next frame into body and returns its type.
func (s *restorer) frame() (kind byte, err error) {
	if kind, err = s.r.ReadByte(); err != nil {
		return 0, err
	}
	n, err := binary.ReadUvarint(s.r)
	if err != nil {
		return 0, err
	}
	if n > maxFrame {
		return 0, fmt.Errorf("it is damaged: a value of %d bytes", n)
	}
	s.body.Reset()
	if _, err := io.CopyN(&s.body, s.r, int64(n)); err != nil { // grows only as bytes arrive
		return 0, err
	}
	s.sum.Write(binary.AppendUvarint([]byte{kind}, n))
	s.sum.Write(s.body.Bytes())
	return kind, nil
}

func (s *restorer) store(kind byte) error {
	switch {
	case kind == frameTable:
		name := s.body.String()
		for i := range s.schema.tables {
			if s.table = i + 1; s.schema.tables[i].name == name {
				return nil
			}
		}
		return fmt.Errorf("it has a table %q: this server is older than the snapshot, or it is damaged", name)
	case kind == frameIndex && s.table > 0:
		var last lastIndex
		if err := wire.Decode(s.body.Bytes(), &last); err != nil {
			return fmt.Errorf("it is damaged: index of %s: %w", s.schema.tables[s.table-1].name, err)
		}
		s.next.last[s.table-1] = last.Index
	case kind == frameRow && s.table > 0:
		t := &s.schema.tables[s.table-1]
		v, err := t.read(s.body.Bytes())
		if err != nil {
			return fmt.Errorf("it is damaged: table %s: %w", t.name, err)
		}
		t.add(s.next.rows[s.table-1], v)
		s.rows++
	default:
		return fmt.Errorf("it is damaged: a part of unknown type %q", kind)
	}
	return nil
}

func (s *restorer) trailer() error {
	var want [8]byte
	if _, err := io.ReadFull(s.r, want[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint64(want[:]) != s.sum.Sum64() {
		return errors.New("it is damaged: the checksum does not match")
	}
	return nil
}
