package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Open opens the journal in dir, which it makes if there is none, and returns
// all that it remembers. Another process that has it open is named in the error.
func Open(dir string) (*Journal, []*Restored, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	l, err := acquire(filepath.Join(dir, "lock"), dir)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{lock: l, pending: map[string]change{}, jobs: map[string]int{}, allocs: map[n.AllocID]string{}}
	all, err := j.open(path(dir))
	if err != nil {
		if j.db != nil {
			_ = j.db.Close()
		}
		_ = l.release()
		return nil, nil, err
	}
	return j, all, nil
}

func (j *Journal) open(file string) (all []*Restored, err error) {
	begin := fresh(file)
	if !begin {
		if err := plausible(file); err != nil {
			return nil, unreadable(file, err)
		}
	}
	// A damaged file can make bbolt panic, or read beyond the end of the file.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = unreadable(file, fmt.Errorf("%v", p))
		}
	}()
	j.db, err = bolt.Open(file, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, unreadable(file, err)
	}
	if begin {
		return nil, j.initialise(file)
	}
	err = j.db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return errors.New("it is not a journal of ours")
		}
		if have := string(meta.Get(keyFormat)); have != format {
			return fmt.Errorf("it says %q, and %q is what is understood here", have, format)
		}
		for _, b := range buckets {
			if tx.Bucket(b) == nil {
				return fmt.Errorf("its part %q is missing", b)
			}
		}
		all, err = j.load(tx)
		return err
	})
	if err != nil {
		return nil, unreadable(file, err)
	}
	return all, nil
}

// initialise makes the first transaction, after which the file is never empty.
func (j *Journal) initialise(file string) error {
	err := j.db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyFormat, []byte(format))
	})
	if err != nil {
		return fmt.Errorf("make the client's journal %s: %w", file, err)
	}
	return syncDir(filepath.Dir(file))
}

// unreadable says what to do about a file that can not be read.
func unreadable(file string, err error) error {
	return fmt.Errorf("the client's journal %s can not be read: %w. It has been left as it is. "+
		"To start afresh, move it away (mv %s %s.bad) and start the agent again; the node then knows nothing of the tasks "+
		"that it ran, and those that still run are orphans: stop them first. They are the processes whose environment holds "+
		"NOMAD_ALLOC_ID (grep -la NOMAD_ALLOC_ID= /proc/[0-9]*/environ), those in the cgroup /sys/fs/cgroup/nomad.slice, and the "+
		"containers with the label com.hashicorp.nomad.alloc_id", file, err, file, file)
}

// syncDir makes a new file's name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
