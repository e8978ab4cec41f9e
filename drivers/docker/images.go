package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/hashicorp/go-hclog"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// images knows who uses which image, and has those removed that nobody has used
// for a while.
type images struct {
	engine func() *client.Client
	log    hclog.Logger
	pulls  pulls

	mu    sync.Mutex
	used  map[string]*image // by the image's id
	keep  bool              // gc.image is false
	delay time.Duration
}

type image struct {
	users    map[string]bool // ids of tasks
	unused   *time.Timer     // nil while used
	removing chan struct{}   // not nil while it is removed; closed then
}

// configure says what becomes of images that nobody uses.
func (m *images) configure(c *gcConfig) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep, m.delay = !c.Image, c.ImageDelay.value()
}

// acquire notes that a task uses an image. It waits for a removal under way,
// and then returns false: the image may be gone.
func (m *images) acquire(ctx context.Context, id, task string) (bool, error) {
	m.mu.Lock()
	one := m.used[id]
	if one != nil && one.removing != nil {
		removed := one.removing
		m.mu.Unlock()
		select {
		case <-removed:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	defer m.mu.Unlock()
	if one == nil {
		one = &image{users: map[string]bool{}}
		if m.used == nil {
			m.used = map[string]*image{}
		}
		m.used[id] = one
	}
	if one.unused != nil {
		one.unused.Stop()
		one.unused = nil
	}
	one.users[task] = true
	return true, nil
}

// release notes that a task uses no image any more.
func (m *images) release(task string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, one := range m.used {
		if !one.users[task] {
			continue
		}
		delete(one.users, task)
		if len(one.users) > 0 {
			continue
		}
		if m.keep {
			delete(m.used, id)
			continue
		}
		one.unused = time.AfterFunc(m.delay, func() { m.remove(id) })
	}
}

// removeTries is how often the removal of an image is tried.
const removeTries = 3

// remove removes an image that nobody uses.
func (m *images) remove(id string) {
	m.mu.Lock()
	one := m.used[id]
	if one == nil || len(one.users) > 0 || one.removing != nil {
		m.mu.Unlock()
		return
	}
	one.removing = make(chan struct{})
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.used, id)
		close(one.removing)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), shortOperation)
	defer cancel()
	pause := backoff{least: time.Second, most: 10 * time.Second}
	for try := 1; ; try++ {
		err := m.removeTags(ctx, id)
		if err == nil || cerrdefs.IsNotFound(err) {
			m.log.Debug("removed an unused image", "image", id)
			return
		}
		// In use by a container that is not ours, most likely.
		if try == removeTries || cerrdefs.IsConflict(err) || !pause.wait(ctx) {
			m.log.Debug("an unused image stays", "image", id, "error", err)
			return
		}
	}
}

// removeTags removes an image under all of its names.
func (m *images) removeTags(ctx context.Context, id string) error {
	found, err := m.engine().ImageInspect(ctx, id)
	if err != nil {
		return err
	}
	names := found.RepoTags
	if len(names) <= 1 {
		names = []string{id}
	}
	for _, name := range names {
		if _, err := m.engine().ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true}); err != nil && !cerrdefs.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// imageRequest is the image that a task wants.
type imageRequest struct {
	name    string // as the task writes it
	force   bool
	user    string // the task's id
	load    string // an archive on this machine to be imported first
	auth    func(context.Context, reference.Named) (string, error)
	timeout time.Duration
	stalled time.Duration
	event   func(message string, annotations map[string]string)
}

// ensure has the image on the engine, used by the task, and returns its id.
func (m *images) ensure(ctx context.Context, r imageRequest) (string, error) {
	named, err := parseImage(r.name)
	if err != nil {
		return "", err
	}
	if r.load != "" {
		if err := m.load(ctx, r.load); err != nil {
			return "", fmt.Errorf("load %s: %w", r.load, err)
		}
	}
	for force := r.load == "" && (r.force || isLatest(named)); ; {
		id, err := m.present(ctx, r.name, r.user)
		switch {
		case err != nil && !cerrdefs.IsNotFound(err):
			return "", transient(fmt.Errorf("inspect image %s: %w", r.name, err))
		case err == nil && !force:
			return id, nil
		case r.load != "":
			return "", fmt.Errorf("image %q is not in the archive %s", r.name, filepath.Base(r.load))
		}
		if err := m.pull(ctx, named, r); err != nil {
			m.release(r.user)
			return "", err
		}
		force = false
	}
}

// present looks whether an image is there and marks it used if so.
func (m *images) present(ctx context.Context, name, user string) (string, error) {
	for {
		found, err := m.engine().ImageInspect(ctx, name)
		if err != nil {
			return "", err
		}
		ok, err := m.acquire(ctx, found.ID, user)
		if err != nil {
			return "", err
		}
		if !ok {
			continue // it was being removed
		}
		// Whoever removed it before we said that we use it is done by now.
		if _, err := m.engine().ImageInspect(ctx, found.ID); err != nil {
			m.release(user)
			return "", err
		}
		return found.ID, nil
	}
}

// notFound are the words of a pull that will not work later either.
var notFound = regexp.MustCompile(`(?i)Error: image .+ not found|manifest for .+ not found|manifest unknown|repository does not exist|` +
	`invalid reference format|no matching manifest`)

func (m *images) pull(ctx context.Context, named reference.Named, r imageRequest) error {
	auth, err := r.auth(ctx, named)
	if err != nil {
		return err
	}
	r.event("Downloading image", map[string]string{"image": r.name})
	err = m.pulls.pull(ctx, pullRequest{
		cli: m.engine(), key: pullKey{ref: named.String(), auth: auth}, timeout: r.timeout, activity: r.stalled,
		progress: func(message string) { r.event(message, nil) },
	})
	if err == nil {
		return nil
	}
	err = fmt.Errorf("Failed to pull `%s`: %w", r.name, err) //nolint:staticcheck // users know the words
	if ctx.Err() != nil || cerrdefs.IsInvalidArgument(err) || notFound.MatchString(err.Error()) {
		return err
	}
	return drivers.Recoverable(err)
}

// load imports the images of an archive.
func (m *images) load(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	out, err := m.engine().ImageLoad(ctx, f, client.ImageLoadWithQuiet(true))
	if err != nil {
		return transient(err)
	}
	defer out.Close()
	for decoder := json.NewDecoder(out); ; {
		var m jsonstream.Message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return transient(err)
		case m.Error != nil:
			return m.Error
		}
	}
}

// parseImage completes an image's name as the engine does.
func parseImage(name string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", name, err)
	}
	return reference.TagNameOnly(named), nil
}

// isLatest reports whether an image's name stands for another image every day.
func isLatest(named reference.Named) bool {
	if _, ok := named.(reference.Digested); ok {
		return false
	}
	tagged, ok := named.(reference.Tagged)
	return ok && tagged.Tag() == "latest"
}

// transient marks errors of an engine that is away or busy as ones that may
// pass.
func transient(err error) error {
	if away(err) && !strings.Contains(err.Error(), "is not supported by") {
		return drivers.Recoverable(err)
	}
	return err
}
