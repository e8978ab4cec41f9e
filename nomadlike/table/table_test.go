package table_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

type (
	namespace string
	jobID     string

	job struct {
		Namespace namespace
		ID        jobID
		Owner     string
		Port      string
		Tags      []string
		Version   uint64
	}
	pool struct{ Name, Description string }
)

var (
	schema table.Schema

	byOwner = table.By("owner", func(j *job) table.Key {
		if j.Owner == "" {
			return ""
		}
		return table.K(j.Owner)
	})
	byPort = table.ByUnique("port", func(j *job) table.Key {
		if j.Port == "" {
			return ""
		}
		return table.K(j.Port)
	})
	byTag = table.ByMany("tag", func(j *job) (keys []table.Key) {
		for _, tag := range j.Tags {
			keys = append(keys, table.K2(j.Namespace, tag))
		}
		return keys
	})
	jobs  = table.New(&schema, "jobs", func(j *job) table.Key { return jobKey(j.Namespace, j.ID) }, byOwner, byPort, byTag)
	pools = table.New(&schema, "pools", func(p *pool) table.Key {
		if p.Name == "" {
			return ""
		}
		return table.K(p.Name)
	})
)

func jobKey(ns namespace, id jobID) table.Key {
	if id == "" {
		return ""
	}
	return table.K2(ns, id)
}

// put commits jobs at an index.
func put(t testing.TB, db *table.DB, index uint64, js ...*job) {
	t.Helper()
	tx := db.Write(index)
	defer tx.Abort()
	for _, j := range js {
		if err := jobs.Put(tx, j); err != nil {
			t.Fatal(err)
		}
	}
	tx.Commit()
}

func ids(seq iter.Seq[*job]) string {
	var out []string
	for j := range seq {
		out = append(out, string(j.Namespace)+"/"+string(j.ID))
	}
	return strings.Join(out, " ")
}

func TestReads(t *testing.T) {
	db := schema.Open()
	put(t, db, 7,
		&job{Namespace: "b", ID: "web", Owner: "ann", Tags: []string{"x", "y"}},
		&job{Namespace: "a", ID: "web-2", Owner: "ann", Port: "80"},
		&job{Namespace: "a", ID: "db", Owner: "annabel", Tags: []string{"x"}},
		&job{Namespace: "a", ID: "web", Tags: []string{"x"}},
		&job{Namespace: "ab", ID: "c"},
	)
	tx := db.Read()
	for name, c := range map[string]struct {
		got  iter.Seq[*job]
		want string
	}{
		"all":             {jobs.All(tx, nil), "a/db a/web a/web-2 ab/c b/web"},
		"namespace":       {jobs.Prefix(tx, nil, table.K(namespace("a"))), "a/db a/web a/web-2"},
		"open":            {jobs.Prefix(tx, nil, table.K2("a", "we").Open()), "a/web a/web-2"},
		"open namespace":  {jobs.Prefix(tx, nil, table.K("a").Open()), "a/db a/web a/web-2 ab/c"},
		"from":            {jobs.From(tx, table.K2("a", "web")), "a/web a/web-2 ab/c b/web"},
		"from between":    {jobs.From(tx, table.K2("a", "e")), "a/web a/web-2 ab/c b/web"},
		"index":           {jobs.By(tx, nil, byOwner, table.K("ann")), "a/web-2 b/web"},
		"index open":      {jobs.By(tx, nil, byOwner, table.K("ann").Open()), "a/web-2 b/web a/db"},
		"index unique":    {jobs.By(tx, nil, byPort, table.K("80")), "a/web-2"},
		"index compound":  {jobs.By(tx, nil, byTag, table.K2("a", "x")), "a/db a/web"},
		"index namespace": {jobs.By(tx, nil, byTag, table.K("b")), "b/web b/web"},
		"index missing":   {jobs.By(tx, nil, byOwner, table.K("an")), ""},
	} {
		if got := ids(c.got); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := ids(c.got); got != c.want {
			t.Errorf("%s, ranged again: %q", name, got)
		}
	}
	if j := jobs.Get(tx, nil, jobKey("a", "web")); j == nil || j.ID != "web" {
		t.Errorf("got %v", j)
	}
	if j := jobs.Get(tx, nil, jobKey("a", "we")); j != nil {
		t.Errorf("got %v", j)
	}
	if j := table.First(jobs.All(tx, nil)); j.ID != "db" {
		t.Errorf("first is %v", j)
	}
	if p := table.First(pools.All(tx, nil)); p != nil {
		t.Errorf("first of none is %v", p)
	}
}

