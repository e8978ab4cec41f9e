package feasible

import (
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func TestMatch(t *testing.T) {
	const absent = "\x00"
	for _, c := range []struct {
		l, op, r string
		want     bool
	}{
		{"a", "=", "a", true}, {"a", "==", "a", true}, {"a", "is", "b", false}, {absent, "=", "", false},
		{"a", "!=", "b", true}, {"a", "not", "a", false}, {absent, "!=", "a", true}, {absent, "!=", absent, false},
		{"a", "is_set", "", true}, {absent, "is_set", "", false}, {absent, "is_not_set", "", true}, {"", "is_set", "", true},

		// Numbers as numbers, the rest as text.
		{"9", "<", "10", true}, {"9.5", "<", "10", true}, {"a9", "<", "a10", false}, {"10", ">=", "10", true}, {"10", "<=", "9", false},
		{"-1", ">", "-2", true}, {absent, "<", "1", false},

		{"linux-5.10", "regexp", "^linux-[0-9]+", true}, {"x", "regexp", "(", false},

		{"1.2.3", "version", ">= 1.2, < 2.0", true}, {"2.0.0", "version", ">= 1.2, < 2.0", false}, {"1.3.0-beta1", "version", ">= 1.2", false},
		{"1.7", "version", "~> 1.5", true}, {"2.1", "version", "~> 1.5", false}, {"none", "version", ">= 1", false}, {"1", "version", "newest", false},

		{"1.3.0-beta1", "semver", ">= 1.2.0", true}, {"1.3.0-beta1", "semver", "< 1.3.0", true}, {"1.2.0", "semver", "~> 1.1", false}, {"1.2.3", "semver", "= 1.2.3", true},

		{"a, b,c", "set_contains", "c,a", true}, {"a,b", "set_contains", "a,d", false}, {"a,b", "set_contains_all", "b", true},
		{"a,b", "set_contains_any", "d,b", true}, {"a,b", "set_contains_any", "d", false}, {absent, "set_contains_any", "a", false},

		{"a", "like", "a", false},
	} {
		if got := Match(c.op, c.l, c.l != absent, c.r, c.r != absent); got != c.want {
			t.Errorf("%q %s %q: %v", c.l, c.op, c.r, got)
		}
	}
}

func TestResolve(t *testing.T) {
	node := &n.Node{
		ID: "id", Name: "name", Datacenter: "dc", NodeClass: "class", NodePool: "pool",
		Attributes: map[string]string{"cpu.arch": "amd64"}, Meta: map[string]string{"rack": "r1"},
	}
	for target, want := range map[string]string{
		"${node.unique.id}": "id", "${node.unique.name}": "name", "${node.datacenter}": "dc", "${node.class}": "class", "${node.pool}": "pool",
		"${attr.cpu.arch}": "amd64", "${meta.rack}": "r1", "text": "text",
	} {
		if got, ok := Resolve(node, target); got != want || !ok {
			t.Errorf("%s: %q, %v", target, got, ok)
		}
	}
	for _, target := range []string{"${attr.nonesuch}", "${meta.nonesuch}", "${nonesuch.x}"} {
		if got, ok := Resolve(node, target); ok {
			t.Errorf("%s: %q", target, got)
		}
	}
}

// TestComputedClass changes with what feasibility looks at, and only with that.
func TestComputedClass(t *testing.T) {
	fresh := func() *n.Node {
		return &n.Node{ID: "a", Datacenter: "dc", Attributes: map[string]string{"cpu.arch": "amd64", "unique.hostname": "a"}, Meta: map[string]string{"rack": "r"}}
	}
	class := ComputeClass(fresh())
	for name, c := range map[string]struct {
		change func(*n.Node)
		same   bool
	}{
		"id":               {func(x *n.Node) { x.ID = "b" }, true},
		"unique attribute": {func(x *n.Node) { x.Attributes["unique.hostname"] = "b" }, true},
		"status":           {func(x *n.Node) { x.Status = n.NodeDown }, true},
		"attribute":        {func(x *n.Node) { x.Attributes["cpu.arch"] = "arm64" }, false},
		"meta":             {func(x *n.Node) { x.Meta["rack"] = "s" }, false},
		"datacenter":       {func(x *n.Node) { x.Datacenter = "dc2" }, false},
		"class":            {func(x *n.Node) { x.NodeClass = "c" }, false},
	} {
		x := fresh()
		c.change(x)
		if (ComputeClass(x) == class) != c.same {
			t.Errorf("%s: same class: %v", name, !c.same)
		}
	}
}
