// Package journal owns what a client remembers across its own death: which
// allocations it was given, with the jobs they run; how far each task has come,
// with the driver's handle; what it found of its health; and who the node is.
// It does not decide what to do about any of it.
//
// # What may be relied on
//
// Put methods return at once; what they were given is written later, together
// with whatever else came in the meantime, and reaches the disk in one
// transaction: after a crash either all of a batch is there or none, and never
// something later without everything earlier. Sync waits until all that was put
// before it is durable. Any number of Syncs at the same time share one write, so
// that a thousand tasks that start together cost a handful of them.
//
// A file that can not be read, or that has lost a record, is an error and stays as
// it is. One process at a
// time has the directory.
package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// lazy is how long something put waits to be written when nobody syncs.
const lazy = 100 * time.Millisecond

// retry is how long to wait after a write that failed.
const retry = time.Second

// FileName is the journal's file in its directory.
const FileName = "state.db"

var (
	bucketMeta   = []byte("meta")
	bucketAllocs = []byte("allocs") // id
	bucketTasks  = []byte("tasks")  // id/task
	bucketJobs   = []byte("jobs")   // see jobKey
	buckets      = [][]byte{bucketMeta, bucketAllocs, bucketTasks, bucketJobs}

	keyFormat = []byte("format")
	keyCount  = []byte("count") // how many records there are, see count
	keyHeard  = []byte("heard") // see PutHeard
)

// format is what the file says it is. Its number changes when an older client
// could not read the file.
const format = "nomadlike client 1"

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the client's journal is closed")

// A Journal is open until Close. Its methods may be called at the same time.
type Journal struct {
	db   *bolt.DB
	lock *lock

	heard time.Time // as it was when the file was opened

	commit  sync.Mutex // held while writing
	durable uint64     // guarded by commit: what is on disk
	count   count      // guarded by commit

	mu      sync.Mutex
	pending map[string]change
	put     uint64               // counts puts
	jobs    map[string]int       // allocations that refer to each
	allocs  map[n.AllocID]string // the job of each
	timer   *time.Timer
	closed  bool
}

// A change of one key; no value deletes it.
type change struct {
	bucket []byte
	value  []byte
}

// PutAlloc remembers an allocation; job is the version it runs. The job is kept
// as long as an allocation refers to it.
func (j *Journal) PutAlloc(a *Alloc, job *n.Job) error {
	rec := *a
	rec.Alloc, rec.JobIndex = bare(a.Alloc), job.CreateIndex
	v, err := encode(&rec)
	if err != nil {
		return fmt.Errorf("remember allocation %s: %w", a.Alloc.ID, err)
	}
	key := jobKey(rec.Alloc, rec.JobIndex)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.jobs[key] == 0 {
		v, err := encode(job) // rarely, so it may hold up others
		if err != nil {
			return fmt.Errorf("remember job %s: %w", job.ID, err)
		}
		j.change(bucketJobs, key, v)
	}
	j.refer(a.Alloc.ID, key)
	j.change(bucketAllocs, string(a.Alloc.ID), v)
	return nil
}

