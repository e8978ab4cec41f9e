package feasible

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-version"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Constraint reports whether a node satisfies a constraint. Those about the
// node's other allocations (distinct_hosts, distinct_property) always do here.
func Constraint(node *n.Node, c n.Constraint) bool {
	if c.Operand == n.OpDistinctHosts || c.Operand == n.OpDistinctProperty {
		return true
	}
	return matches(node, c.LTarget, c.Operand, c.RTarget)
}

// Affinity reports whether a node is what an affinity prefers.
func Affinity(node *n.Node, a n.Affinity) bool { return matches(node, a.LTarget, a.Operand, a.RTarget) }

func matches(node *n.Node, l, operand, r string) bool {
	lv, lok := Resolve(node, l)
	rv, rok := Resolve(node, r)
	return Match(operand, lv, lok, rv, rok)
}

// Match compares two values; lok and rok tell whether they exist. The rules are
// those of the scheduling reference, 3.3. An unknown operand never matches.
func Match(operand, l string, lok bool, r string, rok bool) bool {
	switch operand {
	case n.OpIsSet:
		return lok
	case n.OpIsNotSet:
		return !lok
	case n.OpNotEqual, "not":
		return l != r // what does not exist is ""
	}
	if !lok || !rok {
		return false
	}
	switch operand {
	case n.OpEqual, "==", "is":
		return l == r
	case n.OpLess:
		return order(l, r) < 0
	case n.OpLessEqual:
		return order(l, r) <= 0
	case n.OpGreater:
		return order(l, r) > 0
	case n.OpGreaterEqual:
		return order(l, r) >= 0
	case n.OpRegexp:
		re, err := patterns.get(r)
		return err == nil && re.MatchString(l)
	case n.OpVersion:
		return versionMatches(l, r)
	case n.OpSemver:
		return semverMatches(l, r)
	case n.OpSetContains, n.OpSetContainsAll:
		have := items(l)
		return !slices.ContainsFunc(items(r), func(s string) bool { return !slices.Contains(have, s) })
	case n.OpSetContainsAny:
		have := items(l)
		return slices.ContainsFunc(items(r), func(s string) bool { return slices.Contains(have, s) })
	}
	return false
}

func items(list string) []string {
	out := strings.Split(list, ",")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// order compares as whole numbers if both are, else as numbers, else as text.
func order(l, r string) int {
	if a, err := strconv.ParseInt(l, 10, 64); err == nil {
		if b, err := strconv.ParseInt(r, 10, 64); err == nil {
			return cmp.Compare(a, b)
		}
	}
	if a, err := strconv.ParseFloat(l, 64); err == nil {
		if b, err := strconv.ParseFloat(r, 64); err == nil {
			return cmp.Compare(a, b)
		}
	}
	return strings.Compare(l, r)
}

func versionMatches(l, r string) bool {
	v, err := version.NewVersion(l)
	if err != nil {
		return false
	}
	c, err := constraints.get(r)
	return err == nil && c.Check(v)
}

// semverMatches compares by the precedence of SemVer 2: a pre-release is less
// than its release, and satisfies what its place in the order satisfies.
func semverMatches(l, r string) bool {
	v, err := version.NewSemver(l)
	if err != nil {
		return false
	}
	for _, term := range items(r) {
		op := term[:len(term)-len(strings.TrimLeft(term, "=<>!"))]
		want, err := version.NewSemver(strings.TrimSpace(term[len(op):]))
		if err != nil || !compares(op, v.Compare(want)) {
			return false
		}
	}
	return true
}

func compares(op string, c int) bool {
	switch op {
	case "", "=":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return false
}

// A memo keeps what was compiled: the same few constraints meet thousands of
// nodes. It forgets all when it grows beyond memoSize.
type memo[T any] struct {
	compile func(string) (T, error)
	mu      sync.RWMutex
	known   map[string]compiled[T]
}

type compiled[T any] struct {
	value T
	err   error
}

const memoSize = 4096

var (
	patterns    = memo[*regexp.Regexp]{compile: regexp.Compile}
	constraints = memo[version.Constraints]{compile: version.NewConstraint}
)

func (m *memo[T]) get(text string) (T, error) {
	m.mu.RLock()
	c, ok := m.known[text]
	m.mu.RUnlock()
	if ok {
		return c.value, c.err
	}
	c.value, c.err = m.compile(text)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= memoSize {
		m.known = map[string]compiled[T]{}
	}
	m.known[text] = c
	return c.value, c.err
}
