package state

import (
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// VersionsKept is how many versions of a job are remembered besides those that are
// tagged, unless a command says otherwise.
const VersionsKept = 6

// prune forgets old versions of a job. Those of which there are allocations still
// are set aside, because whoever looks at these needs to know what they run.
func (b *batch) prune(k n.JobKey, keep int) error {
	if keep == 0 {
		keep = VersionsKept
	}
	all := slices.Collect(versions.Prefix(b.tx, nil, jobKey(k)))
	old := forgotten(all, keep)
	for _, v := range old {
		versions.Delete(b.tx, versionKey(k, v.Version))
		submissions.Delete(b.tx, versionKey(k, v.Version))
		if err := retired.Put(b.tx, v); err != nil {
			return err
		}
	}
	b.dropRetired(k)
	return nil
}

// dropRetired forgets versions of a job that were set aside and of which there is
// no allocation.
func (b *batch) dropRetired(k n.JobKey) {
	aside := slices.Collect(retired.Prefix(b.tx, nil, jobKey(k)))
	if len(aside) == 0 {
		return
	}
	needed := map[uint64]bool{}
	for a := range allocs.By(b.tx, nil, allocsByJob, jobKey(k)) {
		needed[a.JobVersion] = true
	}
	for _, v := range aside {
		if !needed[v.Version] {
			retired.Delete(b.tx, versionKey(k, v.Version))
		}
	}
}

// forgotten picks the versions, given oldest first, that are too many. Tagged ones
// do not count. The newest stable version stays, so that there is one to go back
// to, and the next older one goes in its place; but never the newest.
func forgotten(all []*n.Job, keep int) (old []*n.Job) {
	var stable *n.Job
	untagged := 0
	for _, v := range all {
		if v.Stable {
			stable = v
		}
		if v.VersionTag == nil {
			untagged++
		}
	}
	for i, v := range all {
		if untagged-len(old) <= keep {
			break
		}
		if v.VersionTag == nil && v != stable && i < len(all)-1 {
			old = append(old, v)
		}
	}
	return old
}

// source returns a copy of the text of a job's version, for another version that
// comes from the same text, or nil.
func (b *batch) source(k n.JobKey, version uint64) *n.JobSubmission {
	if sub := submissions.Get(b.tx, nil, versionKey(k, version)); sub != nil {
		return walk.Clone(sub)
	}
	return nil
}

// changeVersion changes what is the server's of a remembered version of a job,
// which does not make a new one of it.
func (b *batch) changeVersion(k n.JobKey, version uint64, change func(*n.Job)) error {
	v := versions.Get(b.tx, nil, versionKey(k, version))
	if v == nil {
		return errs.Newf(errs.Internal, "job %q has no version %d", k.ID, version)
	}
	cur := jobs.Get(b.tx, nil, jobKey(k))
	current := cur != nil && cur.Version == version
	if current {
		v = cur
	}
	v = walk.Clone(v)
	change(v)
	v.ModifyIndex = b.index
	if err := versions.Put(b.tx, v); err != nil || !current {
		return err
	}
	return jobs.Put(b.tx, v)
}

// JobStability marks a version of a job as one to go back to, or not.
type JobStability struct {
	Key     n.JobKey
	Version uint64
	Stable  bool
	Now     int64
}

var SetJobStability = raftlog.Command(&log, 3, "JobStability", func(tx *table.Tx, index uint64, c *JobStability) (any, error) {
	b := newBatch(tx, index, c.Now)
	return nil, b.setStable(c.Key, c.Version, c.Stable)
})

func (b *batch) setStable(k n.JobKey, version uint64, stable bool) error {
	return b.changeVersion(k, version, func(v *n.Job) { v.Stable = stable })
}

// JobTag gives a version of a job a name, in place of the one that it has.
type JobTag struct {
	Key         n.JobKey
	Name        string
	Description string
	Version     uint64
	Latest      bool // the current version is meant, whichever that is
	Now         int64
}

// TagJob's outcome is the *n.VersionTag.
var TagJob = raftlog.Command(&log, 4, "JobTag", func(tx *table.Tx, index uint64, c *JobTag) (any, error) {
	b := newBatch(tx, index, c.Now)
	job := jobs.Get(tx, nil, jobKey(c.Key))
	if job == nil {
		return nil, errs.New(errs.Internal, "job not found")
	}
	if c.Latest {
		c.Version = job.Version
	}
	if v := b.tagged(c.Key, c.Name); v != nil && v.Version != c.Version {
		return nil, errs.Newf(errs.Internal, "tag %q is on version %d of job %q already: take it away there first, or give another name", c.Name, v.Version, c.Key.ID)
	}
	tag := &n.VersionTag{Name: c.Name, Description: c.Description, TaggedTime: c.Now}
	return tag, b.changeVersion(c.Key, c.Version, func(v *n.Job) { v.VersionTag = tag })
})

// tagged returns the version of a job that has the tag, or nil.
func (b *batch) tagged(k n.JobKey, name string) *n.Job {
	for v := range versions.Prefix(b.tx, nil, jobKey(k)) {
		if v.VersionTag != nil && v.VersionTag.Name == name {
			return v
		}
	}
	return nil
}

// JobUntag takes the name of a version of a job away. The version is remembered no
// longer than others, from the next new version on.
type JobUntag struct {
	Key  n.JobKey
	Name string
	Now  int64
}

// UntagJob's outcome is the *n.VersionTag that there was.
var UntagJob = raftlog.Command(&log, 5, "JobUntag", func(tx *table.Tx, index uint64, c *JobUntag) (any, error) {
	b := newBatch(tx, index, c.Now)
	v := b.tagged(c.Key, c.Name)
	if v == nil {
		return nil, errs.Newf(errs.Internal, "job %q has no tag %q", c.Key.ID, c.Name)
	}
	return v.VersionTag, b.changeVersion(c.Key, v.Version, func(v *n.Job) { v.VersionTag = nil })
})
