package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// A container joins the network of another, not a bare namespace. So for each
// allocation with a network of its own there is a pause container that does
// nothing but hold it.

func pauseName(allocID string) string { return "nomad_init_" + allocID }

// networkUser is who uses the image of a pause container.
func networkUser(allocID string) string { return "network/" + allocID }

// CreateNetwork makes the pause container of an allocation, or finds it.
func (d *Driver) CreateNetwork(ctx context.Context, allocID, hostname string) (*drivers.NetworkIsolation, bool, error) {
	conf, agent, err := d.current()
	if err != nil {
		return nil, false, err
	}
	if conf.InfraImage == "" {
		return nil, false, errors.New("the docker plugin's infra_image is not set: name an image that waits for ever, such as the pause image of your registry")
	}
	d.noteNetwork(allocID, true)
	c, created, err := d.pause(ctx, conf, owner(&agent), allocID, hostname)
	if err != nil {
		d.noteNetwork(allocID, false)
		d.images.release(networkUser(allocID))
		return nil, false, fmt.Errorf("create the network of allocation %s: %w", allocID, err)
	}
	spec := &drivers.NetworkIsolation{
		Mode: drivers.NetworkGroup, Path: c.NetworkSettings.SandboxKey, Labels: map[string]string{sandboxContainer: c.ID},
	}
	if hostname != "" {
		spec.Labels[sandboxHostname] = hostname
	}
	return spec, created, nil
}

func (d *Driver) noteNetwork(allocID string, there bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if there {
		d.networks[allocID] = true
	} else {
		delete(d.networks, allocID)
	}
}

// pause has the pause container running and says whether its network is new.
func (d *Driver) pause(ctx context.Context, conf *config, owner, allocID, hostname string) (*container.InspectResponse, bool, error) {
	c, err := d.inspect(ctx, pauseName(allocID))
	if err == nil && c.State.Running && c.Config.Labels[labelNetwork] == allocID {
		if _, err := d.images.acquire(ctx, c.Image, networkUser(allocID)); err != nil {
			return nil, false, err
		}
		return c, false, complete(c)
	}
	switch {
	case err == nil:
		if err := d.remove(ctx, c.ID); err != nil {
			return nil, false, err
		}
	case !cerrdefs.IsNotFound(err):
		return nil, false, err
	}
	image, err := d.images.ensure(ctx, imageRequest{
		name: conf.InfraImage, user: networkUser(allocID), timeout: conf.InfraImagePullTimeout.value(), stalled: conf.PullActivityTimeout.value(),
		auth: func(ctx context.Context, named reference.Named) (string, error) {
			return (&spec{plugin: conf, task: &taskConfig{AuthSoftFail: true}}).credentials(ctx, named)
		},
		event: func(string, map[string]string) {},
	})
	if err != nil {
		return nil, false, fmt.Errorf("infra_image: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shortOperation)
	defer cancel()
	made, err := d.client.Load().ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: pauseName(allocID),
		Config: &container.Config{
			Image: image, Hostname: hostname,
			Labels: map[string]string{labelAllocID: allocID, labelNetwork: allocID, labelOwner: owner},
		},
		HostConfig: &container.HostConfig{
			NetworkMode: "none", RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyUnlessStopped},
			LogConfig: container.LogConfig{Type: conf.Logging.Type, Config: conf.Logging.Config},
		},
	})
	if err != nil {
		return nil, false, err
	}
	if _, err := d.client.Load().ContainerStart(ctx, made.ID, client.ContainerStartOptions{}); err != nil {
		_ = d.remove(ctx, made.ID)
		return nil, false, err
	}
	if c, err = d.inspect(ctx, made.ID); err == nil {
		err = complete(c)
	}
	if err != nil {
		_ = d.remove(ctx, made.ID)
	}
	return c, true, err
}

// complete checks that a pause container has a network to join.
func complete(c *container.InspectResponse) error {
	if !c.State.Running || c.NetworkSettings == nil || c.NetworkSettings.SandboxKey == "" {
		return fmt.Errorf("container %s does not hold a network: it is %s, exit code %d; infra_image must be of a program that only waits",
			c.ID, c.State.Status, c.State.ExitCode)
	}
	return nil
}

// DestroyNetwork removes the pause container of an allocation. Doing so again
// is no error.
func (d *Driver) DestroyNetwork(ctx context.Context, allocID string, _ *drivers.NetworkIsolation) error {
	if _, _, err := d.current(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c, err := d.inspect(ctx, pauseName(allocID))
	if err == nil && c.Config.Labels[labelNetwork] == allocID {
		err = d.remove(ctx, c.ID)
	}
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("destroy the network of allocation %s: %w", allocID, err)
	}
	d.noteNetwork(allocID, false)
	d.images.release(networkUser(allocID))
	return nil
}
