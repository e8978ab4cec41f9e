package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

func open(t testing.TB, dir string) (*Journal, []*Restored) {
	t.Helper()
	j, all, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Abandon() })
	return j, all
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func allocation(id n.AllocID) *Alloc {
	return &Alloc{Alloc: &n.Allocation{ID: id, Namespace: "default", JobID: "job", TaskGroup: "g"}}
}

func aJob(version uint64) *n.Job {
	return &n.Job{
		ID: "job", Name: "job", Namespace: "default", CreateIndex: 7, Version: version,
		TaskGroups: []n.Group{{Name: "g", Tasks: []n.Task{{Name: "t"}}}},
	}
}

func aTask(restarts uint64) *Task {
	return &Task{
		State: &n.TaskState{State: n.TaskRunning, Restarts: restarts}, Phase: Started,
		Handle: &drivers.TaskHandle{Config: &drivers.TaskConfig{ID: "a/t/1"}, DriverState: []byte("pid 42")}, Hooks: []string{"payload"},
	}
}

// said is what a journal remembers, in short.
func said(all []*Restored) string {
	var out []string
	for _, r := range all {
		s := string(r.Alloc.Alloc.ID) + " of " + string(r.Job.ID)
		for name, t := range r.Tasks {
			s += fmt.Sprintf(", %s %s restarts %d", name, t.State.State, t.State.Restarts)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

const (
	before = "a of job, t running restarts 1"
	after  = "a of job, t running restarts 2; b of job, t running restarts 1"
)

// twoStates returns the journal's file before and after a batch.
func twoStates(t testing.TB) (old, young []byte) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	must(t, j.PutAlloc(allocation("a"), aJob(0)), j.PutTask("a", "t", aTask(1)), j.Close())
	old, err := os.ReadFile(path(dir))
	must(t, err)
	j, all := open(t, dir)
	if have := said(all); have != before {
		t.Fatal(have)
	}
	must(t, j.PutTask("a", "t", aTask(2)), j.PutAlloc(allocation("b"), aJob(0)), j.PutTask("b", "t", aTask(1)), j.Close())
	young, err = os.ReadFile(path(dir))
	must(t, err)
	return old, young
}

// look opens a journal that holds b. It must be in one of the two states, or say
// what is the matter and leave the file alone.
func look(t testing.TB, dir string, b []byte) string {
	t.Helper()
	file := path(dir)
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) { // bbolt may still hold the one before
		t.Fatal(err)
	}
	must(t, os.WriteFile(file, b, 0o600))
	j, all, err := Open(dir)
	if err != nil {
		for _, part := range []string{file, "left as it is", "mv " + file} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error lacks %q: %v", part, err)
			}
		}
		if now, _ := os.ReadFile(file); !bytes.Equal(now, b) {
			t.Errorf("the file was changed though it can not be read: %v", err)
		}
		return ""
	}
	must(t, j.Abandon())
	have := said(all)
	if have != before && have != after {
		t.Errorf("remembered: %q", have)
	}
	return have
}

// A file cut off anywhere is refused, never taken for one that remembers less.
func TestTruncated(t *testing.T) {
	_, whole := twoStates(t)
	dir := t.TempDir()
	refused := 0
	step := 1
	if len(whole) > 1<<13 {
		step = 61 // every place within a page, over the pages
	}
	for k := 0; k < len(whole); k += step {
		if look(t, dir, whole[:k]) == "" {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no length is refused")
	}
	if have := look(t, dir, whole); have != after {
		t.Errorf("the whole file: %q", have)
	}
}

// A crash while pages are written leaves any part of them written; the pages that
// say which of them count come last.
func TestTorn(t *testing.T) {
	old, young := twoStates(t)
	page := os.Getpagesize()
	size := max(len(old), len(young))
	old, young = append(old, make([]byte, size-len(old))...), append(young, make([]byte, size-len(young))...)
	dir := t.TempDir()
	var changed []int
	for at := 2 * page; at < size; at += page {
		if !bytes.Equal(old[at:at+page], young[at:at+page]) {
			changed = append(changed, at)
		}
	}
	for set := range 1 << len(changed) {
		b := bytes.Clone(old)
		for i, at := range changed {
			if set&(1<<i) != 0 {
				copy(b[at:at+page], young[at:at+page])
			}
		}
		if have := look(t, dir, b); have != before {
			t.Errorf("%b of %d pages: %q", set, len(changed), have)
		}
	}
	if len(changed) == 0 {
		t.Error("no page has changed")
	}
}

// Every write that fails is tried again, and until then nothing is lost.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	must(t, j.PutAlloc(allocation("a"), aJob(0)), j.PutTask("a", "t", aTask(1)), j.Sync())
	j.db.MaxSize = 1 // as if the disk was full: the file may not grow
	big := aTask(2)
	big.Hooks = []string{strings.Repeat("x", 1<<20)}
	must(t, j.PutTask("a", "t", big), j.PutAlloc(allocation("b"), aJob(0)))
	for range 3 {
		if err := j.Sync(); err == nil || !strings.Contains(err.Error(), path(dir)) {
			t.Fatalf("the error does not name the file: %v", err)
		}
	}
	// What is put meanwhile wins over what waits.
	must(t, j.PutTask("a", "t", aTask(2)), j.PutTask("b", "t", aTask(1)))
	j.db.MaxSize = 0
	must(t, j.Sync(), j.Abandon())
	if _, all := open(t, dir); said(all) != after {
		t.Error(said(all))
	}
}

