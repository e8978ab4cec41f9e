package logrotate

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func open(t *testing.T, c Config) *Writer {
	t.Helper()
	w, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t *testing.T, w *Writer, s string) {
	t.Helper()
	if n, err := w.Write([]byte(s)); err != nil || n != len(s) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(b)
	}
	return out
}

func TestRotation(t *testing.T) {
	for _, c := range []struct {
		name   string
		before map[string]string
		config Config
		writes []string
		want   map[string]string
	}{
		{"first", nil, Config{MaxFiles: 2, MaxSize: 10}, []string{"a\n"}, map[string]string{"w.0": "a\n"}},
		{"goes on", map[string]string{"w.3": "a\n", "w.12": "b\n"}, Config{MaxFiles: 20, MaxSize: 10}, []string{"c"},
			map[string]string{"w.3": "a\n", "w.12": "b\nc"}},
		{"old ones go", map[string]string{"w.3": "a", "w.12": "b", "w.013": "x", "wx.99": "y"}, Config{MaxFiles: 2, MaxSize: 10}, []string{"c"},
			map[string]string{"w.12": "bc", "w.013": "x", "wx.99": "y"}},
		{"at a newline", nil, Config{MaxFiles: 9, MaxSize: 10}, []string{"aaa\nbbb\nccc\nddd\n"},
			map[string]string{"w.0": "aaa\nbbb\n", "w.1": "ccc\nddd\n"}},
		{"not within a line", nil, Config{MaxFiles: 9, MaxSize: 10}, []string{"aaaaaa\n", "bbbbbb\n"},
			map[string]string{"w.0": "aaaaaa\n", "w.1": "bbbbbb\n"}},
		{"too long a line", nil, Config{MaxFiles: 9, MaxSize: 4}, []string{"abcdefghi\n"},
			map[string]string{"w.0": "abcd", "w.1": "efgh", "w.2": "i\n"}},
		{"newest kept", nil, Config{MaxFiles: 2, MaxSize: 2}, []string{"1\n2\n3\n4\n"}, map[string]string{"w.2": "3\n", "w.3": "4\n"}},
		{"no limit", nil, Config{MaxFiles: 1}, []string{strings.Repeat("x", 1000)}, map[string]string{"w.0": strings.Repeat("x", 1000)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Dir, c.config.Name = t.TempDir(), "w"
			for name, text := range c.before {
				if err := os.WriteFile(filepath.Join(c.config.Dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			w := open(t, c.config)
			for _, s := range c.writes {
				write(t, w, s)
			}
			if got := files(t, c.config.Dir); !maps.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestSince(t *testing.T) {
	w := open(t, Config{Dir: t.TempDir(), Name: "w", MaxFiles: 3, MaxSize: 4})
	write(t, w, "ab\n")
	p := w.Position()
	if p != (Position{0, 3}) {
		t.Fatalf("position %v", p)
	}
	write(t, w, "c\nd\ne\n")
	for limit, want := range map[int64]string{100: "c\nd\ne\n", 3: "c\nd"} {
		if got, err := w.Since(p, limit); err != nil || string(got) != want {
			t.Errorf("since, %d: %q, %v", limit, got, err)
		}
	}
	if got, err := w.Since(w.Position(), 100); err != nil || len(got) != 0 {
		t.Errorf("since now: %q, %v", got, err)
	}
}

// What a task puts in the way is not written to.
func TestHostileDirectory(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "w.0")); err != nil {
		t.Skip(err)
	}
	w := open(t, Config{Dir: dir, Name: "w", MaxFiles: 5, MaxSize: 2})
	if err := os.Link(outside, filepath.Join(dir, "w.1")); err != nil {
		t.Logf("no hard link: %v", err)
	}
	write(t, w, "1\n2\n")
	if b, _ := os.ReadFile(outside); string(b) != "secret" {
		t.Errorf("wrote through a link: %q", b)
	}
	if got := slices.Sorted(maps.Values(files(t, dir))); !slices.Equal(got, []string{"1\n", "2\n"}) {
		t.Errorf("files hold %q", got)
	}
	if err := os.MkdirAll(filepath.Join(dir, "w.2", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("3\n")); err == nil {
		t.Error("wrote to a directory")
	}
	if err := os.RemoveAll(filepath.Join(dir, "w.2")); err != nil {
		t.Fatal(err)
	}
	write(t, w, "3\n")
}
