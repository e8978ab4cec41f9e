package docker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// sweepEvery removes, now and then, containers of this agent that it knows
// nothing of: those of a start that was cut short or of state that was lost.
func (d *Driver) sweepEvery(ctx context.Context) {
	c, _, err := d.current()
	if err != nil || !c.GC.Dangling.Enabled {
		return
	}
	seen := map[string]time.Time{}
	ticker := time.NewTicker(c.GC.Dangling.Period.value())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if err := d.sweep(ctx, now, seen); err != nil {
				d.log.Debug("can not look for dangling containers", "error", err)
			}
		}
	}
}

// sweep removes the containers that are older than the grace period and, as
// noted in seen, were not known throughout it. An agent that has just begun
// does not know its tasks yet.
func (d *Driver) sweep(ctx context.Context, now time.Time, seen map[string]time.Time) error {
	conf, agent, err := d.current()
	if err != nil {
		return err
	}
	list, err := d.client.Load().ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelOwner+"="+owner(&agent)),
	})
	if err != nil {
		return err
	}
	grace := conf.GC.Dangling.Grace.value()
	there := map[string]bool{}
	for _, c := range list.Items {
		there[c.ID] = true
		if d.knows(c.Labels) || !conf.GC.Container && c.State == container.StateExited {
			delete(seen, c.ID)
			continue
		}
		first, ok := seen[c.ID]
		if !ok {
			first = now
			seen[c.ID] = now
		}
		if now.Sub(first) < grace || now.Sub(time.Unix(c.Created, 0)) < grace {
			continue
		}
		if conf.GC.Dangling.DryRun {
			d.log.Info("would remove a dangling container", "container", c.ID, "names", c.Names)
			continue
		}
		if err := d.reap(ctx, c.ID, c.Labels); err != nil {
			d.log.Warn("can not remove a dangling container", "container", c.ID, "error", err)
			continue
		}
		delete(there, c.ID)
	}
	for id := range seen {
		if !there[id] {
			delete(seen, id)
		}
	}
	return d.sweepCursors(agent.StateDir, there)
}

// knows reports whether a container belongs to what the driver runs.
func (d *Driver) knows(labels map[string]string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id := labels[labelTask]; id != "" {
		return d.tasks[id] != nil
	}
	alloc := labels[labelNetwork]
	if d.networks[alloc] {
		return true
	}
	for _, t := range d.tasks {
		if t.config.AllocID == alloc {
			return true
		}
	}
	return false
}

// reap removes a container whose task nobody can take up meanwhile.
func (d *Driver) reap(ctx context.Context, container string, labels map[string]string) error {
	if id := labels[labelTask]; id != "" {
		if _, err := d.claim(&drivers.TaskConfig{ID: id}); err != nil {
			return nil // it is known after all
		}
		defer d.drop(id)
	} else if d.knows(labels) {
		return nil
	}
	d.log.Info("removing a dangling container", "container", container, "task_id", labels[labelTask], "alloc_id", labels[labelAllocID])
	return d.remove(ctx, container)
}

// sweepCursors removes the cursors of containers that are gone.
func (d *Driver) sweepCursors(stateDir string, there map[string]bool) error {
	dir := filepath.Dir(cursorPath(stateDir, "x"))
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	used := map[string]bool{}
	d.mu.Lock()
	for _, t := range d.tasks {
		if t.ready {
			used[t.container] = true
		}
	}
	d.mu.Unlock()
	for _, n := range names {
		st, err := n.Info()
		// A container may have been made since they were listed.
		if err == nil && !there[n.Name()] && !used[n.Name()] && time.Since(st.ModTime()) > leastGrace {
			_ = os.Remove(filepath.Join(dir, n.Name()))
		}
	}
	return nil
}
