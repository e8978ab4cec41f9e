package feasible

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// ComputeClass returns a hash of everything that checks look at and that more
// than one node can have, so that nodes of one class need to be checked once.
func ComputeClass(node *n.Node) string {
	h := fnv.New64a()
	add := func(parts ...string) {
		for _, p := range parts {
			fmt.Fprintf(h, "%d:%s", len(p), p)
		}
	}
	addMap := func(m map[string]string) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !strings.HasPrefix(k, "unique.") {
				add(k, m[k])
			}
		}
		add("")
	}
	add(node.Datacenter, node.NodeClass, node.NodePool)
	addMap(node.Attributes)
	addMap(node.Meta)
	for _, name := range slices.Sorted(maps.Keys(node.Drivers)) {
		d := node.Drivers[name]
		add(name, fmt.Sprint(d.Detected && d.Healthy))
	}
	for _, d := range node.NodeResources.Devices {
		add(d.Vendor, d.Type, d.Name)
		addMap(d.Attributes)
	}
	return fmt.Sprintf("v1:%d", h.Sum64())
}
