// Package consensus owns raft: its log and snapshots on disk or in memory, the
// state machine that applies entries to the state store, and the news of who
// leads. It decides nothing about what is in the log.
package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// A Machine is what the log acts on.
type Machine interface {
	// Apply carries out an entry. A *raftlog.Unreadable error means that the
	// entry was not understood and the server must stop; any other error is the
	// outcome of the entry.
	Apply(index uint64, entry []byte) (any, error)
	// Snapshot returns a function that writes the state as it is now, later and
	// from another goroutine.
	Snapshot() (func(io.Writer) error, error)
	Restore(io.Reader) error
}

// Config of a server's raft.
type Config struct {
	ID raft.ServerID
	// Dir holds log and snapshots; empty keeps them in memory.
	Dir string
	// Stream carries raft between servers; its address is what others dial.
	Stream raft.StreamLayer
	Logger hclog.Logger
	// Impatient shortens elections, for a server that is alone.
	Impatient bool
	// Multiplier lengthens raft's time-outs, for slow networks; 0 is 1.
	Multiplier int
	// OnFatal is called when the machine can not follow the log.
	OnFatal func(error)
}

// snapshotsKept is how many snapshots stay on disk.
const snapshotsKept = 2

// Raft is a running raft.
type Raft struct {
	raft      *raft.Raft
	transport *raft.NetworkTransport
	id        raft.ServerID
	addr      raft.ServerAddress
	stable    raft.StableStore
	logs      raft.LogStore
	snapshots raft.SnapshotStore
	closers   []io.Closer
	notify    chan bool
	fresh     bool
}

// Open starts raft on what Dir holds. Close ends it.
func Open(c Config, m Machine) (*Raft, error) {
	r := &Raft{id: c.ID, notify: make(chan bool, 8)}
	r.addr = raft.ServerAddress(c.Stream.Addr().String())
	r.transport = raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: c.Stream, MaxPool: 3, Timeout: 10 * time.Second, Logger: c.Logger,
	})
	r.closers = append(r.closers, r.transport)
	if err := r.openStores(c); err != nil {
		return nil, errors.Join(err, r.closeAll())
	}
	fresh, err := raft.HasExistingState(r.logs, r.stable, r.snapshots)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read raft's state in %s: %w", c.Dir, err), r.closeAll())
	}
	r.fresh = !fresh
	r.raft, err = raft.NewRaft(settings(c, r.notify), &machine{m: m, fatal: c.OnFatal}, r.logs, r.stable, r.snapshots, r.transport)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start raft on %s: %w", c.Dir, err), r.closeAll())
	}
	return r, nil
}

func settings(c Config, notify chan bool) *raft.Config {
	s := raft.DefaultConfig()
	s.LocalID = c.ID
	s.Logger = c.Logger
	s.NotifyCh = notify
	s.MaxAppendEntries = 256
	s.BatchApplyCh = true // many small plans share an fsync
	slower := time.Duration(max(c.Multiplier, 1))
	s.HeartbeatTimeout *= slower
	s.ElectionTimeout *= slower
	s.LeaderLeaseTimeout *= slower
	if c.Impatient {
		s.HeartbeatTimeout = 150 * time.Millisecond
		s.ElectionTimeout = 150 * time.Millisecond
		s.LeaderLeaseTimeout = 150 * time.Millisecond
	}
	return s
}

func (r *Raft) openStores(c Config) error {
	if c.Dir == "" {
		store := raft.NewInmemStore()
		r.logs, r.stable, r.snapshots = store, store, raft.NewInmemSnapshotStore()
		return nil
	}
	dir := filepath.Join(c.Dir, "wal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make raft's directory: %w", err)
	}
	log, err := wal.Open(dir, wal.WithLogger(c.Logger))
	if err != nil {
		return fmt.Errorf("open the raft log in %s: %w; if the disk is sound, restore the server from a snapshot or let it join the others with an empty data directory", dir, err)
	}
	r.closers = append(r.closers, log)
	// The cache spares followers that are a little behind a read from disk.
	cached, err := raft.NewLogCache(512, log)
	if err != nil {
		return err
	}
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(c.Dir, snapshotsKept, c.Logger)
	if err != nil {
		return fmt.Errorf("open raft's snapshots in %s: %w", c.Dir, err)
	}
	r.logs, r.stable, r.snapshots = cached, log, snapshots
	return nil
}

