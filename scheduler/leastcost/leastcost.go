// Package leastcost is a scheduler that fills the cheapest nodes first. It is the
// worked example of one that does not pack bins: the usual scheduler with a scorer of
// its own in the place of two others.
//
// Operators say what nodes cost, in a unit of their choice, in the nodes' meta:
//
//	client {
//	  meta {
//	    cost = "0.12"
//	  }
//	}
//
// and a job asks for this scheduler in its own meta:
//
//	meta = {
//	  "nomadlike.scheduler" = "leastcost"
//	}
//
// Constraints, room, penalties and affinities count as ever. Importing the package
// registers it.
package leastcost

import (
	"math"
	"slices"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// Name is how jobs ask for this scheduler, and what its score is called.
const Name = "leastcost"

// Key is the key of nodes' meta that says what a node costs.
const Key = "cost"

func init() { scheduler.Register(Name, Scheduler, n.JobTypeService, n.JobTypeBatch) }

// Scheduler decides as the usual one does, and rates nodes by what they cost.
var Scheduler = scheduler.Rated(func(usual []rank.Scorer) []rank.Scorer {
	// How full a node is and what else of the job runs there would outweigh the cost.
	usual = slices.DeleteFunc(usual, func(s rank.Scorer) bool { return s.Name == rank.Binpack || s.Name == rank.AntiAffinity })
	return append(usual, rank.Scorer{Name: Name, Alone: true, Make: cheapness})
})

// cheapness is 1 for what costs nothing, less the more a node costs, and 0 where
// nobody says.
func cheapness(*rank.Request) rank.Score {
	return func(c *rank.Candidate) (float64, bool) {
		cost, err := strconv.ParseFloat(c.Node.Meta[Key], 64)
		if err != nil || math.IsNaN(cost) || cost < 0 {
			return 0, true
		}
		return 1 / (1 + cost), true
	}
}