func TestWrites(t *testing.T) {
	db := schema.Open()
	put(t, db, 3, &job{Namespace: "a", ID: "x", Owner: "ann", Tags: []string{"p", "q"}, Port: "80"}, &job{Namespace: "a", ID: "y"})
	put(t, db, 4, &job{Namespace: "a", ID: "x", Owner: "bob", Tags: []string{"q"}, Port: "81"})
	tx := db.Read()
	for _, seq := range []iter.Seq[*job]{
		jobs.By(tx, nil, byOwner, table.K("ann")), jobs.By(tx, nil, byTag, table.K2("a", "p")), jobs.By(tx, nil, byPort, table.K("80")),
	} {
		if got := ids(seq); got != "" {
			t.Errorf("an old index entry is left: %s", got)
		}
	}
	if got := ids(jobs.By(tx, nil, byTag, table.K2("a", "q"))); got != "a/x" {
		t.Errorf("got %q", got)
	}

	w := db.Write(5)
	if old := jobs.Delete(w, jobKey("a", "x")); old == nil || old.Owner != "bob" {
		t.Errorf("deleted %v", old)
	}
	if old := jobs.Delete(w, jobKey("a", "x")); old != nil {
		t.Errorf("deleted twice: %v", old)
	}
	if got := ids(jobs.All(w, nil)); got != "a/y" {
		t.Errorf("the writer sees %q", got)
	}
	if got := ids(jobs.All(db.Read(), nil)); got != "a/x a/y" {
		t.Errorf("others see %q", got)
	}
	w.Abort()
	w.Commit()
	if got := ids(jobs.All(db.Read(), nil)); got != "a/x a/y" {
		t.Errorf("after abort: %q", got)
	}
}

func TestRefusals(t *testing.T) {
	db := schema.Open()
	put(t, db, 1, &job{Namespace: "a", ID: "x", Port: "80"})
	w := db.Write(2)
	defer w.Abort()
	if err := jobs.Put(w, &job{Namespace: "a"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("without a key: %v", err)
	}
	if err := jobs.Put(w, &job{Namespace: "a", ID: "y", Port: "80"}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second of a unique index: %v", err)
	}
	if err := jobs.Put(w, &job{Namespace: "a", ID: "x", Port: "80", Owner: "new"}); err != nil {
		t.Errorf("the same value again: %v", err)
	}
	for name, try := range map[string]func(){
		"write in a reader": func() { _ = jobs.Put(db.Read(), &job{Namespace: "a", ID: "x"}) },
		"foreign index": func() {
			pools.By(db.Read(), table.NewWatchSet(), table.By("no", func(*pool) table.Key { return "" }), "")
		},
		"second table":   func() { table.New(&schema, "jobs", func(*pool) table.Key { return "" }) },
		"bad index name": func() { table.New(&schema, "t", func(*pool) table.Key { return "" }, table.By[pool]("", nil)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			try()
		}()
	}
}

func TestLastIndex(t *testing.T) {
	db := schema.Open()
	put(t, db, 10, &job{Namespace: "a", ID: "x"})
	w := db.Write(12)
	if err := pools.Put(w, &pool{Name: "p"}); err != nil || w.Index() != 12 {
		t.Fatal(err, w.Index())
	}
	w.Commit()
	w = db.Write(13)
	jobs.Delete(w, jobKey("a", "no such job"))
	w.Commit()
	tx := db.Read()
	if j, p, all := jobs.LastIndex(tx, nil), pools.LastIndex(tx, nil), tx.LastIndex(); j != 10 || p != 12 || all != 12 {
		t.Errorf("jobs %d, pools %d, all %d", j, p, all)
	}
}

func TestChanges(t *testing.T) {
	db := schema.Open()
	old := &job{Namespace: "a", ID: "x"}
	put(t, db, 1, old, &job{Namespace: "a", ID: "gone"})
	w := db.Write(2)
	next := &job{Namespace: "a", ID: "x", Owner: "ann"}
	for _, j := range []*job{{Namespace: "a", ID: "x", Owner: "between"}, next} {
		if err := jobs.Put(w, j); err != nil {
			t.Fatal(err)
		}
	}
	jobs.Delete(w, jobKey("a", "gone"))
	if err := jobs.Put(w, &job{Namespace: "a", ID: "passing"}); err != nil {
		t.Fatal(err)
	}
	jobs.Delete(w, jobKey("a", "passing"))
	w.Commit()
	got := w.Changes()
	if len(got) != 2 || got[0].Table != "jobs" || got[0].Before != any(old) || got[0].After != any(next) || got[1].After != nil || got[1].Before == nil {
		t.Errorf("%+v", got)
	}
}

func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		look func(*table.Tx, table.WatchSet)
		wake bool
	}{
		"the value":     {func(tx *table.Tx, ws table.WatchSet) { jobs.Get(tx, ws, jobKey("a", "new")) }, true},
		"another value": {func(tx *table.Tx, ws table.WatchSet) { jobs.Get(tx, ws, jobKey("b", "old")) }, false},
		"the table":     {func(tx *table.Tx, ws table.WatchSet) { jobs.All(tx, ws) }, true},
		"namespace":     {func(tx *table.Tx, ws table.WatchSet) { jobs.Prefix(tx, ws, table.K("a")) }, true},
		"another space": {func(tx *table.Tx, ws table.WatchSet) { jobs.Prefix(tx, ws, table.K("b")) }, false},
		"an index":      {func(tx *table.Tx, ws table.WatchSet) { jobs.By(tx, ws, byOwner, table.K("ann")) }, true},
		"another table": {func(tx *table.Tx, ws table.WatchSet) { pools.All(tx, ws) }, false},
		"last index":    {func(tx *table.Tx, ws table.WatchSet) { jobs.LastIndex(tx, ws) }, true},
		"other's index": {func(tx *table.Tx, ws table.WatchSet) { pools.LastIndex(tx, ws) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := schema.Open()
				put(t, db, 1, &job{Namespace: "b", ID: "old"}, &job{Namespace: "a", ID: "old"}, &job{Namespace: "c", ID: "old"})
				w := db.Write(2)
				if err := pools.Put(w, &pool{Name: "p"}); err != nil {
					t.Fatal(err)
				}
				w.Commit()
				ws := table.NewWatchSet()
				c.look(db.Read(), ws)
				start := time.Now()
				go func() {
					time.Sleep(time.Minute)
					put(t, db, 3, &job{Namespace: "a", ID: "new", Owner: "ann"})
				}()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if timedOut := ws.Wait(ctx, nil) != nil; timedOut == c.wake {
					t.Errorf("woke up: %v, after %v", !timedOut, time.Since(start))
				}
			})
		})
	}
}

