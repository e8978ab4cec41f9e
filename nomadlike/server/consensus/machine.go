package consensus

import (
	"fmt"
	"io"

	"github.com/hashicorp/raft"
)

// A Fatal error says that this server can not follow the log.
type Fatal interface {
	error
	Fatal() bool
}

type outcome struct {
	value any
	err   error
}

// machine fits a Machine to raft.
type machine struct {
	m     Machine
	fatal func(error)
}

func (f *machine) Apply(l *raft.Log) any {
	v, err := f.m.Apply(l.Index, l.Data)
	if fe, ok := err.(Fatal); ok && fe.Fatal() {
		f.fatal(fmt.Errorf("entry %d of the raft log: %w", l.Index, err))
	}
	return outcome{v, err}
}

func (f *machine) Snapshot() (raft.FSMSnapshot, error) {
	write, err := f.m.Snapshot()
	if err != nil {
		return nil, err
	}
	return snapshot{write}, nil
}

func (f *machine) Restore(r io.ReadCloser) error {
	defer func() { _ = r.Close() }()
	return f.m.Restore(r)
}

type snapshot struct{ write func(io.Writer) error }

func (s snapshot) Persist(sink raft.SnapshotSink) error {
	if err := s.write(sink); err != nil {
		_ = sink.Cancel()
		return fmt.Errorf("write snapshot: %w", err)
	}
	return sink.Close()
}

func (s snapshot) Release() {}
