package client

import (
	"context"
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/fingerprint"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// node is what is known of this node: what was found once, and what drivers say.
// A value that it has handed out never changes.
type node struct {
	config *Config

	mu      sync.Mutex
	value   *n.Node
	told    bool // the servers have it
	silent  map[string]bool
	settled chan struct{} // closed once every driver has spoken
	changed chan struct{} // holds a token after a change
}

// newNode looks at the host and configures the drivers.
func newNode(ctx context.Context, c *Config, id n.NodeID) (*node, error) {
	o := &node{config: c, settled: make(chan struct{}), changed: make(chan struct{}, 1), silent: map[string]bool{}}
	cores, err := fingerprint.ParseSet(c.Reserved.Cores)
	if err != nil {
		return nil, fmt.Errorf("client.reserved.cores: %w", err)
	}
	v := fingerprint.Look(ctx, fingerprint.Config{
		AllocDir: c.AllocDir, Interface: c.NetworkInterface, Loopback: c.DevMode, NetworkSpeed: c.NetworkSpeed,
		TotalCompute: c.CPUTotalCompute, ReservedMHz: c.Reserved.CPU, ReservedCores: cores,
		MemoryMB: c.MemoryTotalMB, DiskMB: c.DiskTotalMB, CgroupParent: c.CgroupParent, HTTPAddr: c.HTTPAddr, Revision: c.Revision,
		Allow: option(c.Options, "fingerprint.allowlist", "fingerprint.whitelist"),
		Deny:  option(c.Options, "fingerprint.denylist", "fingerprint.blacklist"),
	}, c.Logger)
	hostname, _ := os.Hostname()
	fill(&c.Name, hostname)
	v.ID, v.Datacenter, v.Name, v.NodeClass, v.NodePool = id, c.Datacenter, c.Name, c.NodeClass, c.NodePool
	v.HTTPAddr, v.TLSEnabled, v.Meta = c.HTTPAddr, c.HTTPS, maps.Clone(c.Meta)
	v.Status, v.Drivers = n.NodeInitializing, map[string]*n.DriverInfo{}
	v.NodeResources.MinDynamicPort, v.NodeResources.MaxDynamicPort = c.MinDynamicPort, c.MaxDynamicPort
	v.ReservedResources = n.ReservedResources{
		Cpu:      n.ReservedCPU{CpuShares: uint64(c.Reserved.CPU), ReservedCpuCores: cores},
		Memory:   n.NodeMemory{MemoryMB: int64(c.Reserved.Memory)},
		Disk:     n.NodeDisk{DiskMB: int64(c.Reserved.Disk)},
		Networks: n.ReservedNetworks{ReservedHostPorts: c.Reserved.Ports},
	}
	o.value = v
	if err := o.configureDrivers(ctx); err != nil {
		return nil, err
	}
	if len(o.silent) == 0 {
		close(o.settled)
	}
	return o, nil
}

// option reads a list from the client's options, under its name or an older one.
func option(options map[string]string, names ...string) []string {
	for _, name := range names {
		if v := options[name]; v != "" {
			return fingerprint.List(v)
		}
	}
	return nil
}

// now is the node as it is. It is not to be changed.
func (o *node) now() *n.Node {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.value
}

// take is now, for the servers.
func (o *node) take() *n.Node {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = true
	return o.value
}

// untake says that the servers did not get what was taken.
func (o *node) untake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = false
}

func (o *node) untold() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.told
}

// change makes a new value of the node and has it told if it differs.
func (o *node) change(fn func(*n.Node)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := walk.Clone(o.value)
	fn(next)
	if walk.Equal(o.value, next) {
		return
	}
	o.value, o.told = next, false
	o.wake()
}

// remind has the node told if the servers do not have it as it is.
func (o *node) remind() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.told {
		o.wake()
	}
}

func (o *node) wake() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// spoke notes that a driver has said what it offers.
func (o *node) spoke(driver string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.silent[driver] {
		if delete(o.silent, driver); len(o.silent) == 0 {
			close(o.settled)
		}
	}
}

// settle waits until all drivers have spoken, for a while.
func (o *node) settle(ctx context.Context, patience time.Duration) {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-o.settled:
	case <-t.C:
	case <-ctx.Done():
	}
}
