// Package feasible decides whether a node can run a group at all: constraints,
// drivers, networks. It is pure. Each rule is a Check, registered by name; the
// reasons it gives are those that operators read in placement metrics.
//
// A rule more is a Check that is registered before any scheduling:
//
//	feasible.Register(feasible.Check{Name: "owner", Make: owner})
//
// Make is called once for each job and once for each of its groups, and returns a Test
// of nodes, or nil where nothing is asked for. A Test that looks at nothing but what
// ComputeClass covers says so with perClass, and is then asked once for each class of
// nodes in place of once for each node.
package feasible

import (
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Resolve returns what a constraint's target stands for on a node. Text that is
// no interpolation stands for itself; ok tells whether it exists there.
func Resolve(node *n.Node, target string) (value string, ok bool) {
	name, is := interpolation(target)
	if !is {
		return target, true
	}
	switch name {
	case "node.unique.id":
		return string(node.ID), true
	case "node.unique.name":
		return node.Name, true
	case "node.datacenter":
		return node.Datacenter, true
	case "node.class":
		return node.NodeClass, true
	case "node.pool":
		return node.NodePool, true
	}
	if key, is := strings.CutPrefix(name, "attr."); is {
		value, ok = node.Attributes[key]
	} else if key, is := strings.CutPrefix(name, "meta."); is {
		value, ok = node.Meta[key]
	}
	return value, ok
}

func interpolation(target string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(target, "${"); ok {
		return strings.TrimSuffix(name, "}"), true
	}
	return "", false
}

// escapes reports a target whose value differs between nodes of one class.
func Escapes(target string) bool {
	name, _ := interpolation(target)
	for _, prefix := range []string{"node.unique.", "attr.unique.", "meta.unique.", "unique."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
