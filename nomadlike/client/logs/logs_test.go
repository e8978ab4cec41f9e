package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

func TestLocate(t *testing.T) {
	pieces := []piece{{3, 10}, {4, 10}, {6, 5}}
	for _, c := range []struct {
		offset  int64
		fromEnd bool
		index   int64
		at      int64
	}{
		{0, false, 3, 0},
		{10, false, 3, 10},
		{11, false, 4, 1},
		{22, false, 6, 2},
		{100, false, 6, 5},
		{-1, false, 3, 0},
		{0, true, 6, 5},
		{3, true, 6, 2},
		{6, true, 4, 9},
		{25, true, 3, 0},
		{100, true, 3, 0},
	} {
		if index, at := locate(pieces, c.offset, c.fromEnd); index != c.index || at != c.at {
			t.Errorf("offset %d, from the end %v: have %d at %d, want %d at %d", c.offset, c.fromEnd, index, at, c.index, c.at)
		}
	}
}

func TestNumber(t *testing.T) {
	for file, want := range map[string]int64{
		"web.stdout.0": 0, "web.stdout.12": 12, "web.stdout.": -1, "web.stdout.01": -1, "web.stdout.x": -1,
		"web.stdout.-1": -1, "web.stderr.0": -1, ".web.stdout.fifo": -1, "web.stdout.1.2": -1,
	} {
		got, ok := number(file, "web.stdout")
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s: %d, want %d", file, got, want)
		}
	}
}

// A dir is an allocation's directory.
type dir struct {
	*testing.T
	path string
}

func newDir(t *testing.T) dir {
	d := dir{t, t.TempDir()}
	if err := os.MkdirAll(filepath.Join(d.path, "alloc", "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d dir) file(index int) string {
	return filepath.Join(d.path, "alloc", "logs", fmt.Sprintf("t.stdout.%d", index))
}

func (d dir) add(index int, text string) {
	d.Helper()
	f, err := os.OpenFile(d.file(index), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		d.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		d.Fatal(err)
	}
}

// read returns the text and the places of the frames.
func (d dir) read(q Query) (string, []string) {
	d.Helper()
	q.Task, q.Type = "t", "stdout"
	var text strings.Builder
	var places []string
	err := Read(d.Context(), d.path, q, func(f *n.StreamFrame) error {
		text.Write(f.Data)
		places = append(places, fmt.Sprintf("%s@%d", f.File, f.Offset))
		return nil
	})
	if err != nil {
		d.Error(err)
	}
	return text.String(), places
}

func TestReadAll(t *testing.T) {
	d := newDir(t)
	if text, _ := d.read(Query{}); text != "" {
		t.Errorf("of nothing: %q", text)
	}
	for i, text := range []string{"two\n", "three\n", "four\n"} {
		d.add(i+9, text) // 9, 10, 11: in the order of numbers, not of names
	}
	d.add(11, strings.Repeat("x", frameSize))
	text, places := d.read(Query{})
	if want := "two\nthree\nfour\n" + strings.Repeat("x", frameSize); text != want {
		t.Errorf("%d bytes, want %d", len(text), len(want))
	}
	if got, want := strings.Join(places, " "), fmt.Sprintf("alloc/logs/t.stdout.9@4 alloc/logs/t.stdout.10@6 alloc/logs/t.stdout.11@%d alloc/logs/t.stdout.11@%d", frameSize, frameSize+5); got != want {
		t.Errorf("frames %s, want %s", got, want)
	}
	if text, _ := d.read(Query{Offset: 6}); !strings.HasPrefix(text, "ree\nfour\n") {
		t.Errorf("from 6: %.20q", text)
	}
	if text, _ := d.read(Query{Offset: frameSize + 7, FromEnd: true}); !strings.HasPrefix(text, "e\nfour\nxx") {
		t.Errorf("from the end: %.20q", text)
	}
}

func TestNoTricks(t *testing.T) {
	d := newDir(t)
	secret := filepath.Join(d.path, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../secret", d.file(0)); err != nil {
		t.Fatal(err)
	}
	if text, _ := d.read(Query{}); text != "" {
		t.Errorf("a link was followed: %q", text)
	}
	// The whole directory as a link, which is only noticed when a file is opened.
	_ = os.RemoveAll(filepath.Join(d.path, "alloc", "logs"))
	_ = os.MkdirAll(filepath.Join(d.path, "other"), 0o755)
	_ = os.WriteFile(filepath.Join(d.path, "other", "t.stdout.0"), []byte("secret"), 0o600)
	_ = os.Symlink("../other", filepath.Join(d.path, "alloc", "logs"))
	err := Read(t.Context(), d.path, Query{Task: "t", Type: "stdout"}, func(f *n.StreamFrame) error {
		t.Errorf("read %q", f.Data)
		return nil
	})
	if !errs.Is(err, errs.Permission) {
		t.Error(err)
	}
}

func TestGone(t *testing.T) {
	for _, follow := range []bool{false, true} {
		err := Read(t.Context(), filepath.Join(t.TempDir(), "none"), Query{Follow: follow}, nil)
		if !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
	}
}

// following reads with Follow in the background.
func (d dir) following(q Query) (frames chan *n.StreamFrame, stop func() error) {
	q.Task, q.Type, q.Follow = "t", "stdout", true
	ctx, cancel := context.WithCancel(d.Context())
	frames, done := make(chan *n.StreamFrame, 1000), make(chan error, 1)
	go func() {
		done <- Read(ctx, d.path, q, func(f *n.StreamFrame) error { frames <- f; return nil })
	}()
	return frames, func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(5 * time.Second):
			d.Fatal("it goes on")
			return nil
		}
	}
}

