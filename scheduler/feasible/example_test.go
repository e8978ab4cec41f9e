package feasible_test

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
)

// Jobs that have an owner run on nodes of that owner alone.
func ExampleRegister() {
	feasible.Register(feasible.Check{Name: "owner", Make: func(job *n.Job, group *n.Group) (feasible.Test, bool) {
		owner := job.Meta["owner"]
		if group != nil || owner == "" { // it is a matter of the whole job
			return nil, true
		}
		return func(node *n.Node) string {
			if node.Meta["owner"] != owner {
				return "node of another owner"
			}
			return ""
		}, true // meta is part of the class
	}})

	job := &n.Job{Meta: map[string]string{"owner": "ann"}, TaskGroups: []n.Group{{Name: "g"}}}
	for _, owner := range []string{"ann", "bob"} {
		node := &n.Node{Meta: map[string]string{"owner": owner}}
		fmt.Printf("%s: %q\n", owner, feasible.For(job).Check(node, &job.TaskGroups[0]))
	}
	// Output:
	// ann: ""
	// bob: "node of another owner"
}
