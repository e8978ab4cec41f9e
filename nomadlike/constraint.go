package nomadlike

// Operators of constraints and affinities. "==" and "is" mean "=", "not" means
// "!=" and "set_contains_all" means "set_contains".
const (
	OpEqual            = "="
	OpNotEqual         = "!="
	OpLess             = "<"
	OpLessEqual        = "<="
	OpGreater          = ">"
	OpGreaterEqual     = ">="
	OpRegexp           = "regexp"
	OpVersion          = "version"
	OpSemver           = "semver"
	OpSetContains      = "set_contains"
	OpSetContainsAll   = "set_contains_all"
	OpSetContainsAny   = "set_contains_any"
	OpIsSet            = "is_set"
	OpIsNotSet         = "is_not_set"
	OpDistinctHosts    = "distinct_hosts"
	OpDistinctProperty = "distinct_property"
)

// A Constraint restricts the nodes that a job, group, task or device may use.
type Constraint struct {
	LTarget string `hcl:"attribute"`
	RTarget string `hcl:"value"`
	Operand string `hcl:"operator"`
}

func (c Constraint) String() string { return sentence(c.LTarget, c.Operand, c.RTarget) }

// An Affinity prefers, or with a negative weight avoids, nodes.
type Affinity struct {
	LTarget string `hcl:"attribute"`
	RTarget string `hcl:"value"`
	Operand string `hcl:"operator"`
	Weight  int8   // -100 to 100, not 0
}

func (a Affinity) String() string { return sentence(a.LTarget, a.Operand, a.RTarget) }

func sentence(l, op, r string) string {
	switch {
	case l == "":
		return op
	case r == "":
		return l + " " + op
	}
	return l + " " + op + " " + r
}

// A Spread distributes a job or group over the values of an attribute.
type Spread struct {
	Attribute    string
	Weight       int8           // 1 to 100
	SpreadTarget []SpreadTarget `hcl:"target"`
}

// A SpreadTarget is the part of the allocations meant for one value.
type SpreadTarget struct {
	Value   string `hcl:",label"`
	Percent uint8
}
