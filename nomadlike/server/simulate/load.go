package simulate

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
)

// stateFile is what the state is called in a snapshot.
const stateFile = "state.bin"

// OpenSnapshot opens the state in a snapshot: a directory below raft/snapshots of a
// server's data directory, an archive of one, or the state alone.
func OpenSnapshot(name string) (io.ReadCloser, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, stateFile)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(f)
	inside := io.Reader(r)
	if magic, err := r.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if inside, err = unpack(r); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{inside, f}, nil
}

// unpack finds the state in an archive.
func unpack(r io.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the archive has no " + stateFile)
		}
		if err != nil {
			return nil, err
		}
		if path.Base(h.Name) == stateFile {
			return t, nil
		}
	}
}

// Restore makes a server's state the cluster's.
func (c *Cluster) Restore(r io.Reader) error {
	if err := c.store.Restore(r); err != nil {
		return err
	}
	c.index = max(c.index, c.View().Index())
	return nil
}

// A Copy is what the API tells of a cluster.
type Copy struct {
	Nodes  []*n.Node
	Jobs   []*n.Job
	Allocs []*n.Allocation
	Config *n.SchedulerConfiguration
}

// Load makes a copy the cluster's state, and has its jobs looked at. What runs counts as
// of the newest version of its job, and deployments count as done: both have no history
// here.
func (c *Cluster) Load(from *Copy) error {
	if from.Config != nil {
		if err := c.Configure(*from.Config); err != nil {
			return err
		}
	}
	for _, node := range from.Nodes {
		status := node.Status
		if err := commit(c, state.RegisterNode, &state.NodeRegister{Node: node, SecretID: string(node.ID), Now: c.now.UnixNano(), Seed: c.chance()}); err != nil {
			return err
		}
		if status != n.NodeInitializing {
			if err := c.NodeStatus(node.ID, status); err != nil {
				return err
			}
		}
	}
	versions := map[n.JobKey]uint64{}
	for _, job := range from.Jobs {
		if job.Stop {
			continue
		}
		versions[job.Key()] = job.Version
		command := &state.JobRegister{Job: job, Now: c.now.UnixNano()}
		if !job.IsPeriodic() && !job.IsParameterized() {
			command.Eval = c.Eval(job, n.TriggerJobRegister)
		}
		if err := commit(c, state.RegisterJob, command); err != nil {
			return err
		}
	}
	places := &state.PlanApply{Now: c.now.UnixNano()}
	for _, a := range from.Allocs {
		if version, known := versions[a.JobKey()]; known && (!a.Terminal() || a.JobVersion == version) {
			a.JobVersion, a.DeploymentID, a.DeploymentStatus, a.PreviousAllocation, a.CreateIndex = 0, "", nil, "", 0
			places.Places = append(places.Places, a)
		}
	}
	defer func() { c.tally = tally{} }() // nothing of it was decided here
	return commit(c, state.ApplyPlan, places)
}