// Fresh reports a raft that had no state when it was opened.
func (r *Raft) Fresh() bool { return r.fresh }

// Bootstrap begins a new cluster of these servers. It fails unless raft is
// fresh.
func (r *Raft) Bootstrap(servers ...raft.Server) error {
	return r.raft.BootstrapCluster(raft.Configuration{Servers: servers}).Error()
}

// Self is this server, as Bootstrap wants it.
func (r *Raft) Self() raft.Server { return raft.Server{ID: r.id, Address: r.addr} }

// Leadership tells when this server begins and ends to lead.
func (r *Raft) Leadership() <-chan bool { return r.notify }

// IsLeader reports whether this server leads, as far as it knows.
func (r *Raft) IsLeader() bool { return r.raft.State() == raft.Leader }

// Leader is the address of the leader, or "" when none is known.
func (r *Raft) Leader() string {
	addr, _ := r.raft.LeaderWithID()
	return string(addr)
}

// LastContact is the time since the leader was heard of; 0 on the leader.
func (r *Raft) LastContact() time.Duration {
	if r.IsLeader() {
		return 0
	}
	return time.Since(r.raft.LastContact())
}

// AppliedIndex is the newest index that the machine has seen.
func (r *Raft) AppliedIndex() uint64 { return r.raft.AppliedIndex() }

// Stats are raft's own.
func (r *Raft) Stats() map[string]string { return r.raft.Stats() }

// Apply commits an entry and returns its outcome and its index.
func (r *Raft) Apply(ctx context.Context, entry []byte) (any, uint64, error) {
	f := r.raft.Apply(entry, timeout(ctx))
	if err := f.Error(); err != nil {
		return nil, 0, translate(err)
	}
	out := f.Response().(outcome)
	return out.value, f.Index(), out.err
}

// Barrier returns once this server, as leader, has applied all before it.
func (r *Raft) Barrier(ctx context.Context) error {
	return translate(r.raft.Barrier(timeout(ctx)).Error())
}

// VerifyLeader makes sure, by asking the others, that this server still leads.
func (r *Raft) VerifyLeader() error { return translate(r.raft.VerifyLeader().Error()) }

// Configuration lists the servers that hold the log.
func (r *Raft) Configuration() ([]raft.Server, uint64, error) {
	f := r.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return nil, 0, translate(err)
	}
	return f.Configuration().Servers, f.Index(), nil
}

// AddVoter lets a server take part; RemoveServer ends that.
func (r *Raft) AddVoter(id, addr string) error {
	return translate(r.raft.AddVoter(raft.ServerID(id), raft.ServerAddress(addr), 0, 0).Error())
}

// RemoveServer ends a server's part in the cluster.
func (r *Raft) RemoveServer(id string) error {
	return translate(r.raft.RemoveServer(raft.ServerID(id), 0, 0).Error())
}

// Snapshot writes the state down and shortens the log.
func (r *Raft) Snapshot() error {
	err := r.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return translate(err)
}

// TransferLeadership lets another server lead, if there is one.
func (r *Raft) TransferLeadership() error { return translate(r.raft.LeadershipTransfer().Error()) }

// Close ends raft and closes its files.
func (r *Raft) Close() error {
	return errors.Join(r.raft.Shutdown().Error(), r.closeAll())
}

func (r *Raft) closeAll() error {
	var err error
	for i := len(r.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, r.closers[i].Close())
	}
	return err
}

func timeout(ctx context.Context) time.Duration {
	if d, ok := ctx.Deadline(); ok {
		return max(time.Until(d), time.Millisecond)
	}
	return 30 * time.Second
}

// translate gives raft's errors a kind that callers branch on.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipLost), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return errs.As(errs.NotLeader, err)
	case errors.Is(err, raft.ErrRaftShutdown), errors.Is(err, raft.ErrEnqueueTimeout):
		return errs.As(errs.Unavailable, err)
	}
	return err
}
