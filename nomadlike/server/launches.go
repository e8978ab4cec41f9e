package server

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/klauspost/compress/snappy"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/launch"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

var errRegistrationOff = errs.New(errs.Permission, "Job registration, dispatch, and scale are disabled by the scheduler configuration")

func (s *Server) jobPeriodicForce(ctx context.Context, req *n.JobPeriodicForce) (*n.JobPeriodicForced, error) {
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	switch job := s.store.Read().Job(key); {
	case job == nil:
		return nil, errNoJob
	case !job.IsPeriodic():
		return nil, errs.Newf(errs.Internal, "can't force launch non-periodic job %q", key.ID)
	}
	out, index, err := commitTo(ctx, s, state.LaunchJob, &state.JobLaunch{Key: key, At: now(), EvalID: n.EvalID(newID()), Force: true, Now: now()})
	if err != nil {
		return nil, err
	}
	return &n.JobPeriodicForced{EvalID: out.(state.JobLaunched).EvalID, EvalCreateIndex: index, WriteMeta: n.WriteMeta{Index: index}}, nil
}

func (s *Server) jobDispatchPayload(ctx context.Context, req *n.JobDispatchPayload) (*n.JobDispatched, error) {
	return s.jobDispatch(ctx, &n.JobDispatch{WriteOptions: req.WriteOptions, JobID: req.JobID, Payload: req.Payload})
}

func (s *Server) jobDispatch(ctx context.Context, req *n.JobDispatch) (*n.JobDispatched, error) {
	for tries := 5; ; tries-- {
		resp, err := s.dispatch(ctx, req)
		// The job may have changed since the dispatch was checked against it.
		if !errors.Is(err, state.ErrOtherIndex) || tries == 0 {
			return resp, err
		}
	}
}

func (s *Server) dispatch(ctx context.Context, req *n.JobDispatch) (*n.JobDispatched, error) {
	view := s.store.Read()
	if view.SchedulerConfig().RejectJobRegistration {
		return nil, errRegistrationOff
	}
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	parent := view.Job(key)
	d := launch.Dispatch{
		Payload: req.Payload, Meta: req.Meta, Prefix: req.IdPrefixTemplate, Priority: req.Priority, Token: req.IdempotencyToken,
	}
	if err := d.Check(parent, cmp.Or(s.Jobs.MaxPriority, n.JobMaxPriority)); err != nil {
		return nil, err
	}
	if len(d.Payload) > 0 {
		d.Payload = snappy.Encode(nil, d.Payload)
	}
	out, index, err := commitTo(ctx, s, state.DispatchJob, &state.JobDispatch{
		Key: key, JobModifyIndex: parent.JobModifyIndex, Child: d.ID(key.ID, time.Now(), rand.Uint32()), Dispatch: d, EvalID: n.EvalID(newID()), Now: now(),
	})
	if err != nil {
		return nil, err
	}
	made := out.(state.JobDispatched)
	resp := &n.JobDispatched{DispatchedJobID: made.Child, EvalID: made.EvalID, JobCreateIndex: made.CreateIndex, WriteMeta: n.WriteMeta{Index: index}}
	if made.EvalID != "" {
		resp.EvalCreateIndex = index
	}
	return resp, nil
}

// withPayload returns a job with its payload as it was sent.
func withPayload(j *n.Job) (*n.Job, error) {
	if len(j.Payload) == 0 {
		return j, nil
	}
	payload, err := snappy.Decode(nil, j.Payload)
	if err != nil {
		return nil, errs.Newf(errs.Internal, "the payload of job %q can not be decompressed: %v", j.ID, err)
	}
	shown := *j
	shown.Payload = payload
	return &shown, nil
}

// nextLaunch is when a job would be launched by the clock; nil if it would not.
func nextLaunch(j *n.Job, now time.Time) *time.Time {
	if !launch.Tracked(j) {
		return nil
	}
	if _, next, ok := launch.Due(j, now, now); ok {
		return &next
	}
	return nil
}
