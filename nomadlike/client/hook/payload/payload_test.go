package payload_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/snappy"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/hook/payload"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// TestPrestart writes payloads where tasks look for them, and nowhere else.
func TestPrestart(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    *n.DispatchPayload
		payload string
		want    string // below the task's local directory; "": nothing
		fails   bool
	}{
		{"a file", &n.DispatchPayload{File: "in.json"}, "hello", "in.json", false},
		{"in directories that are made", &n.DispatchPayload{File: "a/b/in.json"}, "hello", "a/b/in.json", false},
		{"no payload", &n.DispatchPayload{File: "in.json"}, "", "", false},
		{"no file", nil, "hello", "", false},
		{"outside", &n.DispatchPayload{File: "../../in.json"}, "hello", "", true},
		{"absolute", &n.DispatchPayload{File: "/tmp/in.json"}, "hello", "", true},
		{"a payload that is broken", &n.DispatchPayload{File: "in.json"}, broken, "", true},
		{"through a link", &n.DispatchPayload{File: "link/in.json"}, "hello", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tc := &drivers.TaskConfig{Name: "web", AllocDir: t.TempDir()}
			local, outside := tc.TaskDir().Local, t.TempDir()
			if err := os.MkdirAll(local, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, filepath.Join(local, "link")); err != nil {
				t.Fatal(err)
			}
			err := payload.Hook{}.Prestart(t.Context(), &n.Job{Payload: sent(c.payload)}, &n.Task{DispatchPayload: c.file}, tc, nil)
			if (err != nil) != c.fails {
				t.Error(err)
			}
			if c.want != "" {
				file := filepath.Join(local, c.want)
				b, err := os.ReadFile(file)
				if err != nil || string(b) != c.payload {
					t.Errorf("%q, %v", b, err)
				}
				if st, err := os.Stat(file); err == nil && st.Mode().Perm() != 0o777 {
					t.Errorf("its mode is %v", st.Mode())
				}
			}
			if entries, _ := os.ReadDir(outside); len(entries) > 0 {
				t.Errorf("it wrote outside: %v", entries)
			}
			if entries, _ := os.ReadDir(local); c.want == "" && len(entries) != 1 {
				t.Errorf("it wrote %v", entries)
			}
		})
	}
}

// broken is a payload that was not compressed.
const broken = "\xff\xff\xff"

// sent is a payload as servers send it.
func sent(payload string) []byte {
	switch payload {
	case "":
		return nil
	case broken:
		return []byte(broken)
	}
	return snappy.Encode(nil, []byte(payload))
}
