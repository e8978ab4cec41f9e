package simulate

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

const before = `
nodes "a" {
  count = 3
}
job "api" {
  group "g" {
    count = 5
    task "t" {
      driver = "docker"
    }
  }
}
job "batch" {
  type = "batch"
  group "g" {
    count = 2
    task "t" {
      driver = "docker"
    }
  }
}
`

const after = `
event "node_down" {
  nodes = "dc1"
  count = 1
}
event "job_scaled" {
  job   = "api"
  count = 7
}
`

func tell(t *testing.T, c *Cluster, src string) *Report {
	t.Helper()
	s, err := Parse("story.hcl", []byte(src), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Tell(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// cluster is one of its own: with another's seed it would give out the same ids.
func cluster(t *testing.T, seed uint64) *Cluster {
	c := New(Options{Seed: seed})
	t.Cleanup(c.Close)
	return c
}

// goesOn tells what comes next, on a cluster that was loaded.
func goesOn(t *testing.T, c *Cluster) {
	t.Helper()
	r := tell(t, c, after)
	if loaded := r.Steps[0]; loaded.Placed+loaded.Stopped+loaded.Lost+loaded.Waiting > 0 {
		t.Errorf("to load it changes something: %+v", loaded)
	}
	running := map[n.JobID]int{}
	for _, g := range r.Groups {
		running[g.JobID] = g.Running
	}
	if running["api"] != 7 || running["batch"] != 2 {
		t.Errorf("running: %v", running)
	}
}

// TestSnapshot goes on where a server's snapshot ends, in each of its forms.
func TestSnapshot(t *testing.T) {
	first := cluster(t, 1)
	tell(t, first, before)
	save, err := first.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var state, archive bytes.Buffer
	if err := save(&state); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&archive)
	tw := tar.NewWriter(z)
	for name, content := range map[string][]byte{"meta.json": []byte("{}"), stateFile: state.Bytes()} {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	tw.Close()
	z.Close()
	dir := t.TempDir()
	for name, content := range map[string][]byte{stateFile: state.Bytes(), "backup.snap": archive.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{dir, filepath.Join(dir, stateFile), filepath.Join(dir, "backup.snap")} {
		r, err := OpenSnapshot(name)
		if err != nil {
			t.Fatal(err)
		}
		c := cluster(t, 2)
		if err := c.Restore(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
		goesOn(t, c)
	}
}

// TestLoad goes on with what the API tells.
func TestLoad(t *testing.T) {
	first := cluster(t, 1)
	tell(t, first, before)
	v := first.View()
	from := &Copy{Config: v.SchedulerConfig()}
	for node := range v.AllNodes(nil, "") {
		from.Nodes = append(from.Nodes, clone(node))
	}
	for job := range v.Jobs(nil, n.AllNamespaces, "") {
		from.Jobs = append(from.Jobs, clone(job))
	}
	allocs := slices.Collect(v.AllAllocs(nil, ""))
	for _, a := range allocs {
		from.Allocs = append(from.Allocs, clone(a))
	}
	from.Jobs[0].Version = 3 // the newest, of which some allocations are
	for i, a := range from.Allocs {
		if a.JobID == from.Jobs[0].ID {
			a.JobVersion = uint64(i)
		}
		if a.JobID == "batch" && a.Index() == 0 {
			a.ClientStatus = n.ClientComplete // it is not to run again
		}
	}
	c := cluster(t, 2)
	if err := c.Load(from); err != nil {
		t.Fatal(err)
	}
	r := tell(t, c, after)
	running := map[n.JobID]int{}
	for _, g := range r.Groups {
		running[g.JobID] = g.Running
	}
	if running["api"] != 7 || running["batch"] != 1 || r.Steps[0].Placed+r.Steps[0].Stopped > 0 {
		t.Errorf("running: %v; %+v", running, r.Steps)
	}
}

func clone[T any](v *T) *T { c := *v; return &c }

// TestExample tells the story of the examples, in which all finds a place.
func TestExample(t *testing.T) {
	const name = "../../../examples/simulate.hcl"
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(name, src, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Tell(cluster(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Groups {
		if g.Running != g.Asked || g.Waiting > 0 {
			t.Errorf("%s: %d of %d run", g.JobID, g.Running, g.Asked)
		}
		if g.JobID == "crunch" && len(g.On) != 1 {
			t.Errorf("%s runs on %v, and not on the cheapest alone", g.JobID, g.On)
		}
	}
}
