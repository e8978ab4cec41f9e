package table_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/nomadlike/nomadlike/nomadlike/table"
)

func filled(t testing.TB, n int) *table.DB {
	db := schema.Open()
	w := db.Write(42)
	for i := range n {
		must(t, jobs.Put(w, &job{Namespace: "a", ID: jobID(fmt.Sprintf("job-%06d", i)), Owner: fmt.Sprint("o", i%10), Version: uint64(i)}))
	}
	must(t, pools.Put(w, &pool{"p", "d"}))
	w.Commit()
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func saved(t testing.TB, db *table.DB) []byte {
	t.Helper()
	var buf bytes.Buffer
	must(t, db.Read().Save(&buf))
	return buf.Bytes()
}

func TestSaveAndRestore(t *testing.T) {
	db := filled(t, 1000)
	snapshot := saved(t, db)
	other := schema.Open()
	put(t, other, 1, &job{Namespace: "z", ID: "stale"})
	must(t, other.Restore(iotest.OneByteReader(bytes.NewReader(snapshot))))

	a, b := db.Read(), other.Read()
	if !reflect.DeepEqual(slices.Collect(jobs.All(a, nil)), slices.Collect(jobs.All(b, nil))) {
		t.Error("the jobs differ")
	}
	if jobs.LastIndex(b, nil) != 42 || b.LastIndex() != 42 || table.First(pools.All(b, nil)).Description != "d" {
		t.Error("the indexes or pools differ")
	}
	if n := len(slices.Collect(jobs.By(b, nil, byOwner, table.K("o3")))); n != 100 {
		t.Errorf("the index has %d values", n)
	}
	if !bytes.Equal(saved(t, other), snapshot) {
		t.Error("the restored database saves otherwise")
	}
	put(t, other, 43, &job{Namespace: "a", ID: "later"})
}

func TestSaveSeesOneMoment(t *testing.T) {
	db := filled(t, 10)
	before, tx := saved(t, db), db.Read()
	put(t, db, 50, &job{Namespace: "a", ID: "later"})
	var buf bytes.Buffer
	must(t, tx.Save(&buf))
	if !bytes.Equal(buf.Bytes(), before) {
		t.Error("a later write got in")
	}
	failing := errors.New("disk full")
	if err := tx.Save(failingWriter{failing}); !errors.Is(err, failing) {
		t.Errorf("%v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

func TestRestoreWakesWatchers(t *testing.T) {
	db := filled(t, 1)
	for name, look := range map[string]func(*table.Tx, table.WatchSet){
		"value": func(tx *table.Tx, ws table.WatchSet) { jobs.Get(tx, ws, jobKey("a", "none")) },
		"range": func(tx *table.Tx, ws table.WatchSet) { pools.All(tx, ws) },
		"index": func(tx *table.Tx, ws table.WatchSet) { pools.LastIndex(tx, ws) },
	} {
		ws := table.NewWatchSet()
		look(db.Read(), ws)
		must(t, db.Restore(bytes.NewReader(saved(t, db))))
		ctx, cancel := context.WithTimeout(t.Context(), 1e9)
		if err := ws.Wait(ctx, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestDamagedSnapshots(t *testing.T) {
	db := filled(t, 20)
	good := saved(t, db)
	check := func(name string, b []byte, want string) {
		t.Helper()
		other := schema.Open()
		put(t, other, 1, &job{Namespace: "z", ID: "kept"})
		err := other.Restore(bytes.NewReader(b))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", name, err, want)
		}
		if got := ids(jobs.All(other.Read(), nil)); got != "z/kept" {
			t.Errorf("%s: the database now has %q", name, got)
		}
	}
	for n := range len(good) {
		check(fmt.Sprint("cut at ", n), good[:n], "cut short")
	}
	for n := range len(good) { // whatever is damaged is noticed
		b := bytes.Clone(good)
		b[n] ^= 0x55
		check(fmt.Sprint("damaged at ", n), b, "")
	}
	check("newer", slices.Concat(good[:16], []byte{9}, good[17:]), "version 9")
	check("other", bytes.Repeat([]byte("x"), 100), "no snapshot")
	check("sum", slices.Concat(good[:len(good)-1], []byte{good[len(good)-1] ^ 1}), "checksum")
	check("row first", append([]byte("nomadlike tables\x01"), "r\x00"...), "unknown type")
	check("huge", append([]byte("nomadlike tables\x01"), "t\xff\xff\xff\xff\x7f"...), "damaged")

	var newer table.Schema
	table.New(&newer, "later", func(p *pool) table.Key { return table.K(p.Name) })
	check("unknown table", saved(t, newer.Open()), `table "later": this server is older`)

	if err := schema.Open().Restore(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

func BenchmarkInsert100k(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		filled(b, 100_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/row")
}

func BenchmarkPutCommit(b *testing.B) {
	db := filled(b, 100_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		put(b, db, uint64(i), &job{Namespace: "a", ID: jobID(fmt.Sprintf("job-%06d", i%100_000)), Owner: "o1"})
	}
}

func BenchmarkGet(b *testing.B) {
	tx := filled(b, 100_000).Read()
	keys := make([]table.Key, 1000)
	for i := range keys {
		keys[i] = jobKey("a", jobID(fmt.Sprintf("job-%06d", i*97)))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if jobs.Get(tx, nil, keys[i%len(keys)]) == nil {
			b.Fatal("missing")
		}
	}
}

func BenchmarkRange100k(b *testing.B) {
	tx := filled(b, 100_000).Read()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range jobs.All(tx, nil) {
			n++
		}
	}
}

func BenchmarkSave100k(b *testing.B) {
	tx := filled(b, 100_000).Read()
	b.ReportAllocs()
	for b.Loop() {
		must(b, tx.Save(io.Discard))
	}
}

func BenchmarkRestore100k(b *testing.B) {
	snapshot := saved(b, filled(b, 100_000))
	b.ReportAllocs()
	b.SetBytes(int64(len(snapshot)))
	for b.Loop() {
		must(b, schema.Open().Restore(bytes.NewReader(snapshot)))
	}
}
