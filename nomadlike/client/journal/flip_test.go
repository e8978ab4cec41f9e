//go:build !race

package journal

import (
	"bytes"
	"testing"
)

// What the race detector adds ends the process when bbolt reads a damaged page,
// instead of the panic that Open makes an error of.

// A flipped byte is harmless or told of: no record changes in silence.
func TestFlipped(t *testing.T) {
	_, whole := twoStates(t)
	dir := t.TempDir()
	used := 0
	for k := range whole {
		if whole[k] == 0 && k%512 != 0 { // most of the file is empty
			continue
		}
		for _, bits := range []byte{0xff, 1} {
			b := bytes.Clone(whole)
			b[k] ^= bits
			if look(t, dir, b) == "" {
				used++
			}
			if t.Failed() {
				t.Fatalf("byte %d, bits %x", k, bits)
			}
		}
	}
	if used < 100 {
		t.Errorf("only %d bytes mattered", used)
	}
}
