package consensus

import (
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
)

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
	if unreadable := (*raftlog.Unreadable)(nil); errors.As(err, &unreadable) {
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
