package docker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A stream is one of the task's outputs.
type stream int

const (
	stdout stream = iota
	stderr
	streams // how many there are
)

func (s stream) String() string { return [streams]string{"stdout", "stderr"}[s] }

// An entry is what the engine keeps of an output at once: a line, or a piece of
// a long one.
type entry struct {
	stream stream
	at     int64 // nanoseconds since 1970
	text   []byte
}

// entries reads the engine's answer to a request for logs with timestamps.
type entries interface {
	// next returns an entry, valid until the next call. io.EOF is a clean end.
	next() (entry, error)
	// pending reports whether more has arrived already.
	pending() bool
}

// A framed answer is that of a container without a terminal: frames of a
// stream, a length and a timestamp, each an entry.
type framed struct {
	r   *bufio.Reader
	buf []byte
}

const (
	frameHeader = 8
	// maxFrame bounds what is believed; the engine cuts lines at 16 KiB, or at
	// 1 MiB for some log drivers.
	maxFrame = 16 << 20

	frameStdout, frameStderr, frameError = 1, 2, 3
)

func newFramed(r io.Reader) *framed { return &framed{r: bufio.NewReaderSize(r, 64<<10)} }

func (f *framed) pending() bool { return f.r.Buffered() > 0 }

func (f *framed) next() (entry, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(f.r, h[:]); err != nil {
		return entry{}, err
	}
	size := binary.BigEndian.Uint32(h[4:])
	if size > maxFrame {
		return entry{}, fmt.Errorf("log frame of %d bytes", size)
	}
	if int(size) > cap(f.buf) {
		f.buf = make([]byte, size)
	}
	body := f.buf[:size]
	if _, err := io.ReadFull(f.r, body); err != nil {
		return entry{}, errors.Join(io.ErrUnexpectedEOF, err)
	}
	switch h[0] {
	case frameStdout, frameStderr:
	case frameError:
		return entry{}, fmt.Errorf("the engine can not read its logs: %s", body)
	default:
		return entry{}, fmt.Errorf("log frame of unknown stream %d", h[0])
	}
	at, n, err := timestamp(body)
	if err != nil {
		return entry{}, err
	}
	return entry{stream: stream(h[0] - frameStdout), at: at, text: body[n:]}, nil
}

// plain is the answer of a container with a terminal: lines, each after a
// timestamp, and long ones in pieces with a timestamp before each.
type plain struct {
	r    *bufio.Reader
	at   int64
	torn bool // the last piece did not end its line
}

// pieceSize is how much of a line the engine keeps at once.
const pieceSize = 16 << 10

// newPlain reads with a buffer of just a piece, which makes ReadSlice cut where
// the engine did.
func newPlain(r io.Reader) *plain { return &plain{r: bufio.NewReaderSize(r, pieceSize)} }

func (p *plain) pending() bool { return p.r.Buffered() > 0 }

func (p *plain) next() (entry, error) {
	head, err := p.r.Peek(timestampSize)
	if err != nil && (len(head) == 0 || !errors.Is(err, io.EOF)) {
		return entry{}, err
	}
	at, n, err := timestamp(head)
	switch {
	case err == nil:
		p.at = at
		_, _ = p.r.Discard(n)
	case !p.torn: // or else the log driver's pieces are larger
		return entry{}, err
	}
	text, err := p.r.ReadSlice('\n')
	p.torn = err != nil
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) && (!errors.Is(err, io.EOF) || len(text) == 0 && n == 0) {
		return entry{}, err
	}
	return entry{stream: stdout, at: p.at, text: text}, nil
}

// timestampSize is that of the engine's timestamps, with the blank after it.
const timestampSize = len("2006-01-02T15:04:05.000000000Z ")

func timestamp(b []byte) (at int64, size int, err error) {
	if len(b) < timestampSize || b[timestampSize-1] != ' ' {
		return 0, 0, fmt.Errorf("log entry without timestamp: %.40q", b)
	}
	t, err := time.Parse(time.RFC3339Nano, string(b[:timestampSize-1]))
	if err != nil {
		return 0, 0, fmt.Errorf("log entry: %w", err)
	}
	return t.UnixNano(), timestampSize, nil
}
