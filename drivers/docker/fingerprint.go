package docker

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// descriptionAway begins what is said of a node whose engine does not answer.
const descriptionAway = "Failed to connect to docker daemon"

// fingerprintPeriod is how often the engine is looked at when nothing happens.
const fingerprintPeriod = 30 * time.Second

// Fingerprint watches the engine. As long as it does, containers that nobody
// knows any more are looked for too.
func (d *Driver) Fingerprint(ctx context.Context) (<-chan drivers.Fingerprint, error) {
	if _, _, err := d.current(); err != nil {
		return nil, err
	}
	out := make(chan drivers.Fingerprint)
	go func() {
		defer close(out)
		var both sync.WaitGroup
		both.Go(func() { d.sweepEvery(ctx) })
		d.watchEngine(ctx, out)
		both.Wait()
	}()
	return out, nil
}

// watchEngine sends what changes.
func (d *Driver) watchEngine(ctx context.Context, out chan<- drivers.Fingerprint) {
	pause := backoff{least: time.Second, most: fingerprintPeriod}
	var last drivers.Fingerprint
	detected := false
	for first := true; ; first = false {
		e, err := d.look(ctx)
		if ctx.Err() != nil {
			return
		}
		detected = detected || err == nil
		f := d.fingerprint(e, err, detected)
		if first || f.Health != last.Health || f.Description != last.Description || !maps.Equal(f.Attributes, last.Attributes) {
			select {
			case out <- f:
			case <-ctx.Done():
				return
			}
			last = f
		}
		if err != nil {
			if !pause.wait(ctx) {
				return
			}
			continue
		}
		pause.reset()
		d.attend(ctx)
	}
}

// attend waits until the engine goes away, or for a while.
func (d *Driver) attend(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, fingerprintPeriod)
	defer cancel()
	r := d.client.Load().Events(ctx, client.EventsListOptions{Filters: make(client.Filters).Add("type", "daemon")})
	for {
		select {
		case <-r.Messages:
		case _ = <-r.Err:
			return
		}
	}
}

func (d *Driver) fingerprint(e *engineInfo, err error, detected bool) drivers.Fingerprint {
	f := drivers.Fingerprint{Health: drivers.HealthHealthy, Description: drivers.HealthyDescription, Attributes: map[string]string{}}
	switch {
	case err != nil && !detected:
		f.Health, f.Description = drivers.HealthUndetected, fmt.Sprintf("%s: %s", descriptionAway, err)
	case err != nil:
		f.Health, f.Description = drivers.HealthUnhealthy, fmt.Sprintf("%s: %s", descriptionAway, err)
	}
	conf, _, _ := d.current()
	for key, value := range attributes(conf, e) {
		f.Attributes["driver.docker"+key] = value
	}
	return f
}

// attributes are those of the node, empty where there is nothing to say.
func attributes(c *config, e *engineInfo) map[string]string {
	out := map[string]string{
		"": "", ".version": "", ".os_type": "", ".runtimes": "", ".bridge_ip": "",
		".privileged.enabled": "", ".volumes.enabled": "", ".pids.limit": "", ".cpuset_management.disabled": "",
	}
	if e == nil {
		return out
	}
	out[""], out[".version"], out[".os_type"] = "true", e.Version, e.OSType
	out[".runtimes"], out[".bridge_ip"] = strings.Join(e.Runtimes, ","), e.Bridge
	if c.AllowPrivileged {
		out[".privileged.enabled"] = "true"
	}
	if c.Volumes.Enabled {
		out[".volumes.enabled"] = "true"
	}
	if c.PidsLimit > 0 {
		out[".pids.limit"] = strconv.FormatInt(c.PidsLimit, 10)
	}
	if os.Geteuid() != 0 {
		out[".cpuset_management.disabled"] = "true"
	}
	return out
}
