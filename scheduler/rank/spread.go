package rank

import n "github.com/nomadlike/nomadlike/nomadlike"

// A Spread says how much an allocation on a node with some value of an attribute
// brings a group nearer to what a spread block asks for. All nodes with the value
// share it. The rules are those of the scheduling reference, 4.3.
type Spread struct {
	Attribute string

	desired map[string]float64 // by value; nil where no targets are named
	weight  float64            // its part of all spreads' weights
	lowest  float64            // that was given so far

	counts map[string]int // as of the last Begin
	lo, hi int            // least and most of them, without zeros
	other  int            // of the values that no target names
}

// spreads are those of the request's job and group.
func spreads(r *Request) (out []*Spread) {
	for _, list := range [][]n.Spread{r.Job.Spreads, r.Group.Spreads} {
		for i := range list {
			s := &Spread{Attribute: list[i].Attribute, weight: float64(list[i].Weight) / float64(max(r.Weight, 1)), lowest: -1}
			if len(list[i].SpreadTarget) > 0 {
				s.desired = desired(&list[i], r.Group.Count)
			}
			out = append(out, s)
		}
	}
	return out
}

// rest stands for the values that no target names.
const rest = "*"

func desired(s *n.Spread, count int) map[string]float64 {
	want, named := map[string]float64{}, 0.0
	for _, t := range s.SpreadTarget {
		want[t.Value] = float64(t.Percent) / 100 * float64(count)
		named += want[t.Value]
	}
	if left := float64(count) - named; left > 0 {
		want[rest] = left
	}
	return want
}

// Begin takes the number of the group's allocations by the attribute's value, as
// they are now.
func (s *Spread) Begin(counts map[string]int) {
	s.counts, s.lo, s.hi, s.other = counts, 0, 0, 0
	for v, c := range counts {
		if c > 0 && (s.lo == 0 || c < s.lo) {
			s.lo = c
		}
		s.hi = max(s.hi, c)
		if _, named := s.desired[v]; !named {
			s.other += c
		}
	}
}

// Of is the score of a value, or of nodes without one.
func (s *Spread) Of(value string, has bool) float64 {
	switch {
	case !has:
		return -1
	case s.desired == nil:
		return s.even(value)
	}
	return s.targeted(value)
}

func (s *Spread) targeted(value string) float64 {
	want, ok := s.desired[value]
	used := s.counts[value] + 1
	if !ok {
		if want, ok = s.desired[rest]; !ok {
			return -1
		}
		used = s.other + 1
	}
	if want == 0 {
		return s.lowest
	}
	boost := (want - float64(used)) / want * s.weight
	s.lowest = min(s.lowest, boost)
	return boost
}

// even prefers the values with the fewest allocations.
func (s *Spread) even(value string) float64 {
	here := s.counts[value]
	switch lo, hi := float64(s.lo), float64(s.hi); {
	case len(s.counts) == 0:
		return 0
	case here != s.lo && s.lo == 0:
		return -1
	case here != s.lo:
		return (lo - float64(here)) / lo
	case s.lo == s.hi:
		return -1
	case s.lo == 0:
		return 1
	default:
		return (hi - lo) / lo
	}
}
