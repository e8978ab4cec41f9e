package rank

import (
	"math"
)

// Preempted is the name of the score of nodes where others have to make room.
const Preempted = "preemption"

// preemption prefers nodes where few leave, of little importance: it falls from 1
// to 0, and is a half at 2048, far above most priorities.
func preemption(r *Request) Score {
	if !r.Preempts {
		return nil
	}
	return func(c *Candidate) (float64, bool) {
		if len(c.Leaving) == 0 {
			return 0, false
		}
		highest, sum := 0, 0
		for _, priority := range c.Leaving {
			highest, sum = max(highest, priority), sum+priority
		}
		net := float64(highest)
		if highest > 0 {
			net += float64(sum) / float64(highest)
		}
		return 1 / (1 + math.Exp(0.0048*(net-2048))), true
	}
}
