// Package launch decides what periodic and parameterized jobs launch: when, under
// which id, and with what of their own. It reads no clock and stores nothing.
package launch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/cron"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// Tracked reports a job that is launched by the clock.
func Tracked(j *n.Job) bool {
	return !j.Stopped() && j.IsPeriodic() && j.Periodic.Enabled && !j.IsParameterized()
}

// Due says when a tracked job is launched next after now. missed tells that a
// time has passed since it was launched last, or since it is as it is.
func Due(j *n.Job, last, now time.Time) (missed bool, next time.Time, ok bool) {
	s, err := cron.Of(j.Periodic)
	if err != nil {
		return false, next, false // admission let none such in
	}
	if changed := time.Unix(0, j.SubmitTime); changed.After(last) {
		last = changed
	}
	passed, any := s.Next(last)
	next, ok = s.Next(now)
	return any && !passed.After(now), next, ok
}

// Periodic returns the job that a periodic one launches at a time.
func Periodic(parent *n.Job, at time.Time) *n.Job {
	child := copyOf(parent, n.JobID(fmt.Sprintf("%s/periodic-%d", parent.ID, at.Unix())))
	child.Periodic = nil
	return child
}

// A Dispatch is what is sent to a parameterized job.
type Dispatch struct {
	Payload  []byte
	Meta     map[string]string
	Prefix   string // of the child's id
	Priority int    // 0: the parent's
	Token    string // dispatches with the same one make one child
}

// Check says what a dispatch lacks or has too much of; parent is nil if there is
// no such job.
func (d *Dispatch) Check(parent *n.Job, maxPriority int) error {
	switch {
	case parent == nil:
		return errs.New(errs.Internal, "parameterized job not found")
	case !parent.IsParameterized():
		return errs.Newf(errs.Internal, "job %q is not parameterized and can not be dispatched: give it a parameterized block", parent.ID)
	case parent.Stop:
		return errs.Newf(errs.Internal, "job %q is stopped and can not be dispatched: start it first", parent.ID)
	case strings.ContainsAny(d.Prefix, " \x00"):
		return errs.Newf(errs.Internal, "IdPrefixTemplate %q contains a space or NUL, which no id of a job may", d.Prefix)
	case d.Priority != 0 && (d.Priority < n.JobMinPriority || d.Priority > maxPriority):
		return errs.Newf(errs.Internal, "Priority is %d and must be between %d and %d", d.Priority, n.JobMinPriority, maxPriority)
	}
	if err := checkPayload(parent.ParameterizedJob.Payload, len(d.Payload)); err != nil {
		return err
	}
	return checkMeta(parent.ParameterizedJob, d.Meta)
}

func checkPayload(rule string, size int) error {
	switch {
	case size > n.MaxPayload:
		return errs.Newf(errs.Internal, "Payload has %d bytes, and may have %d: pass a reference to what is larger", size, n.MaxPayload)
	case rule == "required" && size == 0:
		return errs.New(errs.Internal, "Payload is not provided but required by the parameterized job")
	case rule == "forbidden" && size > 0:
		return errs.New(errs.Internal, "Payload is provided but forbidden by the parameterized job")
	}
	return nil
}

func checkMeta(p *n.Parameterized, meta map[string]string) error {
	var missing, unknown []string
	for _, key := range p.MetaRequired {
		if _, ok := meta[key]; !ok {
			missing = append(missing, key)
		}
	}
	for key := range meta {
		if !slices.Contains(p.MetaRequired, key) && !slices.Contains(p.MetaOptional, key) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	switch {
	case len(missing) > 0:
		return errs.Newf(errs.Internal, "Dispatch did not provide required meta keys: %s", strings.Join(missing, ", "))
	case len(unknown) > 0:
		return errs.Newf(errs.Internal, "Dispatch request included unpermitted metadata keys: %s; add them to meta_required or meta_optional", strings.Join(unknown, ", "))
	}
	return nil
}

// ID names the child of a dispatch; random tells it from others of that second.
func (d *Dispatch) ID(parent n.JobID, at time.Time, random uint32) n.JobID {
	prefix := d.Prefix
	if prefix != "" {
		prefix += "-"
	}
	return n.JobID(fmt.Sprintf("%s/dispatch-%s%d-%08x", parent, prefix, at.Unix(), random))
}

// Child returns the job that a dispatch makes. Its payload is the dispatch's, in
// whatever form that is.
func (d *Dispatch) Child(parent *n.Job, id n.JobID) *n.Job {
	child := copyOf(parent, id)
	child.Version = parent.Version
	child.Dispatched, child.Payload, child.DispatchIdempotencyToken = true, d.Payload, d.Token
	if d.Priority != 0 {
		child.Priority = d.Priority
	}
	if len(d.Meta) > 0 && child.Meta == nil {
		child.Meta = map[string]string{}
	}
	maps.Copy(child.Meta, d.Meta)
	return child
}

// copyOf returns a job like another, as its child, without what the servers said
// of the other.
func copyOf(parent *n.Job, id n.JobID) *n.Job {
	child := walk.Clone(parent)
	child.ID, child.Name, child.ParentID = id, string(id), parent.ID
	child.Status, child.StatusDescription, child.Stable = n.JobPending, "", false
	child.Version, child.VersionTag, child.SubmitTime = 0, nil, 0
	child.CreateIndex, child.ModifyIndex, child.JobModifyIndex = 0, 0, 0
	for i := range child.TaskGroups {
		if g := &child.TaskGroups[i]; g.Scaling != nil {
			g.Scaling.Aim(child.Key(), g.Name)
		}
	}
	return child
}
