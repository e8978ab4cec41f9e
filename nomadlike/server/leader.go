package server

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/server/blocked"
	"github.com/nomadlike/nomadlike/nomadlike/server/broker"
	"github.com/nomadlike/nomadlike/nomadlike/server/drainer"
	"github.com/nomadlike/nomadlike/nomadlike/server/heartbeat"
	"github.com/nomadlike/nomadlike/nomadlike/server/planner"
	"github.com/nomadlike/nomadlike/nomadlike/server/rollouts"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/server/worker"
	"github.com/nomadlike/nomadlike/scheduler"
)

// leadership is all that exists only while this server leads. Everything in it
// is made anew from the state store at the beginning and forgotten at the end.
type leadership struct {
	s           *Server
	broker      *broker.Broker
	blocked     *blocked.Evaluations
	timers      *heartbeat.Timers
	planner     *planner.Planner
	rollouts    *rollouts.Watcher
	newIndex    chan struct{} // closed and replaced at each commit
	mu          sync.Mutex    // guards newIndex, applied and established
	applied     uint64
	established chan struct{} // closed once the server leads and is up to date
}

func newLeadership(s *Server) *leadership {
	l := &leadership{s: s, newIndex: make(chan struct{}), established: make(chan struct{})}
	l.broker = broker.New(broker.Options{NackTimeout: s.NackTimeout, DeliveryLimit: s.DeliveryLimit})
	l.blocked = blocked.New(l.broker.Enqueue)
	l.timers = heartbeat.New(s.Heartbeat, l.nodeSilent)
	l.planner = planner.New(s.store, commitFunc(s.commit), scheduler.Fits)
	l.rollouts = rollouts.New(rollouts.Deps{
		Store: s.store, Commit: s.commit, MayReschedule: mayReschedule, SameSpec: state.SameSpec, Keep: s.Jobs.TrackedVersions, Logger: s.Logger.Named("rollouts"),
	})
	return l
}

type commitFunc func(context.Context, []byte) (any, uint64, error)

func (f commitFunc) Apply(ctx context.Context, entry []byte) (any, uint64, error) {
	return f(ctx, entry)
}

// run follows raft's elections until ctx ends.
func (l *leadership) run(ctx context.Context) error {
	var end func()
	stop := func() {
		if end != nil {
			end()
			end = nil
		}
	}
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case leads := <-l.s.raft.Leadership():
			stop()
			if leads {
				end = l.begin(ctx)
			}
		}
	}
}

// begin leads until the function that it returns is called.
func (l *leadership) begin(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.s.Logger.Info("this server leads")
		if err := l.lead(ctx); err != nil && ctx.Err() == nil {
			l.s.Logger.Error("leading failed, another server is to try", "error", err)
			if err := l.s.raft.TransferLeadership(); err != nil {
				l.s.Logger.Error("no other server can lead", "error", err)
			}
		}
	}()
	return func() {
		cancel()
		<-done
		l.s.Logger.Info("this server no longer leads")
	}
}

func (l *leadership) lead(ctx context.Context) error {
	if err := l.s.raft.Barrier(ctx); err != nil { // all that earlier leaders committed
		return err
	}
	if err := l.configure(ctx); err != nil {
		return err
	}
	l.restore()
	defer l.forget()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.planner.Run(ctx) })
	for range l.workers() {
		g.Go(func() error { return worker.Run(ctx, l.workerDeps()) })
	}
	g.Go(func() error { return l.rollouts.Run(ctx) })
	g.Go(func() error {
		return drainer.Run(ctx, drainer.Deps{Store: l.s.store, Commit: l.s.commit, Logger: l.s.Logger.Named("drainer")})
	})
	g.Go(func() error { return l.housekeeping(ctx) })
	g.Go(func() error { return l.reapFailed(ctx) })
	g.Go(func() error { return l.collectGarbage(ctx) })
	if l.s.gossip != nil {
		l.s.reconcile()
	}
	close(l.established)
	return g.Wait()
}

// configure stores the scheduler configuration that a new cluster begins with.
func (l *leadership) configure(ctx context.Context) error {
	if l.s.Scheduler == nil || l.s.store.Read().SchedulerConfig().ModifyIndex != 0 {
		return nil
	}
	_, _, err := commitTo(ctx, l.s, state.SetSchedulerConfig, &state.SchedulerConfig{Config: l.s.Scheduler})
	return err
}

