package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// Offsets in a page of bbolt's file that describes it.
const (
	metaAt       = 16
	metaMagic    = 0xED0CDAED
	metaPageSize = metaAt + 8
	metaHighest  = metaAt + 40
	metaSum      = metaAt + 56
	metaEnd      = metaAt + 64
)

// plausible refuses files that bbolt would not survive opening: those that are
// shorter than they say. It reads them through a mapping, and what is beyond the
// end kills the process.
func plausible(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errors.New("it is not a file")
	}
	head := make([]byte, 1<<17) // two pages of the largest size there is
	k, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:k]
	if bytes.Count(head, []byte{0}) == len(head) {
		return fmt.Errorf("its first %d bytes are empty", len(head))
	}
	first, size := metaPage(head)
	if first == 0 {
		size = guessPage(head)
	}
	second := uint64(0)
	if size > 0 && size < uint64(len(head)) {
		second, _ = metaPage(head[size:])
	}
	if first == 0 && second == 0 {
		return errors.New("it is damaged, or no journal")
	}
	if highest := max(first, second); highest > uint64(st.Size())/size {
		return fmt.Errorf("it is cut off: %d bytes are there of %d", st.Size(), highest*size)
	}
	return nil
}

// metaPage returns the number of pages that a descriptive page speaks of, and
// their size; 0 when it is damaged.
func metaPage(b []byte) (pages, size uint64) {
	if len(b) < metaEnd || binary.NativeEndian.Uint32(b[metaAt:]) != metaMagic {
		return 0, 0
	}
	h := fnv.New64a()
	_, _ = h.Write(b[metaAt:metaSum])
	if h.Sum64() != binary.NativeEndian.Uint64(b[metaSum:]) {
		return 0, 0
	}
	size = uint64(binary.NativeEndian.Uint32(b[metaPageSize:]))
	if size < 512 || size&(size-1) != 0 {
		return 0, 0
	}
	return binary.NativeEndian.Uint64(b[metaHighest:]), size
}

// guessPage looks for the second descriptive page when the first is damaged.
func guessPage(b []byte) uint64 {
	for size := uint64(1024); size < uint64(len(b)); size *= 2 {
		if _, s := metaPage(b[size:]); s == size {
			return size
		}
	}
	return 0
}