// PutTask remembers a task of a known allocation.
func (j *Journal) PutTask(id n.AllocID, task string, t *Task) error {
	v, err := encode(t)
	if err != nil {
		return fmt.Errorf("remember task %s: %w", task, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.allocs[id]; known {
		j.change(bucketTasks, taskKey(id, task), v)
	}
	return nil
}

// PutHeard remembers when a server was last heard of.
func (j *Journal) PutHeard(at time.Time) error {
	v, err := encode(&at)
	if err != nil {
		return fmt.Errorf("remember when a server was heard of: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.change(bucketMeta, string(keyHeard), v)
	return nil
}

// Heard is when an earlier client last heard of a server, if it was remembered.
func (j *Journal) Heard() time.Time { return j.heard }

// Forget forgets an allocation with its tasks. tasks names them.
func (j *Journal) Forget(id n.AllocID, tasks []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, t := range tasks {
		j.change(bucketTasks, taskKey(id, t), nil)
	}
	j.change(bucketAllocs, string(id), nil)
	j.refer(id, "")
}

// refer changes which job an allocation refers to, and drops the job that none
// refers to any more. The caller holds mu.
func (j *Journal) refer(id n.AllocID, key string) {
	old, had := j.allocs[id]
	if key != "" {
		j.allocs[id] = key
		j.jobs[key]++
	} else {
		delete(j.allocs, id)
	}
	if !had {
		return
	}
	if j.jobs[old]--; j.jobs[old] == 0 {
		delete(j.jobs, old)
		j.change(bucketJobs, old, nil)
	}
}

// change notes one change; the caller holds mu.
func (j *Journal) change(bucket []byte, key string, value []byte) {
	if j.closed {
		return
	}
	j.put++
	j.pending[string(bucket)+"\x00"+key] = change{bucket, value}
	if j.timer == nil {
		j.timer = time.AfterFunc(lazy, func() { _ = j.Sync() })
	}
}

// Sync returns once all that was put before is durable. After an error nothing
// is lost: the next Sync tries again.
func (j *Journal) Sync() error {
	j.mu.Lock()
	want, closed := j.put, j.closed
	j.mu.Unlock()
	if closed {
		return ErrClosed
	}
	j.commit.Lock()
	defer j.commit.Unlock()
	if j.durable >= want {
		return nil
	}
	return j.write()
}

// write writes all that is pending; the caller holds commit.
func (j *Journal) write() error {
	j.mu.Lock()
	batch, upto := j.pending, j.put
	j.pending = map[string]change{}
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
	j.mu.Unlock()
	now := j.count
	err := j.db.Update(func(tx *bolt.Tx) error {
		for k, c := range batch {
			b, key := tx.Bucket(c.bucket), []byte(k[len(c.bucket)+1:])
			now.add(c.bucket, b.Get(key), -1)
			now.add(c.bucket, c.value, 1)
			if err := apply(b, key, c.value); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyCount, []byte(now.String()))
	})
	if err != nil {
		j.putBack(batch)
		return fmt.Errorf("write the client's journal %s: %w", j.db.Path(), err)
	}
	j.durable, j.count = upto, now
	return nil
}

func apply(b *bolt.Bucket, key, value []byte) error {
	if value == nil {
		return b.Delete(key)
	}
	return b.Put(key, value)
}

// A count is how many records there are of each kind. Each record has a checksum,
// but damage could make one vanish as a whole; that shows in the count alone.
type count struct{ jobs, allocs, tasks int }

func (c count) String() string {
	return fmt.Sprintf("%d jobs, %d allocations, %d tasks", c.jobs, c.allocs, c.tasks)
}

// add counts a record that is there.
func (c *count) add(bucket, record []byte, by int) {
	if record == nil {
		return
	}
	switch string(bucket) {
	case string(bucketJobs):
		c.jobs += by
	case string(bucketAllocs):
		c.allocs += by
	case string(bucketTasks):
		c.tasks += by
	}
}

// putBack keeps what could not be written, unless it has been superseded.
func (j *Journal) putBack(batch map[string]change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for k, c := range batch {
		if _, newer := j.pending[k]; !newer {
			j.pending[k] = c
		}
	}
	if j.timer == nil && !j.closed {
		j.timer = time.AfterFunc(retry, func() { _ = j.Sync() })
	}
}

// Close writes what is pending and lets go of the directory.
func (j *Journal) Close() error {
	err := j.Sync()
	return errors.Join(err, j.Abandon())
}

// Abandon lets go of the directory without writing what is pending, as a crash
// would.
func (j *Journal) Abandon() error {
	j.commit.Lock()
	defer j.commit.Unlock()
	j.mu.Lock()
	if j.timer != nil {
		j.timer.Stop()
	}
	closed := j.closed
	j.closed = true
	j.mu.Unlock()
	if closed {
		return nil
	}
	return errors.Join(j.db.Close(), j.lock.release())
}

func taskKey(id n.AllocID, task string) string { return string(id) + "/" + task }

func jobKey(a *n.Allocation, index uint64) string {
	return fmt.Sprintf("%s\x00%s\x00%d\x00%d", a.Namespace, a.JobID, a.JobVersion, index)
}

// path names the journal's file.
func path(dir string) string { return filepath.Join(dir, FileName) }

// A Restored is an allocation as it was remembered.
type Restored struct {
	Alloc
	Job   *n.Job
	Tasks map[string]*Task
}

// load reads everything.
func (j *Journal) load(tx *bolt.Tx) ([]*Restored, error) {
	jobs := map[string]*n.Job{}
	if err := j.each(tx, bucketJobs, "job", func(k, v []byte) error {
		job := new(n.Job)
		jobs[string(k)] = job
		return decode(v, job)
	}); err != nil {
		return nil, err
	}
	byID := map[n.AllocID]*Restored{}
	var all []*Restored
	if err := j.each(tx, bucketAllocs, "allocation", func(k, v []byte) error {
		r := &Restored{Tasks: map[string]*Task{}}
		if err := decode(v, &r.Alloc); err != nil {
			return err
		}
		id := n.AllocID(k)
		if r.Alloc.Alloc == nil || r.Alloc.Alloc.ID != id {
			return errors.New("it is empty or another's")
		}
		key := jobKey(r.Alloc.Alloc, r.JobIndex)
		if r.Job = jobs[key]; r.Job == nil {
			return errors.New("its job is missing")
		}
		j.allocs[id] = key
		j.jobs[key]++
		byID[id], all = r, append(all, r)
		return nil
	}); err != nil {
		return nil, err
	}
	if err := j.each(tx, bucketTasks, "task", func(k, v []byte) error {
		id, name, _ := strings.Cut(string(k), "/")
		r := byID[n.AllocID(id)]
		if r == nil {
			return errors.New("its allocation is missing")
		}
		if g := r.Job.Group(r.Alloc.Alloc.TaskGroup); g == nil || g.Task(name) == nil {
			return errors.New("its allocation's job has no such task")
		}
		t := new(Task)
		r.Tasks[name] = t
		return decode(v, t)
	}); err != nil {
		return nil, err
	}
	if v := tx.Bucket(bucketMeta).Get(keyHeard); v != nil {
		if err := decode(v, &j.heard); err != nil {
			return nil, fmt.Errorf("the time of the last contact with a server: %w", err)
		}
	}
	// Files of older clients hold no count.
	if want := tx.Bucket(bucketMeta).Get(keyCount); want != nil && string(want) != j.count.String() {
		return nil, fmt.Errorf("it holds %v, and should hold %s", j.count, want)
	}
	return all, nil
}

// each reads and counts the records of a kind.
func (j *Journal) each(tx *bolt.Tx, bucket []byte, what string, read func(k, v []byte) error) error {
	return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		j.count.add(bucket, v, 1)
		if err := read(k, v); err != nil {
			return fmt.Errorf("%s %q: %w", what, bytes.ReplaceAll(k, []byte{0}, []byte{' '}), err)
		}
		return nil
	})
}

// fresh reports whether there is no journal yet.
func fresh(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, os.ErrNotExist)
}