// restore fills broker, blocked evaluations and timers from the state. Commits
// that come meanwhile are told to them as well; both take an evaluation once.
func (l *leadership) restore() {
	l.broker.SetEnabled(true)
	l.blocked.SetEnabled(true)
	view := l.s.store.Read()
	for e := range view.EvalsInStatus(n.EvalPending) {
		l.broker.Enqueue(e)
	}
	for e := range view.EvalsInStatus(n.EvalBlocked) {
		l.blocked.Block(e)
	}
	var nodes []n.NodeID
	for node := range view.AllNodes(nil, "") {
		if node.Status != n.NodeDown {
			nodes = append(nodes, node.ID)
		}
	}
	l.timers.Begin(nodes)
}

func (l *leadership) forget() {
	l.mu.Lock()
	l.established = make(chan struct{})
	l.mu.Unlock()
	l.timers.End()
	l.blocked.SetEnabled(false)
	l.broker.SetEnabled(false)
}

// ready returns once this server, as leader, is up to date.
func (l *leadership) ready(ctx context.Context, verify bool) error {
	l.mu.Lock()
	established := l.established
	l.mu.Unlock()
	timer := time.NewTimer(leaderWait)
	defer timer.Stop()
	select {
	case <-established:
	case <-timer.C:
		return errs.New(errs.Internal, "Not ready to serve consistent reads")
	case <-ctx.Done():
		return ctx.Err()
	}
	if verify {
		return l.s.raft.VerifyLeader()
	}
	return nil
}

func (l *leadership) workers() int {
	if l.s.Workers < 0 {
		return runtime.NumCPU()
	}
	return l.s.Workers
}

func (l *leadership) workerDeps() worker.Deps {
	return worker.Deps{
		Broker:   l.broker,
		View:     func() scheduler.View { return l.s.store.Read() },
		Schedule: l.s.schedule,
		Submit:   l.planner.Submit,
		Store: func(ctx context.Context, evals []*n.Evaluation) error {
			_, _, err := commitTo(ctx, l.s, state.UpsertEvals, &state.EvalUpsert{Evals: evals, Now: now()})
			return err
		},
		Wait:   l.waitIndex,
		Logger: l.s.Logger.Named("worker"),
	}
}

// changed tells the leader's loops of a commit. It runs on every server, and on
// those that do not lead it has nobody to tell.
func (l *leadership) changed(c state.Commit) {
	for _, ch := range c.Changes {
		switch v := ch.After.(type) {
		case *n.Evaluation:
			l.evalChanged(v)
		case *n.Allocation:
			before, _ := ch.Before.(*n.Allocation)
			l.allocChanged(before, v, c.Index)
		case *n.Node:
			before, _ := ch.Before.(*n.Node)
			l.nodeChanged(before, v, c.Index)
		}
		if gone, ok := ch.Before.(*n.Node); ok && ch.After == nil {
			l.timers.Forget(gone.ID)
		}
		// A version of a job that nobody remembers any more is no job that is gone.
		if gone, ok := ch.Before.(*n.Job); ok && ch.After == nil && l.s.store.Read().Job(gone.Key()) == nil {
			l.blocked.Forget(gone.Key())
		}
	}
	l.rollouts.Changed(c)
	l.mu.Lock()
	l.applied = c.Index
	close(l.newIndex)
	l.newIndex = make(chan struct{})
	l.mu.Unlock()
}

func (l *leadership) evalChanged(e *n.Evaluation) {
	switch e.Status {
	case n.EvalPending:
		l.broker.Enqueue(e)
	case n.EvalBlocked:
		l.blocked.Block(e)
	case n.EvalComplete:
		if len(e.FailedTGAllocs) == 0 {
			l.blocked.Forget(e.JobKey())
		}
	}
}

// allocChanged lets blocked evaluations know of room that an allocation leaves.
func (l *leadership) allocChanged(before, a *n.Allocation, index uint64) {
	if before == nil || before.ClientStatus.Terminal() || !a.ClientStatus.Terminal() {
		return
	}
	if node := l.s.store.Read().Node(a.NodeID); node != nil {
		l.blocked.Unblock(node.ComputedClass, node.ID, index)
	}
}

// nodeChanged lets blocked evaluations know of room that a node brings.
func (l *leadership) nodeChanged(before, node *n.Node, index uint64) {
	if node.Ready() && (before == nil || !before.Ready() || before.ComputedClass != node.ComputedClass) {
		l.blocked.Unblock(node.ComputedClass, node.ID, index)
	}
}