// expect waits until the frames have said want.
func (d dir) expect(frames chan *n.StreamFrame, want string) (last *n.StreamFrame) {
	d.Helper()
	var got string
	for deadline := time.After(5 * time.Second); len(got) < len(want); {
		select {
		case last = <-frames:
			got += string(last.Data)
		case <-deadline:
			d.Fatalf("have %q, want %q", got, want)
		}
	}
	if got != want {
		d.Fatalf("have %q, want %q", got, want)
	}
	return last
}

func TestFollowAcrossRotation(t *testing.T) {
	d := newDir(t)
	frames, stop := d.following(Query{})
	time.Sleep(20 * time.Millisecond)
	d.add(0, "one\n") // the file did not exist before
	d.expect(frames, "one\n")
	d.add(0, "two\n")
	d.expect(frames, "two\n")
	// The end of a file and several new ones at once; the first is gone by then.
	d.add(0, "three\n")
	d.add(1, "four\n")
	_ = os.Remove(d.file(0))
	d.add(2, "five\n")
	last := d.expect(frames, "three\nfour\nfive\n")
	if last.File != "alloc/logs/t.stdout.2" || last.Offset != 5 {
		t.Errorf("at %s %d", last.File, last.Offset)
	}
	// Others' files do not matter.
	_ = os.WriteFile(filepath.Join(d.path, "alloc", "logs", "t.stderr.0"), []byte("no"), 0o644)
	// Truncated by somebody.
	_ = os.Truncate(d.file(2), 0)
	if f := <-frames; f.FileEvent != "file truncated" {
		t.Errorf("%+v", f)
	}
	d.add(2, "six\n")
	d.expect(frames, "six\n")
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFollowFromTheEnd(t *testing.T) {
	d := newDir(t)
	d.add(0, "one\ntwo\n")
	d.add(1, "three\n")
	frames, stop := d.following(Query{FromEnd: true, Offset: 10})
	d.expect(frames, "two\nthree\n")
	d.add(1, "four\n")
	d.expect(frames, "four\n")
	_ = stop()
}

func TestFollowEndsWithTheDirectory(t *testing.T) {
	d := newDir(t)
	d.add(0, "one\n")
	done := make(chan error, 1)
	seen := make(chan struct{})
	go func() {
		done <- Read(t.Context(), d.path, Query{Task: "t", Type: "stdout", Follow: true}, func(*n.StreamFrame) error { close(seen); return nil })
	}()
	<-seen
	time.Sleep(10 * time.Millisecond)
	_ = os.RemoveAll(d.path)
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it goes on")
	}
}

// A task that writes all the time while its files rotate: nothing is lost or
// said twice.
func TestFollowAWriter(t *testing.T) {
	d := newDir(t)
	var want strings.Builder
	frames, stop := d.following(Query{})
	for i := range 50 {
		for j := range 20 {
			line := fmt.Sprintf("%d.%d\n", i, j)
			d.add(i, line)
			want.WriteString(line)
		}
	}
	d.expect(frames, want.String())
	_ = stop()
}

// Where the kernel does not tell of changes, they are looked for.
func TestFollowBlind(t *testing.T) {
	d := newDir(t)
	d.add(0, "one\n")
	root, err := os.OpenRoot(d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	frames, done := make(chan *n.StreamFrame, 10), make(chan error, 1)
	r := &reader{root: root, dir: "alloc/logs", name: "t.stdout", buf: make([]byte, frameSize), send: func(f *n.StreamFrame) error { frames <- f; return nil }}
	go func() {
		defer r.close()
		done <- r.follow(t.Context(), Query{}, &watcher{dir: filepath.Join(d.path, r.dir)})
	}()
	d.expect(frames, "one\n")
	d.add(1, "two\n")
	d.expect(frames, "two\n")
	_ = os.RemoveAll(d.path)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
