package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// driver returns a driver by its name.
func (c *Config) driver(name string) (drivers.Driver, bool) {
	for _, d := range c.Drivers {
		if d.Info().Name == name {
			return d.Driver, true
		}
	}
	return nil, false
}

// configureDrivers gives every driver its configuration, and drops those that
// the operator does not want.
func (o *node) configureDrivers(ctx context.Context) error {
	c := o.config
	allow := option(c.Options, "driver.allowlist", "driver.whitelist")
	deny := option(c.Options, "driver.denylist", "driver.blacklist")
	c.Drivers = slices.DeleteFunc(slices.Clone(c.Drivers), func(d Driver) bool {
		name := d.Info().Name
		return slices.Contains(deny, name) || len(allow) > 0 && !slices.Contains(allow, name)
	})
	for _, d := range c.Drivers {
		name := d.Info().Name
		if err := o.configureDriver(ctx, d, name); err != nil {
			return fmt.Errorf("plugin %q: %w", name, err)
		}
		o.silent[name] = true
	}
	return nil
}

func (o *node) configureDriver(ctx context.Context, d Driver, name string) error {
	c := o.config
	conf := &base.Config{APIVersion: base.APIVersion}
	schema := d.ConfigSchema()
	switch {
	case schema != nil:
		encoded, diags := hclspec.Decode(schema, d.Config, nil)
		if err := hclspec.Err(diags); err != nil {
			return err
		}
		conf.Plugin = encoded
	case len(d.Config) > 0:
		return fmt.Errorf("it takes no config")
	}
	if err := d.SetConfig(ctx, conf); err != nil {
		return err
	}
	dir := c.driverDir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	conf.Agent = &base.AgentConfig{
		MinPort: uint(c.MinDynamicPort), MaxPort: uint(c.MaxDynamicPort), StateDir: dir, Cgroup: c.CgroupParent,
		TotalCompute: o.value.NodeResources.Cpu.CpuShares, ChrootEnv: c.ChrootEnv, DevMode: c.DevMode,
	}
	return d.SetConfig(ctx, conf)
}

// closeDrivers has the drivers let go of their tasks.
func (c *Client) closeDrivers() (err error) {
	for _, d := range c.config.Drivers {
		if closer, ok := d.Driver.(io.Closer); ok {
			if e := closer.Close(); e != nil {
				err = errors.Join(err, fmt.Errorf("close driver %s: %w", d.Info().Name, e))
			}
		}
	}
	return err
}

// watchDrivers takes what drivers say of themselves until ctx ends.
func (o *node) watchDrivers(ctx context.Context) {
	var all sync.WaitGroup
	for _, d := range o.config.Drivers {
		all.Go(func() { o.watchDriver(ctx, d.Driver, d.Info().Name) })
	}
	all.Wait()
}

// watchDriver asks again when a driver fails to tell.
func (o *node) watchDriver(ctx context.Context, d drivers.Driver, name string) {
	var failures backoff
	for {
		began := time.Now()
		stream, err := d.Fingerprint(ctx)
		if err == nil {
			for f := range stream {
				o.offers(name, f)
			}
			err = fmt.Errorf("it stopped telling what it offers")
		}
		if ctx.Err() != nil {
			return
		}
		o.config.Logger.Warn("a driver's state is not known", "driver", name, "error", err)
		o.offers(name, drivers.Fingerprint{Health: drivers.HealthUndetected, Description: err.Error()})
		if time.Since(began) > longestWait {
			failures.reset()
		}
		if !sleep(ctx, failures.next()) {
			return
		}
	}
}

// offers writes what a driver says into the node.
func (o *node) offers(name string, f drivers.Fingerprint) {
	o.change(func(v *n.Node) { offer(v, name, f, time.Now()) })
	o.spoke(name)
}

// offer writes what a driver says into a node. An unchanged state keeps its time.
func offer(v *n.Node, name string, f drivers.Fingerprint, now time.Time) {
	was := v.Drivers[name]
	is := &n.DriverInfo{
		Attributes: map[string]string{}, Detected: f.Health != drivers.HealthUndetected, Healthy: f.Health == drivers.HealthHealthy,
		HealthDescription: f.Description, UpdateTime: now,
	}
	if f.Err != nil {
		is.Healthy, is.HealthDescription = false, f.Err.Error()
	}
	if was != nil {
		for key := range was.Attributes {
			delete(v.Attributes, key)
		}
	}
	for key, value := range f.Attributes {
		if value == "" || !is.Detected {
			continue
		}
		is.Attributes[key], v.Attributes[key] = value, value
	}
	if is.Detected {
		// The two have always been written differently.
		is.Attributes["driver."+name], v.Attributes["driver."+name] = "true", "1"
	}
	if was != nil && was.Detected == is.Detected && was.Healthy == is.Healthy &&
		was.HealthDescription == is.HealthDescription && maps.Equal(was.Attributes, is.Attributes) {
		is.UpdateTime = was.UpdateTime
	}
	v.Drivers[name] = is
}