// waitIndex returns once the state has reached an index. Entries of raft itself
// change nothing and are not waited for.
func (l *leadership) waitIndex(ctx context.Context, index uint64) error {
	for {
		l.mu.Lock()
		reached, next := l.applied >= index, l.newIndex
		l.mu.Unlock()
		if reached || l.s.store.Read().Index() >= index {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nodeSilent is called when a node was not heard of in time.
func (l *leadership) nodeSilent(id n.NodeID) {
	view := l.s.store.Read()
	node := view.Node(id)
	if node == nil || node.Status == n.NodeDown {
		return
	}
	status := n.NodeDown
	if node.Status != n.NodeInitializing && mayOutliveSilence(view, id, time.Now()) {
		status = n.NodeDisconnected
	}
	if status == n.NodeDisconnected {
		defer l.timers.Heard(id) // it is given up once nothing on it is waited for
	}
	if status == node.Status {
		return
	}
	l.s.Logger.Warn("node missed its heartbeat", "node_id", id, "node", node.Name, "status", status)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, _, err := commitTo(ctx, l.s, state.SetNodeStatus, &state.NodeStatus{
		NodeID: id, Status: status, Message: "Node heartbeat missed", Now: now(), Seed: rand.Uint64(),
	})
	if err != nil {
		l.s.Logger.Error("could not mark a silent node, to be tried again", "node_id", id, "error", err)
		l.timers.Heard(id)
	}
}

// mayOutliveSilence reports a node with allocations that stay unknown before
// they count as lost.
func mayOutliveSilence(view *state.View, id n.NodeID, now time.Time) bool {
	for _, a := range view.NodeAllocs(id) {
		job := view.JobVersion(a.JobKey(), a.JobVersion)
		if job == nil {
			continue
		}
		g := job.Group(a.TaskGroup)
		if g == nil || g.DisconnectTimeout() == 0 {
			continue
		}
		if a.ClientStatus != n.ClientUnknown || a.UnknownSince().Add(g.DisconnectTimeout()).After(now) {
			return true
		}
	}
	return false
}

// housekeeping does what is due every few seconds or minutes.
func (l *leadership) housekeeping(ctx context.Context) error {
	sweep, retry := time.NewTicker(5*time.Second), time.NewTicker(time.Minute)
	defer sweep.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sweep.C:
			l.cancel(ctx, l.broker.Cancelable(), func(*n.Evaluation) string { return "canceled after more recent eval was processed" })
			l.cancel(ctx, l.blocked.Replaced(), func(e *n.Evaluation) string {
				return "existing blocked evaluation exists for job \"" + string(e.JobID) + "\""
			})
		case <-retry.C:
			l.blocked.UnblockFailed()
			if l.s.gossip != nil {
				l.s.reconcile()
			}
		}
	}
}

// cancel ends evaluations that have nothing left to say.
func (l *leadership) cancel(ctx context.Context, evals []*n.Evaluation, why func(*n.Evaluation) string) {
	const batch = 728 // keeps a log entry small
	for len(evals) > 0 {
		part := evals[:min(batch, len(evals))]
		evals = evals[len(part):]
		c := &state.EvalUpsert{Now: now()}
		for _, e := range part {
			e := *e
			e.Status, e.StatusDescription = n.EvalCanceled, why(&e)
			c.Evals = append(c.Evals, &e)
		}
		if _, _, err := commitTo(ctx, l.s, state.UpsertEvals, c); err != nil && ctx.Err() == nil {
			l.s.Logger.Error("could not cancel evaluations", "count", len(c.Evals), "error", err)
			return
		}
	}
}

// reapFailed ends evaluations that were delivered too often, and makes another
// one for later.
func (l *leadership) reapFailed(ctx context.Context) error {
	for {
		d, err := l.broker.Dequeue(ctx, broker.FailedQueue)
		if err != nil {
			return err
		}
		e := *d.Eval
		e.Status = n.EvalFailed
		e.StatusDescription = "evaluation reached delivery limit"
		later := *d.Eval
		later.ID, later.PreviousEval, later.TriggeredBy = n.EvalID(newID()), e.ID, n.TriggerFailedFollowUp
		later.Status, later.StatusDescription = n.EvalPending, ""
		later.Wait = time.Minute + rand.N(5*time.Minute)
		later.CreateIndex, later.ModifyIndex = 0, 0
		e.NextEval = later.ID
		_, _, err = commitTo(ctx, l.s, state.UpsertEvals, &state.EvalUpsert{Evals: []*n.Evaluation{&e, &later}, Now: now()})
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.s.Logger.Error("could not end a failed evaluation", "eval_id", e.ID, "error", err)
			_ = l.broker.Nack(e.ID, d.Token)
			continue
		}
		if err := l.broker.Ack(e.ID, d.Token); err != nil {
			l.s.Logger.Debug("ack of a failed evaluation", "error", err)
		}
	}
}

// commitTo encodes a command, appends it to the log and waits for its outcome.
func commitTo[C any](ctx context.Context, s *Server, e raftlog.Encoder[C], c *C) (any, uint64, error) {
	b, err := e.Encode(c)
	if err != nil {
		return nil, 0, err
	}
	return s.commit(ctx, b)
}

func now() int64 { return time.Now().UnixNano() }
