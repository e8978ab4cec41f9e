package server

import (
	"context"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// errNoJob is errJobNotFound as calls that change something answer it.
var errNoJob = errs.As(errs.Internal, errJobNotFound)

// jobRevert registers an old version of a job anew, with the text that it came
// from.
func (s *Server) jobRevert(ctx context.Context, req *n.JobRevert) (*n.JobRegistered, error) {
	view := s.store.Read()
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	cur := view.Job(key)
	if cur == nil {
		return nil, errNoJob
	}
	if prior := req.EnforcePriorVersion; prior != nil && *prior != cur.Version {
		return nil, errs.Newf(errs.Internal, "job %q is at version %d, not at version %d as the request enforces", req.JobID, cur.Version, *prior)
	}
	if req.JobVersion == cur.Version {
		return nil, errs.Newf(errs.Internal, "can't revert to current version: job %q is at version %d already", req.JobID, cur.Version)
	}
	old := remembered(view, key, req.JobVersion)
	if old == nil {
		return nil, errs.Newf(errs.Internal, "job %q has no version %d to revert to", req.JobID, req.JobVersion)
	}
	job := walk.Clone(old)
	job.Stable = false
	reg := &n.JobRegister{WriteOptions: req.WriteOptions, Job: job}
	if sub := view.Submission(nil, key, old.Version); sub != nil {
		reg.Submission = walk.Clone(sub)
	}
	if req.EnforcePriorVersion != nil {
		reg.EnforceIndex, reg.JobModifyIndex = true, cur.JobModifyIndex
	}
	return s.register(ctx, reg)
}

// remembered returns a version of a job's history, or nil.
func remembered(view *state.View, key n.JobKey, version uint64) *n.Job {
	for v := range view.JobVersions(nil, key) {
		if v.Version == version {
			return v
		}
	}
	return nil
}

func (s *Server) jobStable(ctx context.Context, req *n.JobStability) (*n.JobStabilitySet, error) {
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	if s.store.Read().Job(key) == nil {
		return nil, errNoJob
	}
	_, index, err := commitTo(ctx, s, state.SetJobStability, &state.JobStability{Key: key, Version: req.JobVersion, Stable: req.Stable, Now: now()})
	if err != nil {
		return nil, err
	}
	return &n.JobStabilitySet{WriteMeta: n.WriteMeta{Index: index}}, nil
}

func (s *Server) jobTag(ctx context.Context, req *n.JobTag) (*n.JobTagged, error) {
	switch {
	case req.TagName == "":
		return nil, errs.New(errs.Invalid, "the tag needs a name")
	case req.Latest && req.Version != 0:
		return nil, errs.New(errs.Invalid, "Latest and Version exclude each other: leave one of them out")
	}
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	return tagged(commitTo(ctx, s, state.TagJob, &state.JobTag{
		Key: key, Name: req.TagName, Description: req.Description, Version: req.Version, Latest: req.Latest, Now: now(),
	}))
}

func (s *Server) jobUntag(ctx context.Context, req *n.JobUntag) (*n.JobTagged, error) {
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	if s.store.Read().Job(key) == nil {
		return nil, errNoJob
	}
	return tagged(commitTo(ctx, s, state.UntagJob, &state.JobUntag{Key: key, Name: req.TagName, Now: now()}))
}

// tagged answers with a tag that was committed.
func tagged(tag any, index uint64, err error) (*n.JobTagged, error) {
	if err != nil {
		return nil, err
	}
	return &n.JobTagged{VersionTag: *tag.(*n.VersionTag), BodyMeta: n.BodyMeta{Index: index, KnownLeader: true}}, nil
}