// What is forgotten takes no room for ever: a journal that many allocations went
// through is as large as one of a few.
func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	size := func() int64 {
		st, err := os.Stat(path(dir))
		must(t, err)
		return st.Size()
	}
	var early int64
	for i := range 600 {
		id := n.AllocID(fmt.Sprint("a", i))
		must(t, j.PutAlloc(allocation(id), aJob(uint64(i))), j.PutTask(id, "t", aTask(1)), j.Sync())
		j.Forget(id, []string{"t"})
		must(t, j.Sync())
		if i == 100 {
			early = size()
		}
	}
	if late := size(); late > early {
		t.Errorf("%d bytes after 100 allocations, %d after 600", early, late)
	}
	must(t, j.Close())
	j, all := open(t, dir)
	if len(all) != 0 || len(j.jobs) != 0 {
		t.Errorf("%d allocations and %d jobs are left", len(all), len(j.jobs))
	}
}

// Jobs stay as long as an allocation refers to them, and no longer.
func TestJobs(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	must(t, j.PutAlloc(allocation("a"), aJob(0)), j.PutAlloc(allocation("b"), aJob(0)))
	j.Forget("a", nil)
	purged := aJob(0)
	purged.CreateIndex, purged.Name = 99, "another of the same id"
	must(t, j.PutAlloc(allocation("c"), purged), j.PutTask("nobody", "t", aTask(1)), j.Close())
	_, all := open(t, dir)
	names := map[n.AllocID]string{}
	for _, r := range all {
		names[r.Alloc.Alloc.ID] = r.Job.Name
	}
	if len(names) != 2 || names["b"] != "job" || names["c"] != "another of the same id" {
		t.Error(names)
	}
}

// Nothing later is there without everything earlier.
func TestLost(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	must(t, j.PutAlloc(allocation("a"), aJob(0)), j.PutTask("a", "t", aTask(1)), j.Sync())
	must(t, j.PutTask("a", "t", aTask(2)), j.PutAlloc(allocation("b"), aJob(0)), j.PutTask("b", "t", aTask(1)))
	must(t, j.Abandon())
	if err := j.Sync(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, all := open(t, dir); said(all) != before && said(all) != after {
		t.Error(said(all))
	}
}

// What nobody syncs is written soon all the same.
func TestLazy(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	must(t, j.PutAlloc(allocation("a"), aJob(0)))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(lazy / 4) {
		j.commit.Lock()
		done := j.durable > 0
		j.commit.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it is not written")
		}
	}
}

func TestStrangeFiles(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"a directory": func(f string) error { return os.Mkdir(f, 0o700) },
		"text":        func(f string) error { return os.WriteFile(f, bytes.Repeat([]byte("hello "), 5000), 0o600) },
		"empty":       func(f string) error { return os.WriteFile(f, nil, 0o600) },
		"zeros":       func(f string) error { return os.WriteFile(f, bytes.Repeat([]byte{0}, 1<<16), 0o600) },
	} {
		dir := t.TempDir()
		must(t, make(path(dir)))
		if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), path(dir)) || !strings.Contains(err.Error(), "mv ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	id, secret, err := Identity(dir)
	must(t, err)
	if again, same, err := Identity(dir); err != nil || again != id || same != secret || string(id) == secret {
		t.Error(again, same, err)
	}
	file := filepath.Join(dir, "client-id")
	must(t, os.WriteFile(file, []byte("garbage"), 0o600))
	if _, _, err := Identity(dir); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "remove it") {
		t.Error(err)
	}
	if b, _ := os.ReadFile(file); string(b) != "garbage" {
		t.Errorf("it was replaced by %q", b)
	}
}

func TestHeld(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	_, _, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || !strings.Contains(err.Error(), "data_dir") {
		t.Error(err)
	}
	must(t, j.Close())
	open(t, dir)
}

// FuzzJournal decodes records that hold anything: an error or what was encoded,
// and never more memory than the record could mean.
func FuzzJournal(f *testing.F) {
	for _, v := range []any{aTask(3), allocation("a"), aJob(1), &Task{}} {
		b, err := encode(v)
		must(f, err)
		f.Add(b, true)
		f.Add(b[4:], false)
	}
	f.Fuzz(func(t *testing.T, b []byte, whole bool) {
		if !whole { // a checksum that is right, so that the rest is read
			b = append(binary.BigEndian.AppendUint32(nil, checksum(b)), b...)
		}
		for _, make := range []func() any{func() any { return new(Task) }, func() any { return new(Alloc) }, func() any { return new(n.Job) }} {
			v := make()
			if decode(b, v) != nil {
				continue
			}
			one, err := encode(v)
			if err != nil {
				t.Fatalf("what was read can not be written: %v", err)
			}
			again := make()
			if err := decode(one, again); err != nil {
				t.Fatalf("what was written can not be read: %v", err)
			}
			if two, err := encode(again); err != nil || !bytes.Equal(one, two) {
				t.Fatalf("it changes on its way: %x %x %v", one, two, err)
			}
		}
	})
}