func TestKeys(t *testing.T) {
	for _, c := range [][2]table.Key{ // in order, and different
		{table.K2("a", "b"), table.K2("a", "c")},
		{table.K2("a", "z"), table.K2("ab", "a")},
		{table.K2("a", "\x00"), table.K2("a\x00", "")},
		{table.K2("a", ""), table.K2("a\x00", "")},
		{table.K("a"), table.K2("a", "")},
		{table.K2("a\x00\x01b", "c"), table.K3("a\x01", "b", "c")},
		{table.K(table.Uint(9)), table.K(table.Uint(10))},
		{table.K(table.Uint(1<<32 - 1)), table.K(table.Uint(1 << 63))},
	} {
		if c[0] >= c[1] {
			t.Errorf("%q is not before %q", c[0], c[1])
		}
	}
	spoof := table.K("a\x00\x01b")
	if strings.HasPrefix(string(spoof), string(table.K("a"))) {
		t.Error("a part reached into another's range")
	}
}

func FuzzKeysStayApart(f *testing.F) {
	f.Add("a", "b", "a\x00\x01b", "")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if same := a == c && b == d; (table.K2(a, b) == table.K2(c, d)) != same {
			t.Errorf("%q %q and %q %q", a, b, c, d)
		}
		order := strings.Compare(a, c)
		if order == 0 {
			order = strings.Compare(b, d)
		}
		if got := strings.Compare(string(table.K2(a, b)), string(table.K2(c, d))); got != order {
			t.Errorf("%q %q and %q %q sort as %d", a, b, c, d, got)
		}
	})
}

