package rank

import n "github.com/nomadlike/nomadlike/nomadlike"

// spread brings a group's allocations nearer to what its spreads, and its job's,
// ask for. The rules are those of the scheduling reference, 4.3.
func spread(r *Request) Score {
	all := append(append([]n.Spread(nil), r.Job.Spreads...), r.Group.Spreads...)
	if len(all) == 0 {
		return nil
	}
	lowest := -1.0
	return func(c *Candidate) (float64, bool) {
		sum := 0.0
		for i := range all {
			s := &all[i]
			value, ok := r.Resolve(c.Node, s.Attribute)
			switch {
			case !ok:
				sum--
			case len(s.SpreadTarget) == 0:
				sum += even(r.Count(r.Group.Name, s.Attribute), value)
			default:
				sum += targeted(s, value, r, &lowest)
			}
		}
		return sum, sum != 0
	}
}

// rest stands for the values that no target names.
const rest = "*"

func targeted(s *n.Spread, value string, r *Request, lowest *float64) float64 {
	want, named := map[string]float64{}, 0.0
	for _, t := range s.SpreadTarget {
		want[t.Value] = float64(t.Percent) / 100 * float64(r.Group.Count)
		named += want[t.Value]
	}
	if left := float64(r.Group.Count) - named; left > 0 {
		want[rest] = left
	}
	counts := r.Count(r.Group.Name, s.Attribute)
	used := counts[value] + 1
	desired, ok := want[value]
	if !ok {
		if desired, ok = want[rest]; !ok {
			return -1
		}
		used = 1
		for v, c := range counts {
			if _, named := want[v]; !named {
				used += c
			}
		}
	}
	if desired == 0 {
		return *lowest
	}
	boost := (desired - float64(used)) / desired * float64(s.Weight) / float64(max(r.Weight, 1))
	*lowest = min(*lowest, boost)
	return boost
}

// even prefers the values with the fewest allocations.
func even(counts map[string]int, value string) float64 {
	lo, hi := 0, 0
	for _, c := range counts {
		if lo == 0 || c < lo {
			lo = c
		}
		hi = max(hi, c)
	}
	here := counts[value]
	switch m, most := float64(lo), float64(hi); {
	case len(counts) == 0:
		return 0
	case here != lo && lo == 0:
		return -1
	case here != lo:
		return (m - float64(here)) / m
	case lo == hi:
		return -1
	case lo == 0:
		return 1
	default:
		return (most - m) / m
	}
}
