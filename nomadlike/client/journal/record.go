package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/tasklife"
	"github.com/nomadlike/nomadlike/nomadlike/wire"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// An Alloc is what is remembered of an allocation beside its tasks.
type Alloc struct {
	Alloc *n.Allocation // as the servers last sent it
	// JobIndex tells two jobs of the same id and version apart, of which the
	// first was purged.
	JobIndex uint64
	// Watching is when the watch over its health began.
	Watching time.Time
	Health   *n.AllocDeployment // what was found
	Network  *n.NetworkStatus
	Ending   time.Time // since when it is being ended; zero: it is not
	Expired  bool      // it ran longer than its max_run_duration
	Again    bool      // all its tasks are being brought back to the beginning
	Alone    bool      // it ends because no server was heard of for too long
	Done     bool      // nothing of it runs, nor will; its directory may remain
	Setup    string    // why it could not be set up
	// Forgotten says that it is to be removed.
	Forgotten bool
}

// A Phase is how far one run of a task has come.
type Phase int

const (
	Idle     Phase = iota // no run: waiting, or dead
	Starting              // StartTask may have been called, or not
	Started               // StartTask has returned a handle
	Ended                 // the end is in State; the driver may still hold its remains
)

// A Task is what is remembered of a task.
type Task struct {
	State  *n.TaskState
	Phase  Phase
	Handle *drivers.TaskHandle // of the run; nil when Idle
	// Killing says since when it is being ended for good, Restarting why it is
	// being ended to be started again: its exit is then no failure.
	Killing    time.Time // zero: it is not
	Restarting string    // empty: it is not
	Tracker    tasklife.Tracker
	RestartAt  time.Time // with Idle and pending: not before
	Hooks      []string  // prestart hooks that need not run again
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns a record with its checksum.
func encode(v any) ([]byte, error) {
	b, err := wire.Append(make([]byte, 4, 1024), v)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(b, checksum(b[4:]))
	return b, nil
}

var errChecksum = errors.New("its checksum is wrong")

// decode reads a record.
func decode(b []byte, v any) error {
	if len(b) < 4 {
		return fmt.Errorf("it is %d bytes long", len(b))
	}
	if checksum(b[4:]) != binary.BigEndian.Uint32(b) {
		return errChecksum
	}
	return wire.Decode(b[4:], v)
}

// bare returns an allocation without what the client itself observed, which is
// kept beside it, and without what only people look at.
func bare(a *n.Allocation) *n.Allocation {
	c := *a
	c.TaskStates, c.NetworkStatus, c.Metrics, c.AllocStates = nil, nil, nil, nil
	return &c
}