// model applies the same random writes to a map, as a second opinion.
func TestAgainstAMap(t *testing.T) {
	db, model := schema.Open(), map[table.Key]*job{}
	for i := range 2000 {
		n := i * 7919 % 301
		j := &job{Namespace: namespace(fmt.Sprint(n % 7)), ID: jobID(fmt.Sprint(n)), Owner: fmt.Sprint(i % 5), Tags: []string{fmt.Sprint(i % 3)}}
		key := jobKey(j.Namespace, j.ID)
		w := db.Write(uint64(i + 1))
		if i%3 == 0 {
			if (jobs.Delete(w, key) != nil) != (model[key] != nil) {
				t.Fatal("Delete disagrees")
			}
			delete(model, key)
		} else {
			if err := jobs.Put(w, j); err != nil {
				t.Fatal(err)
			}
			model[key] = j
		}
		w.Commit()
	}
	got := slices.Collect(jobs.All(db.Read(), nil))
	if len(got) != len(model) {
		t.Fatalf("%d values, want %d", len(got), len(model))
	}
	owned := 0
	for i := range 5 {
		owned += len(slices.Collect(jobs.By(db.Read(), nil, byOwner, table.K(fmt.Sprint(i)))))
	}
	if owned != len(model) {
		t.Errorf("the index has %d values, want %d", owned, len(model))
	}
	for _, j := range got {
		if model[jobKey(j.Namespace, j.ID)] != j {
			t.Errorf("%v is not what was put last", j)
		}
	}
}

// TestMoments writes at random while old moments are held: each of them stays as it
// was, and whoever waits for what has changed since does not wait.
func TestMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	db := schema.Open()
	looks := []func(*table.Tx, table.WatchSet) string{
		func(tx *table.Tx, ws table.WatchSet) string { return ids(jobs.All(tx, ws)) },
		func(tx *table.Tx, ws table.WatchSet) string { return ids(jobs.Prefix(tx, ws, table.K("1"))) },
		func(tx *table.Tx, ws table.WatchSet) string { return ids(jobs.By(tx, ws, byOwner, table.K("2"))) },
		func(tx *table.Tx, ws table.WatchSet) string { return ids(jobs.By(tx, ws, byTag, table.K2("1", "0"))) },
		func(tx *table.Tx, ws table.WatchSet) string { return fmt.Sprint(jobs.LastIndex(tx, ws)) },
		func(tx *table.Tx, ws table.WatchSet) string {
			return fmt.Sprint(jobs.Get(tx, ws, jobKey("1", "1")) != nil)
		},
	}
	type moment struct {
		tx   *table.Tx
		look int
		text string
	}
	var held []moment
	for i := range 1500 {
		w := db.Write(uint64(i + 1))
		for range r.IntN(20) {
			j := &job{Namespace: namespace(fmt.Sprint(r.IntN(3))), ID: jobID(fmt.Sprint(r.IntN(100))), Owner: fmt.Sprint(r.IntN(5)), Tags: []string{fmt.Sprint(r.IntN(3))}}
			if r.IntN(3) == 0 {
				jobs.Delete(w, jobKey(j.Namespace, j.ID))
			} else if err := jobs.Put(w, j); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(4) == 0 {
			w.Abort()
		} else {
			w.Commit()
		}
		m := moment{tx: db.Read(), look: i % len(looks)}
		m.text = looks[m.look](m.tx, nil)
		held = append(held, m)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	now := db.Read()
	for i, m := range held {
		ws := table.NewWatchSet()
		if text := looks[m.look](m.tx, ws); text != m.text {
			t.Fatalf("moment %d was %q and is %q", i, m.text, text)
		}
		if is := looks[m.look](now, nil); is != m.text && ws.Wait(over, nil) != nil {
			t.Fatalf("moment %d: waits for a change from %q to %q", i, m.text, is)
		}
	}
	ws := table.NewWatchSet()
	for _, look := range looks {
		look(db.Read(), ws)
	}
	if err := ws.Wait(over, nil); err == nil {
		t.Error("nothing has changed, and it does not wait")
	}
}

// TestWriterRanges over what it had written when it asked, while it goes on.
func TestWriterRanges(t *testing.T) {
	db := schema.Open()
	put(t, db, 1, &job{Namespace: "a", ID: "x"}, &job{Namespace: "a", ID: "y"})
	w := db.Write(2)
	defer w.Abort()
	for i := range 2 { // the second time in rows of its own
		for j := range jobs.All(w, nil) {
			if err := jobs.Put(w, &job{Namespace: "b", ID: j.ID + jobID(fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
			jobs.Delete(w, jobKey(j.Namespace, j.ID))
		}
	}
	if got := ids(jobs.All(w, nil)); got != "b/x01 b/y01" {
		t.Errorf("%q", got)
	}
}
