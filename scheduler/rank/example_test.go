package rank_test

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// Nodes that are marked as green are preferred by jobs that are, too.
func ExampleRegister() {
	rank.Register(rank.Scorer{Name: "green", Alone: true, Make: func(r *rank.Request) rank.Score {
		if r.Job.Meta["green"] == "" {
			return nil
		}
		return func(c *rank.Candidate) (float64, bool) {
			if c.Node.Meta["green"] == "" {
				return 0, true
			}
			return 1, true
		}
	}})

	job := &n.Job{Type: n.JobTypeService, Meta: map[string]string{"green": "yes"}, TaskGroups: []n.Group{{Name: "g", Count: 1}}}
	rating := rank.For(&rank.Request{Job: job, Group: &job.TaskGroups[0]})
	for _, green := range []string{"yes", ""} {
		score := rating.Explain(&rank.Candidate{Node: &n.Node{Meta: map[string]string{"green": green}}, Class: -1}, 0)
		fmt.Printf("%q: %v\n", green, score.Scores.Of("green"))
	}
	// Output:
	// "yes": 1
	// "": 0
}
