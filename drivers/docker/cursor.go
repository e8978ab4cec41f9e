package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nomadlike/nomadlike/plugins/logrotate"
)

// A cursor is how far one output of a container is kept: the time of the last
// entry, how many entries bear this time, and where in the task's files they
// end. What the files hold beyond was written after the cursor was saved.
type cursor struct {
	At    int64 // nanoseconds since 1970
	Count int   // 0: nothing yet
	File  logrotate.Position
}

// behind is by how much entries of the two outputs may be out of order.
const behind = time.Minute

// since is from when on the engine is to be asked for entries: from the last of
// the output that is behind, but not forever for one that is silent.
func since(all [streams]cursor) int64 {
	last, first := all[stdout].At, all[stdout].At
	for _, c := range all {
		last, first = max(last, c.At), min(first, c.At)
	}
	return max(first, last-int64(behind), 0)
}

// sinceText is how the API writes a time.
func sinceText(at int64) string {
	if at == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%09d", at/int64(time.Second), at%int64(time.Second))
}

// A replay says what of the engine's entries is new, when it is asked again for
// some that were read before.
type replay struct {
	cursor cursor
	skip   int     // entries of the cursor's time still to be met
	caught bool    // up with what was read before
	ahead  []byte  // in the files beyond the cursor
	recent []int64 // times of entries, ascending, that the engine may repeat
}

// repeats is for how long entries are remembered: an engine that rotates its
// files while they are read may send some of them twice.
const repeats = 10 * time.Second

// again begins another reading.
func (r *replay) again() { r.skip, r.caught = r.cursor.Count, r.cursor.Count == 0 }

// fresh returns what of an entry has to be written. lost says that the engine
// has dropped entries that were never read, or that were read and may hide some.
func (r *replay) fresh(e entry, since int64) (text []byte, lost bool) {
	if !r.caught {
		switch {
		case e.at < r.cursor.At:
			return nil, false
		case e.at == r.cursor.At:
			r.skip--
			r.caught = r.skip == 0
			return nil, false
		default:
			r.caught = true
			lost = r.cursor.At >= since
		}
	}
	switch {
	case r.cursor.Count == 0 || e.at > r.cursor.At:
		r.cursor.At, r.cursor.Count = e.at, 1
	case e.at == r.cursor.At:
		r.cursor.Count++
	case r.seen(e.at):
		r.again() // up to where it was
		return nil, lost
	default: // the clock was set back
		r.cursor.At, r.cursor.Count = e.at, 1
		r.recent = r.recent[:0]
	}
	r.remember(e.at)
	return r.beyond(e.text), lost
}

func (r *replay) seen(at int64) bool {
	_, found := slices.BinarySearch(r.recent, at)
	return found
}

func (r *replay) remember(at int64) {
	r.recent = append(r.recent, at)
	if len(r.recent) == cap(r.recent) { // before it would grow
		old, _ := slices.BinarySearch(r.recent, at-int64(repeats))
		r.recent = slices.Delete(r.recent, 0, old)
	}
}

// beyond takes off what the files hold already. They do when the agent died
// between writing and saving the cursor.
func (r *replay) beyond(text []byte) []byte {
	if len(r.ahead) == 0 {
		return text
	}
	n := min(len(text), len(r.ahead))
	if string(text[:n]) != string(r.ahead[:n]) {
		r.ahead = nil
		return text
	}
	r.ahead = r.ahead[n:]
	return text[n:]
}

// cursorSize is that of the file, which is always written as a whole.
const cursorSize = 512

// A cursorFile keeps the cursors of a container's outputs.
type cursorFile struct{ f *os.File }

func cursorPath(stateDir, container string) string {
	return filepath.Join(stateDir, "logs", container)
}

// openCursors opens the file of a container and returns what it holds. found is
// false when there is nothing, or nothing that can be read.
func openCursors(stateDir, container string) (c *cursorFile, all [streams]cursor, found bool, err error) {
	path := cursorPath(stateDir, container)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, all, false, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, all, false, err
	}
	found = json.NewDecoder(f).Decode(&all) == nil
	if !found {
		all = [streams]cursor{}
	}
	return &cursorFile{f}, all, found, nil
}

// save replaces what the file holds. A kill of the agent leaves either the old
// or the new; the machine's death ends the container too.
func (c *cursorFile) save(all [streams]cursor) error {
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	padded := make([]byte, cursorSize)
	for i := copy(padded, b); i < cursorSize; i++ {
		padded[i] = '\n'
	}
	_, err = c.f.WriteAt(padded, 0)
	return err
}

func (c *cursorFile) close() error { return c.f.Close() }

// removeCursors removes the file of a container.
func removeCursors(stateDir, container string) error {
	err := os.Remove(cursorPath(stateDir, container))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
