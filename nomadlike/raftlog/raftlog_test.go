package raftlog_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
)

type (
	state  map[string]uint64
	put    struct{ Key string }
	remove struct{ Keys []string }
)

var (
	log    raftlog.Log[state]
	putKey = raftlog.Command(&log, 300, "Put", func(s state, index uint64, c *put) (any, error) {
		s[c.Key] = index
		return len(s), nil
	})
	removeKeys = raftlog.Command(&log, 2, "Remove", func(s state, _ uint64, c *remove) (any, error) {
		for _, k := range c.Keys {
			if _, ok := s[k]; !ok {
				return nil, io.EOF
			}
			delete(s, k)
		}
		return nil, nil
	})
)

func entry[C any](t *testing.T, e raftlog.Encoder[C], c C) []byte {
	t.Helper()
	b, err := e.Encode(&c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestApply(t *testing.T) {
	s := state{}
	if n, err := log.Apply(s, 9, entry(t, putKey, put{"a"})); n != 1 || err != nil || s["a"] != 9 {
		t.Errorf("%v, %v, %v", n, err, s)
	}
	if _, err := log.Apply(s, 10, entry(t, removeKeys, remove{[]string{"a"}})); err != nil || len(s) != 0 {
		t.Errorf("%v, %v", err, s)
	}
	// What the command itself says is not the log's fault.
	_, err := log.Apply(s, 11, entry(t, removeKeys, remove{[]string{"a"}}))
	if unreadable := new(raftlog.Unreadable); err != io.EOF || errors.As(err, &unreadable) {
		t.Errorf("%v", err)
	}
}

func TestUnreadable(t *testing.T) {
	good := entry(t, putKey, put{"a"})
	for name, c := range map[string]struct {
		entry []byte
		want  string
	}{
		"newer":     {[]byte{77, 0xc0}, "unknown command kind 77: this server is older than the log"},
		"empty":     {nil, "no kind"},
		"huge kind": {[]byte{0xff, 0xff, 0xff, 0xff, 0x7f}, "no kind"},
		"cut":       {good[:len(good)-1], "damaged entry of kind 300 (Put)"},
		"no body":   {good[:2], "damaged entry of kind 300 (Put)"},
	} {
		for _, try := range []func() error{
			func() error { _, err := log.Apply(state{}, 1, c.entry); return err },
			func() error { _, _, err := log.Decode(c.entry); return err },
		} {
			err := try()
			if unreadable := new(raftlog.Unreadable); !errors.As(err, &unreadable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestCompressed shows that large entries are small, say what they said, and are
// noticed when they are damaged.
func TestCompressed(t *testing.T) {
	c := remove{Keys: slices.Repeat([]string{"a", "quite long key"}, 5000)}
	b := entry(t, removeKeys, c)
	if len(b) > 1000 {
		t.Errorf("%d bytes", len(b))
	}
	d, v, err := log.Decode(b)
	if got, ok := v.(*remove); err != nil || !ok || !slices.Equal(got.Keys, c.Keys) || d != removeKeys.Declaration {
		t.Errorf("%v, %v", d, err)
	}
	if kind, err := raftlog.KindOf(b); kind != 2 || err != nil {
		t.Errorf("kind %d, %v", kind, err)
	}
	var unreadable *raftlog.Unreadable
	for i := range b {
		if _, err := log.Apply(state{}, 1, b[:i]); !errors.As(err, &unreadable) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	for _, b := range [][]byte{{0}, {0, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1}, append(slices.Clone(b[:1]), append([]byte{5}, b[4:]...)...)} {
		if _, err := raftlog.KindOf(b); !errors.As(err, &unreadable) {
			t.Errorf("%.10x: %v", b, err)
		}
	}
}

func TestDecode(t *testing.T) {
	d, v, err := log.Decode(entry(t, putKey, put{"a"}))
	if c, ok := v.(*put); err != nil || !ok || c.Key != "a" || d.Name != "Put" || d != putKey.Declaration {
		t.Errorf("%v, %#v, %v", d, v, err)
	}
}

func TestList(t *testing.T) {
	if got := fmt.Sprint(log.List()); got != "[2 Remove raftlog_test.remove 300 Put raftlog_test.put]" {
		t.Error(got)
	}
}

func TestClashes(t *testing.T) {
	fn := func(state, uint64, *put) (any, error) { return nil, nil }
	for name, try := range map[string]func(){
		"same kind": func() { raftlog.Command(&log, 2, "Other", fn) },
		"same name": func() { raftlog.Command(&log, 3, "Put", fn) },
		"no kind":   func() { raftlog.Command(&log, 0, "Zero", fn) },
		"no name":   func() { raftlog.Command(&log, 4, "", fn) },
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

func FuzzApply(f *testing.F) {
	b, _ := putKey.Encode(&put{"a"})
	f.Add(b)
	b, _ = removeKeys.Encode(&remove{Keys: slices.Repeat([]string{"a"}, 5000)})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = log.Apply(state{}, 1, b) })
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := putKey.Encode(&put{"a"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	entry, _ := putKey.Encode(&put{"a"})
	s := state{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := log.Apply(s, 1, entry); err != nil {
			b.Fatal(err)
		}
	}
}
