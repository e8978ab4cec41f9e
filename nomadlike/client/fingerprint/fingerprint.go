// Package fingerprint finds out what a node is and has: its processors, memory,
// disk, addresses and system, as the attributes and resources that jobs and the
// scheduler know. It looks once when asked. What drivers offer is theirs to say.
package fingerprint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Config is what the operator said of the node. Zero values are measured.
type Config struct {
	AllocDir      string // whose disk counts
	Interface     string // empty: that of the default route, or loopback if Loopback is set
	Loopback      bool
	NetworkSpeed  int // Mbit/s
	TotalCompute  int // MHz
	ReservedMHz   int
	ReservedCores []uint16
	MemoryMB      int
	DiskMB        int
	CgroupParent  string
	HTTPAddr      string
	Revision      string
	Allow, Deny   []string // names of fingerprinters; an empty Allow allows all
}

// A fingerprinter looks at one side of the node and writes what it finds into
// it. An error says what could not be found out; what was found stays.
type fingerprinter struct {
	name string
	look func(context.Context, *Config, *n.Node) error
}

// all are the fingerprinters in their order. A new one is a line here.
var all = []fingerprinter{
	{"arch", arch},
	{"cgroup", cgroup},
	{"cpu", cpu},
	{"host", host},
	{"landlock", landlock},
	{"memory", memory},
	{"network", network},
	{"nomad", version},
	{"signal", signals},
	{"storage", storage},
}

// Look returns a node with all that could be found out.
func Look(ctx context.Context, c Config, log hclog.Logger) *n.Node {
	node := &n.Node{Attributes: map[string]string{}}
	for _, f := range all {
		if !c.allows(f.name) {
			continue
		}
		if err := f.look(ctx, &c, node); err != nil {
			log.Warn("a fingerprint is not complete", "fingerprint", f.name, "error", err)
		}
	}
	return node
}

func (c *Config) allows(name string) bool {
	return !slices.Contains(c.Deny, name) && (len(c.Allow) == 0 || slices.Contains(c.Allow, name))
}

// List reads names separated by commas.
func List(s string) []string {
	var out []string
	for _, name := range strings.Split(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func version(_ context.Context, c *Config, node *n.Node) error {
	node.Attributes["nomad.version"] = n.CompatibilityVersion
	if c.Revision != "" {
		node.Attributes["nomad.revision"] = c.Revision
	}
	if c.HTTPAddr != "" {
		node.Attributes["unique.advertise.address"] = c.HTTPAddr
	}
	return nil
}

// put writes an attribute that has a value.
func put(node *n.Node, name string, value any) {
	if s := fmt.Sprint(value); s != "" && s != "0" {
		node.Attributes[name] = s
	}
}
